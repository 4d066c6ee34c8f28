/**
 * Fills a migrated database as years of use would: people, their grants, refresh families, sealed audit events. Bulk inserts through the drivers, the same text for
 * both databases. Keys ascend, so that filling is fast; each begins with its place in the key space, so that what the server adds later lands between them:
 * everywhere, and in one place where its ids begin with the time.
 */
import { randomBytes } from 'node:crypto';
import { endMac, hashOf, privateHashOf } from '../server/src/audit/chain.ts';
import type { InstanceKeys } from '../server/src/crypto/instance-keys.ts';
import type { Driver, Statement, Value } from '../server/src/storage/driver.ts';
import { ROOT_TENANT } from '../server/src/storage/store.ts';
import { app, resource, scope } from './subject.ts';

export type Filling = {
  /** Each of another person, with an audit event of its own. */
  grants: number;
  /** Refresh families of each grant: one, or more where it is about their number. */
  families: number;
  /** Of the families of every so many grants the time is over; half of these grants were revoked, the others end when the server notices. */
  overEach: number;
  now: number;
  /** Of the server that will use the database: the chain of events ends with its mark. */
  instance: InstanceKeys;
  tell(grants: number): void;
};
type Row = Record<string, Value>;

const grantsPerStatement = 250;
const statementsPerCommit = 80;
const year = 365 * 86_400;
const month = 30 * 86_400;
/** In the order of their bytes, as both databases compare keys. */
const alphabet = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz';

/** @throws what the driver throws; then the database is partly filled. */
export async function fill(driver: Driver, filling: Filling): Promise<void> {
  const { grants, now, instance, tell } = filling;
  let hash = '';
  let statements: Statement[] = [];
  for (let from = 0; from < grants; from += grantsPerStatement) {
    const rows = Array.from({ length: Math.min(grantsPerStatement, grants - from) }, (_, index) => rowsOf(from + index, filling));
    const events = rows.map(({ event }, index) => {
      const sealed = sealedAfter(hash, event, from + index + 1);
      hash = sealed.hash;
      return sealed;
    });
    statements.push(
      insert(
        'users',
        rows.map(({ user }) => user),
      ),
      insert(
        'grants',
        rows.map(({ grant }) => grant),
      ),
      insert('audit_events', events),
    );
    const families = rows.flatMap((row) => row.families);
    for (let at = 0; at < families.length; at += grantsPerStatement) statements.push(insert('refresh_tokens', families.slice(at, at + grantsPerStatement)));
    if (statements.length < statementsPerCommit && from + grantsPerStatement < grants) continue;
    await driver.write(statements);
    statements = [];
    tell(from + rows.length);
  }
  const mac = endMac(instance, ROOT_TENANT, { seq: grants, hash, anchorSeq: 0, anchorHash: '' });
  await driver.write([insert('audit_chains', [{ tenant: ROOT_TENANT, seq: grants, hash, mac, sealed_at: now, anchor_seq: 0, anchor_hash: '' }])]);
  // What Postgres does by itself within minutes.
  if (driver.name === 'postgres') await driver.script('analyze');
}

/** Everything that hangs from one grant. */
function rowsOf(index: number, { grants, families, overEach, now }: Filling): { user: Row; grant: Row; event: Row; families: Row[] } {
  const key = (prefix: string, of = index, count = grants) => prefix + placeOf(of / count) + randomBytes(9).toString('base64url');
  const at = now - year + Math.floor((index / grants) * (year - month));
  const over = index % overEach === 0;
  const revokedAt = over && index % (2 * overEach) === 0 ? now - 86_400 : null;
  const [id, userId] = [key('grant_'), key('usr_')];
  const eventId = key('ev_');
  const own = { tenant: ROOT_TENANT, client_id: app.id };
  const username = `filled-${String(index).padStart(9, '0')}`;
  return {
    user: { tenant: ROOT_TENANT, id: userId, username, username_key: username, role: 'user', created_at: at, last_event: eventId },
    grant: {
      ...own,
      id,
      user_id: userId,
      server_id: 'srv_bench',
      resource,
      scope: JSON.stringify(scope.split(' ')),
      redirect_uri: app.redirectUri,
      created_at: at,
      last_used_at: now - month,
      revoked_at: revokedAt,
      revoked_reason: revokedAt === null ? null : 'user',
      last_event: eventId,
    },
    event: { ...own, id: eventId, at, type: 'grant.approved', actor: 'user', user_id: userId, server_id: 'srv_bench', grant_id: id },
    families: Array.from({ length: families }, (_, number) => {
      const ends = over ? now - 3600 - (index % 86_400) : now + 86_400 + Math.floor((index / grants) * month);
      return {
        ...own,
        family_id: key('', index * families + number, grants * families),
        grant_id: id,
        current_hash: randomBytes(32).toString('base64url'),
        previous_hash: randomBytes(32).toString('base64url'),
        generation: 7,
        auth_time: at,
        created_at: at,
        rotated_at: now - month,
        idle_expires_at: ends,
        expires_at: ends + month,
        revoked_at: revokedAt,
      };
    }),
  };
}

function sealedAfter(before: string, event: Row, seq: number): Row & { hash: string } {
  const salt = randomBytes(12).toString('base64url');
  const privateHash = privateHashOf(salt, {});
  const { id, at, type, actor, user_id: userId, client_id: clientId, server_id: serverId, grant_id: grantId } = event;
  // Columns hold what the event's members do; the row was made above.
  const said = { id, at, type, actor, userId, clientId, serverId, grantId, seq, privateHash } as unknown as Parameters<typeof hashOf>[2];
  return { ...event, seq, hash: hashOf(ROOT_TENANT, before, said), private_hash: privateHash, salt };
}

/** Eight characters that sort as the shares do. */
function placeOf(share: number): string {
  let rest = share;
  let place = '';
  for (let digit = 0; digit < 8; digit++) {
    rest *= 64;
    place += alphabet[Math.floor(rest)];
    rest -= Math.floor(rest);
  }
  return place;
}

const texts = new Map<string, string>();

function insert(table: string, rows: readonly Row[]): Statement {
  const columns = Object.keys(rows[0] ?? {});
  const known = texts.get(`${table} ${rows.length}`);
  if (known !== undefined) return { text: known, values: rows.flatMap((row) => Object.values(row)) };
  const places = rows.map((_, row) => `(${columns.map((_, column) => `?${row * columns.length + column + 1}`).join(', ')})`);
  const text = `insert into ${table} (${columns.join(', ')}) values ${places.join(', ')}`;
  texts.set(`${table} ${rows.length}`, text);
  return { text, values: rows.flatMap((row) => Object.values(row)) };
}
