/**
 * Requests that clients pushed (RFC 9126), by the hash of their reference. `used_at` is set by the batch that answers a request begun with it
 * (authorization-requests.ts), so that however many tabs begin, one answer is given.
 */
import { type Driver, part, sql } from '../driver.ts';
import { json, text, whole } from '../row.ts';
import type { AuthorizationRequest, Store } from '../store.ts';
import { mayUse } from './server-people.ts';
import { sessionIsThere } from './sessions.ts';

type PushedRow = { tenant: string; referenceHash: string; request: string; createdAt: number; expiresAt: number };
const insert = sql<PushedRow>`insert into pushed_requests (tenant, reference_hash, request, created_at, expires_at)
  values (${'tenant'}, ${'referenceHash'}, ${'request'}, ${'createdAt'}, ${'expiresAt'})`;

const find = sql<{ tenant: string; referenceHash: string; now: number }>`select reference_hash, request, created_at, expires_at from pushed_requests
  where tenant = ${'tenant'} and reference_hash = ${'referenceHash'} and expires_at > ${'now'} and used_at is null`;

type Using = {
  tenant: string;
  pushedHash: string;
  idHash: string;
  now: number;
  mark: string;
  session: string | null;
  serverId: string | null;
  userId: string | null;
};

/** Uses a reference up for the open request `idHash`, and leaves the mark by which the rest of the batch knows that it did. */
export const usePushed = sql<Using>`update pushed_requests
  set used_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and reference_hash = ${'pushedHash'} and used_at is null
  and exists (select 1 from authorization_requests where tenant = ${'tenant'} and id_hash = ${'idHash'} and answered_at is null and expires_at > ${'now'})
  and ${sessionIsThere} and ${mayUse}`;

/** Whether this very batch used the reference up. */
export const usedByUs = part<'tenant' | 'pushedHash' | 'mark'>`exists (select 1 from pushed_requests
  where tenant = ${'tenant'} and reference_hash = ${'pushedHash'} and last_event = ${'mark'})`;

export function pushedRequestsTable(driver: Driver, tenant: string): Pick<Store, 'pushRequest' | 'findPushedRequest'> {
  return {
    async pushRequest({ request, ...pushed }) {
      await driver.write([insert({ ...pushed, tenant, request: JSON.stringify(request) })]);
    },
    async findPushedRequest(referenceHash, now) {
      const [row] = await driver.read(find({ tenant, referenceHash, now }));
      if (row === undefined) return undefined;
      const request = json<AuthorizationRequest>(row.request);
      return { referenceHash: text(row.reference_hash), request, createdAt: whole(row.created_at), expiresAt: whole(row.expires_at) };
    },
  };
}
