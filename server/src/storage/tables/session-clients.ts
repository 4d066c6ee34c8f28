/**
 * Clients that want to hear when a browser session ends, by the session's public name. Whatever ends a session makes its rows due in the same commit, so no
 * sign-out is forgotten; a node that takes a due row has it to itself until the next attempt is due.
 */
import { type Driver, literal, locking, part, type Statement, sql } from '../driver.ts';
import { text, whole } from '../row.ts';
import type { SessionClient, Store } from '../store.ts';

/** After this many attempts a client has missed it. */
const MAX_ATTEMPTS = 5;
/** What is due is given up after an hour, tried or not. */
const DUE_SECONDS = '3600';

type ListenerRow = { tenant: string; sid: string; clientId: string; userId: string; expiresAt: number };

/** The insert as a select, so that a condition can follow; then {@link orLonger}. */
export const insertListener = part<keyof ListenerRow>`insert into session_clients (tenant, sid, client_id, user_id, expires_at, attempts)
  select cast(${'tenant'} as text), cast(${'sid'} as text), cast(${'clientId'} as text), cast(${'userId'} as text), cast(${'expiresAt'} as bigint), 0`;

/** Allowed again in the same session, which may have been confirmed since: the client hears for as long as it lives now. What is due stays as it is. */
export const orLonger = literal(`on conflict (tenant, sid, client_id) do update
  set expires_at = case when excluded.expires_at > session_clients.expires_at then excluded.expires_at else session_clients.expires_at end
  where session_clients.due_at is null`);

type Started = { tenant: string; by: string; mark: string };
/** True in SQL when this batch has started the session `by`. */
export const startedByUs = part<
  keyof Started
>`exists (select 1 from sessions n where n.tenant = ${'tenant'} and n.id_hash = ${'by'} and n.last_event = ${'mark'})`;

/** When a session of the same name takes the place of another and lives longer. */
export const listenLonger = sql<Started & { sid: string; expiresAt: number }>`update session_clients set expires_at = ${'expiresAt'}
  where tenant = ${'tenant'} and sid = ${'sid'} and due_at is null and expires_at < ${'expiresAt'} and ${startedByUs}`;

export function listenerRow(tenant: string, { sid, clientId, userId, expiresAt }: SessionClient): ListenerRow {
  return { tenant, sid, clientId, userId, expiresAt };
}

/**
 * Comes before clients are told: whoever decides in a session that ends (sessions.ts) is waited for, so that the client they let in is told too. The order of locks is
 * the person, their sessions, then what hangs from them.
 */
export function lockEnding(driver: Driver, tenant: string, idHash: string): Statement[] {
  return locking(driver, [lockOne({ tenant, idHash })]);
}
const lockOne = sql<{ tenant: string; idHash: string }>`select 1 as there from sessions where tenant = ${'tenant'} and id_hash = ${'idHash'} for update`;

/** The same, of all sessions of a person. */
export function lockEndingOf(driver: Driver, tenant: string, userId: string): Statement[] {
  return locking(driver, [lockAll({ tenant, userId })]);
}
const lockAll = sql<{
  tenant: string;
  userId: string;
}>`select 1 as there from sessions where tenant = ${'tenant'} and user_id = ${'userId'} order by id_hash for update`;

const dueNow = part<'now'>`update session_clients set due_at = ${'now'}, expires_at = cast(${'now'} as bigint) + ${literal(DUE_SECONDS)}`;

/** When the session `idHash` carries the mark. */
export const dueIfMarked = sql<{ tenant: string; idHash: string; mark: string; now: number }>`${dueNow}
  where tenant = ${'tenant'} and due_at is null
  and sid = (select sid from sessions where tenant = ${'tenant'} and id_hash = ${'idHash'} and last_event = ${'mark'})`;

/** When another session takes the place of this one under another name: somebody else has signed in. */
export const dueIfReplaced = sql<Started & { idHash: string; newSid: string; now: number }>`${dueNow}
  where tenant = ${'tenant'} and due_at is null and sid <> ${'newSid'} and ${startedByUs}
  and sid = (select sid from sessions where tenant = ${'tenant'} and id_hash = ${'idHash'})`;

/** When all sessions of a person end, if their row carries the mark. */
export const dueOfMarkedUser = sql<{ tenant: string; id: string; mark: string; now: number }>`${dueNow}
  where tenant = ${'tenant'} and user_id = ${'id'} and due_at is null
  and exists (select 1 from users where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;

/** When all sessions of a person but one end, if their row carries the mark. */
export const dueOfOthers = sql<{ tenant: string; userId: string; keeping: string; mark: string; now: number }>`${dueNow}
  where tenant = ${'tenant'} and user_id = ${'userId'} and due_at is null
  and sid <> coalesce((select sid from sessions where tenant = ${'tenant'} and id_hash = ${'keeping'}), '')
  and exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'} and last_event = ${'mark'})`;

const isDue = part<'tenant' | 'now'>`tenant = ${'tenant'} and due_at <= ${'now'}`;
// The condition stands twice: of two nodes that chose the same row the second finds it no longer due. Attempts follow after 1, 4, 9 and 16 minutes.
const claim = sql<{ tenant: string; now: number; limit: number }>`update session_clients
  set due_at = cast(${'now'} as bigint) + 60 * (attempts + 1) * (attempts + 1), attempts = attempts + 1
  where ${isDue} and (sid, client_id) in (select sid, client_id from session_clients where ${isDue} order by due_at limit ${'limit'})
  returning sid, client_id, user_id, attempts`;

const settle = sql<{ tenant: string; sid: string; clientId: string }>`delete from session_clients
  where tenant = ${'tenant'} and sid = ${'sid'} and client_id = ${'clientId'}`;

export function sessionClientsTable(driver: Driver, tenant: string): Pick<Store, 'claimLogouts' | 'settleLogout'> {
  return {
    async claimLogouts(now, limit) {
      const [claimed] = await driver.write([claim({ tenant, now, limit })]);
      return (claimed?.rows ?? []).map((row) => ({
        sid: text(row.sid),
        clientId: text(row.client_id),
        userId: text(row.user_id),
        last: whole(row.attempts) >= MAX_ATTEMPTS,
      }));
    },
    async settleLogout(sid, clientId) {
      await driver.write([settle({ tenant, sid, clientId })]);
    },
  };
}
