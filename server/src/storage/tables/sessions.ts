/**
 * Browser sessions, by the hash of their cookie. A session lives until it is idle for `idle_seconds`, until `expires_at`, or until it or its person is ended.
 */
import { aliased, type Driver, locking, part, type Row, type Statement, sql } from '../driver.ts';
import { listText, optionalJson, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { Session, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { noteDevice } from './known-devices.ts';
import { dueIfMarked, dueIfReplaced, listenLonger, lockEnding, startedByUs } from './session-clients.ts';
import { userColumns, userOf } from './users.ts';

const columns = aliased('s', [
  'id_hash',
  'user_id',
  'auth_time',
  'created_at',
  'seen_at',
  'idle_seconds',
  'expires_at',
  'user_agent',
  'address',
  'amr',
  'sid',
  'unproven',
]);

type SessionRow = {
  tenant: string;
  idHash: string;
  userId: string;
  authTime: number;
  createdAt: number;
  seenAt: number;
  idleSeconds: number;
  expiresAt: number;
  userAgent: string | null;
  address: string | null;
  amr: string | null;
  sid: string | null;
  unproven: number | null;
  epoch: number;
  mark: string;
};
// What was shown before all sessions ended, or before the password changed, starts none: as little as what a person shows who is disabled.
const insert = sql<SessionRow>`insert into sessions (tenant, id_hash, user_id, auth_time, created_at, seen_at, idle_seconds, expires_at, user_agent, address, amr, sid, unproven, last_event)
  select cast(${'tenant'} as text), cast(${'idHash'} as text), cast(${'userId'} as text), cast(${'authTime'} as bigint), cast(${'createdAt'} as bigint),
    cast(${'seenAt'} as bigint), cast(${'idleSeconds'} as bigint), cast(${'expiresAt'} as bigint), cast(${'userAgent'} as text), cast(${'address'} as text),
    cast(${'amr'} as text), cast(${'sid'} as text), cast(${'unproven'} as integer), cast(${'mark'} as text)
  where exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'} and disabled_at is null and coalesce(session_epoch, 0) = ${'epoch'})`;

/**
 * Comes first: of a sign-in and a new password in one moment either the session is there before all are ended, or it is too late.
 */
function lockEpoch(driver: Driver, tenant: string, userId: string): Statement[] {
  return locking(driver, [lockOfEpoch({ tenant, userId })]);
}
const lockOfEpoch = sql<{ tenant: string; userId: string }>`select 1 as there from users where tenant = ${'tenant'} and id = ${'userId'} for share`;

type Key = { tenant: string; idHash: string };
const removeReplaced = sql<Key & { by: string; mark: string }>`delete from sessions where tenant = ${'tenant'} and id_hash = ${'idHash'}
  and ${startedByUs}`;

const alive = part<'now'>`expires_at > ${'now'} and seen_at + idle_seconds > ${'now'}`;
const find = sql<Key & { now: number }>`select ${columns}, ${userColumns} from sessions s join users u on u.tenant = s.tenant and u.id = s.user_id
  where s.tenant = ${'tenant'} and s.id_hash = ${'idHash'} and ${alive} and u.disabled_at is null`;

const listOf = sql<{ tenant: string; userId: string; now: number }>`select ${columns} from sessions s
  where s.tenant = ${'tenant'} and s.user_id = ${'userId'} and ${alive} order by s.seen_at desc, s.created_at desc, s.id_hash`;

// The condition keeps a late touch from waking a session that has already been idle too long.
const touch = sql<Key & { now: number }>`update sessions set seen_at = ${'now'}
  where tenant = ${'tenant'} and id_hash = ${'idHash'} and seen_at < ${'now'} and ${alive}`;

const mark = sql<Key & { mark: string }>`update sessions set last_event = ${'mark'} where tenant = ${'tenant'} and id_hash = ${'idHash'}`;
const removeMarked = sql<Key & { mark: string }>`delete from sessions where tenant = ${'tenant'} and id_hash = ${'idHash'} and last_event = ${'mark'}`;
const eventIfMarked = eventIf('sessions', 'id_hash');

/** All sessions of a person but one, if their row carries the mark. */
export const endOtherSessions = sql<{ tenant: string; userId: string; keeping: string; mark: string }>`delete from sessions
  where tenant = ${'tenant'} and user_id = ${'userId'} and id_hash <> ${'keeping'}
  and exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'} and last_event = ${'mark'})`;

/** Whether the session that decides is still there; where none is named, nobody sat at a browser. */
export const sessionIsThere = part<'tenant' | 'session'>`(cast(${'session'} as text) is null
  or exists (select 1 from sessions where tenant = ${'tenant'} and id_hash = ${'session'}))`;

/**
 * Comes first where a session decides: what ends sessions ends grants after them, so of a yes and a new password in one moment either the yes comes first, and its grant ends,
 * or it is too late.
 */
export function lockSession(driver: Driver, tenant: string, session: string | undefined): Statement[] {
  return session === undefined ? [] : locking(driver, [lock({ tenant, session })]);
}
const lock = sql<{ tenant: string; session: string }>`select 1 as there from sessions where tenant = ${'tenant'} and id_hash = ${'session'} for key share`;

type Verbs = 'startSession' | 'findSession' | 'touchSession' | 'endSession' | 'listSessions';

export function sessionsTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async startSession({ deviceHash, epoch = 0, ...session }, replaces, event) {
      const started = { tenant, by: session.idHash, mark: event.id };
      const locks = [...lockEpoch(driver, tenant, session.userId), ...(replaces === undefined ? [] : lockEnding(driver, tenant, replaces))];
      const statements = [...locks, insert({ ...sessionRow(tenant, session, event.id), epoch }), eventIfMarked(tenant, session.idHash, event)];
      if (deviceHash !== undefined) statements.push(noteDevice({ ...started, userId: session.userId, deviceHash }, event.at));
      if (replaces !== undefined && replaces !== session.idHash) {
        statements.push(
          dueIfReplaced({ ...started, idHash: replaces, newSid: session.sid ?? '', now: event.at }),
          removeReplaced({ ...started, idHash: replaces }),
        );
        if (session.sid !== undefined) statements.push(listenLonger({ ...started, sid: session.sid, expiresAt: session.expiresAt }));
      }
      const results = await driver.write(statements);
      return results[locks.length]?.changes === 1;
    },
    async findSession(idHash, now) {
      const [row] = await driver.read(find({ tenant, idHash, now }));
      return row && { session: sessionOf(row), user: userOf(row) };
    },
    async listSessions(userId, now) {
      return (await driver.read(listOf({ tenant, userId, now }))).map(sessionOf);
    },
    async touchSession(idHash, now) {
      await driver.write([touch({ tenant, idHash, now })]);
    },
    async endSession(idHash, event) {
      const key = { tenant, idHash, mark: event.id };
      const [marked] = await driver.write([
        mark(key),
        ...lockEnding(driver, tenant, idHash),
        dueIfMarked({ ...key, now: event.at }),
        eventIfMarked(tenant, idHash, event),
        removeMarked(key),
      ]);
      return marked?.changes === 1;
    },
  };
}

function sessionRow(tenant: string, session: Session, mark: string): Omit<SessionRow, 'epoch'> {
  return {
    ...session,
    tenant,
    userAgent: session.userAgent ?? null,
    address: session.address ?? null,
    amr: listText(session.amr),
    sid: session.sid ?? null,
    unproven: session.unproven ? 1 : null,
    mark,
  };
}

function sessionOf(row: Row): Session {
  return present({
    idHash: text(row.s_id_hash),
    userId: text(row.s_user_id),
    authTime: whole(row.s_auth_time),
    createdAt: whole(row.s_created_at),
    seenAt: whole(row.s_seen_at),
    idleSeconds: whole(row.s_idle_seconds),
    expiresAt: whole(row.s_expires_at),
    userAgent: optionalText(row.s_user_agent),
    address: optionalText(row.s_address),
    amr: optionalJson<string[]>(row.s_amr),
    sid: optionalText(row.s_sid),
    unproven: optionalWhole(row.s_unproven) === 1 ? (true as const) : undefined,
  });
}
