/**
 * Grants that one approval made for several resources. Each is seen, paused, reduced and ended like any other; what they have in common is the code and the refresh family,
 * which hang from the first. `approved_with` on every one of them is the id of that first.
 */
import type { AuditEvent } from '../../audit/event.ts';
import { type Driver, part, type Statement, sql } from '../driver.ts';
import type { Companion, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import {
  type Ending,
  eventIfGrant,
  type GrantRow,
  grantColumns,
  grantLives,
  grantOf,
  grantRow,
  grantState,
  grantStateOf,
  insertGrant,
  joinPerson,
  setRevoked,
} from './grants.ts';
import { keepReceipt } from './receipts.ts';
import { mayUse } from './server-people.ts';

const addIfFirst = sql<GrantRow & { firstMark: string }>`${insertGrant}
  where exists (select 1 from grants where tenant = ${'tenant'} and id = ${'approvedWith'} and last_event = ${'firstMark'}) and ${mayUse}`;

/** The statements that make the grants of further resources, each with its receipt and event, if this batch has made the first with its own event. */
export function addCompanions(tenant: string, companions: readonly Companion[], first: AuditEvent): Statement[] {
  return companions.flatMap(({ grant, receipt, event }) => [
    addIfFirst({ ...grantRow(tenant, grant, event.id), firstMark: first.id }),
    eventIfGrant(tenant, grant.id, event),
    ...keepReceipt(tenant, grant, receipt, event),
  ]);
}

type Key = { tenant: string; approvedWith: string; resource: string; now: number };
const find = sql<Key>`select ${grantColumns}, ${grantState} from grants g ${joinPerson}
  where g.tenant = ${'tenant'} and g.approved_with = ${'approvedWith'} and g.resource = ${'resource'} and ${grantLives}`;

/** Revokes what is left of an approval, unless a condition follows. */
export const revokeTogether = part<keyof Ending>`${setRevoked} where tenant = ${'tenant'} and approved_with = ${'subject'} and revoked_at is null`;
const revoke = sql<Ending>`${revokeTogether}`;

/** Ends the refresh family of an approval of which this batch has just revoked what was left. */
export const endFamilyTogether = sql<Omit<Ending, 'reason'>>`update refresh_tokens set revoked_at = ${'now'}
  where tenant = ${'tenant'} and grant_id = ${'subject'} and revoked_at is null
  and exists (select 1 from grants where tenant = ${'tenant'} and approved_with = ${'subject'} and last_event = ${'mark'})`;
export const eventTogether = eventIf('grants', 'approved_with');

export function companionsTable(driver: Driver, tenant: string): Pick<Store, 'findCompanion' | 'revokeApproval'> {
  return {
    async findCompanion(companion, now) {
      const [row] = await driver.read(find({ tenant, ...companion, now }));
      return row && { grant: grantOf(row), ...grantStateOf(row) };
    },
    async revokeApproval(approvedWith, reason, event) {
      const ending = { tenant, subject: approvedWith, now: event.at, reason, mark: event.id };
      const [revoked] = await driver.write([revoke(ending), endFamilyTogether(ending), eventTogether(tenant, approvedWith, event)]);
      return (revoked?.changes ?? 0) > 0;
    },
  };
}
