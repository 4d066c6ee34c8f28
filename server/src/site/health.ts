/**
 * Is the process alive, and can it do its work? For load balancers and people; no version, no secrets (OPS-02).
 */
import type { Context } from '../context.ts';
import { type Handler, json } from '../route.ts';

/** Liveness: the process answers. */
export const health: Handler = () => json({ status: 'ok' });

type Checks = Record<'database' | 'migrations' | 'keys', 'ok' | 'failed'>;

/** The last answer of each tenant, or the one under way. Anybody may ask, also while the server refuses others: whoever asks within the same second gets the same. */
const answers = new WeakMap<Context, { second: number; checks: Promise<Checks> }>();

/** Readiness: the database answers, its migrations are done and the signing keys can be read. 503 with the part that fails. */
export const ready: Handler = async (_exchange, context) => {
  const second = context.now();
  let answer = answers.get(context);
  if (answer?.second !== second) {
    answer = { second, checks: checksOf(context) };
    answers.set(context, answer);
  }
  const checks = await answer.checks;
  const isReady = Object.values(checks).every((state) => state === 'ok');
  return json({ status: isReady ? 'ready' : 'not ready', checks }, isReady ? 200 : 503, isReady ? undefined : { 'Retry-After': '2' });
};

async function checksOf({ store, signing }: Context): Promise<Checks> {
  const pending = store.pendingMigrations();
  const [database, migrations, keys] = await Promise.all([
    holds(() => pending.then(() => true)),
    holds(async () => (await pending).length === 0),
    holds(async () => (await signing.current()).jwks.length > 0),
  ]);
  return { database, migrations, keys };
}

async function holds(check: () => Promise<boolean>): Promise<'ok' | 'failed'> {
  return (await check().catch(() => false)) ? 'ok' : 'failed';
}
