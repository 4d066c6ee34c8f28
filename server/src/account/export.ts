/**
 * GET /account/export: everything held about a person, for that person, as a file they can read and take elsewhere (GDPR Art. 15 and 20). Never a secret or a hash:
 * which columns are handed out is said in storage/holdings.ts.
 */
import type { Context, Exchange } from '../context.ts';
import { type Answer, redirect } from '../route.ts';
import type { HeldRow } from '../storage/store.ts';
import { isFresh } from './fresh-sign-in.ts';
import { currentSession } from './session.ts';

/** Of each table: more than a person's agents make in years, and no more than one answer should hold. */
const MOST_ROWS = 10_000;
const lists = new Set(['scope', 'removed_scope', 'scopes', 'default_scopes', 'transports', 'amr', 'receipt', 'detail']);

/** GET /account/export. */
export async function exportData(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?to=profile`);
  if (!isFresh(signedIn, context)) return redirect(`${context.base}/login?reason=confirm&to=profile`);
  const held = await context.store.heldAbout(signedIn.user.id, MOST_ROWS);

  const data = {
    format: 'auth-agent-export',
    v: 1,
    issuer: context.issuer,
    exported_at: dateOf(context.now()),
    /** What was too much for one file; its newest rows are here. */
    shortened: Object.keys(held).filter((table) => held[table]?.length === MOST_ROWS),
    data: Object.fromEntries(Object.entries(held).map(([table, rows]) => [table, rows.map(readable)])),
  };
  return { status: 200, json: JSON.stringify(data, null, 2), headers: { 'Content-Disposition': 'attachment; filename="account.json"' } };
}

/** Absent members are left out, times are dates, and lists are lists. */
function readable(row: HeldRow): Record<string, unknown> {
  const members = Object.entries(row).filter(([, value]) => value !== null);
  return Object.fromEntries(members.map(([name, value]) => [name, readableValue(name, value)]));
}

function readableValue(name: string, value: HeldRow[string]): unknown {
  if (typeof value === 'number' && /(^|_)at$|^auth_time$/.test(name)) return dateOf(value);
  return typeof value === 'string' && lists.has(name) ? JSON.parse(value) : value;
}

const dateOf = (seconds: number): string => new Date(seconds * 1000).toISOString();
