/**
 * A person's own changes to their password, a row of `credentials`. What removes a way in counts what is left after locking the person's row.
 */
import { type Driver, sql } from '../driver.ts';
import type { Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { passwordExists, removePassword, replacePassword } from './credentials.ts';
import { dueOfOthers, lockEndingOf } from './session-clients.ts';
import { endOtherSessions } from './sessions.ts';
import { beginEpoch, endLinksOfMarked } from './users.ts';
import { lockPerson, type WaysRow, waysIn, waysRow } from './ways-in.ts';

/** Leaves the batch's mark on the person only where there is a password, and while another way in would stay. */
const markIfNotLast = sql<WaysRow & { mark: string; lock: string }>`update users set last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'userId'} and last_event = ${'lock'} and ${waysIn} > 1
  and exists (select 1 from credentials where tenant = ${'tenant'} and user_id = ${'userId'} and kind = 'password' and id = '')`;
const eventIfUser = eventIf('users', 'id');

export function passwordsTable(driver: Driver, tenant: string): Pick<Store, 'setPassword' | 'hasPassword' | 'removePassword'> {
  const hasPassword = async (userId: string) => (await driver.read(passwordExists({ tenant, userId }))).length > 0;
  return {
    hasPassword,
    async setPassword({ userId, passwordHash, keeping }, event) {
      const marked = { tenant, userId, mark: event.id };
      const ending =
        keeping === undefined
          ? []
          : [...lockEndingOf(driver, tenant, userId), dueOfOthers({ ...marked, keeping, now: event.at }), endOtherSessions({ ...marked, keeping })];
      const [found] = await driver.write([
        lockPerson(marked),
        beginEpoch({ tenant, id: userId, mark: event.id }),
        replacePassword({ ...marked, hash: passwordHash, at: event.at }),
        ...ending,
        endLinksOfMarked({ tenant, id: userId, mark: event.id, now: event.at }),
        eventIfUser(tenant, userId, event),
      ]);
      return found?.changes === 1;
    },
    async removePassword({ userId, ways }, event) {
      const marked = { tenant, userId, mark: event.id };
      const lock = `${event.id} counting`;
      const results = await driver.write([
        lockPerson({ tenant, userId, mark: lock }),
        markIfNotLast({ ...waysRow(tenant, userId, ways), mark: event.id, lock }),
        removePassword(marked),
        beginEpoch({ tenant, id: userId, mark: event.id }),
        eventIfUser(tenant, userId, event),
      ]);
      if (results[2]?.changes === 1) return 'removed';
      return (await hasPassword(userId)) ? 'last' : 'gone';
    },
  };
}
