/**
 * Another e-mail address for a person. The link that proved it is marked first; the person is changed only in its wake, in the same commit.
 */
import { ConstraintError, type Driver, part, sql } from '../driver.ts';
import type { EmailVerbs } from '../verbs/emails.ts';
import { eventIf } from './audit-events.ts';
import { endLinksOfMarked, loginKey } from './users.ts';

type Change = { tenant: string; userId: string; email: string; emailKey: string; provenAt: number | null; mark: string };
type Linked = { tenant: string; linkId: string; userId: string; emailKey: string; now: number; mark: string };

/** True in SQL when nobody else answers to the address. */
const isFree = part<'tenant' | 'userId' | 'emailKey'>`not exists (
  select 1 from users o where o.tenant = ${'tenant'} and o.username_key = ${'emailKey'} and o.id <> ${'userId'}
  union all select 1 from users o where o.tenant = ${'tenant'} and o.email_key = ${'emailKey'} and o.id <> ${'userId'})`;
const isThere = part<'tenant' | 'userId'>`exists (select 1 from users p where p.tenant = ${'tenant'} and p.id = ${'userId'} and p.disabled_at is null)`;

const useLink = sql<Linked>`update one_time_links set used_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'linkId'} and purpose = 'email' and user_id = ${'userId'} and email_key = ${'emailKey'}
    and used_at is null and expires_at > ${'now'} and ${isThere} and ${isFree}`;
const change = part<keyof Change>`update users set email = ${'email'}, email_key = ${'emailKey'},
    email_proven_at = cast(${'provenAt'} as bigint), last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'userId'} and disabled_at is null and ${isFree}`;
const changeByWord = sql<Change>`${change}`;
const changeByLink = sql<Change & { linkId: string }>`${change}
  and exists (select 1 from one_time_links where tenant = ${'tenant'} and id = ${'linkId'} and last_event = ${'mark'})`;
const free = sql<{ tenant: string; userId: string; emailKey: string }>`select 1 as found where ${isFree}`;
const eventIfUser = eventIf('users', 'id');

export function emailsTable(driver: Driver, tenant: string): EmailVerbs {
  return {
    async changeEmail({ userId, email, linkId }, event) {
      const { at: now, id: mark } = event;
      const emailKey = loginKey(email);
      const changed = { tenant, userId, email, emailKey, provenAt: linkId === undefined ? null : now, mark };
      const change =
        linkId === undefined ? [changeByWord(changed)] : [useLink({ tenant, linkId, userId, emailKey, now, mark }), changeByLink({ ...changed, linkId })];
      try {
        const results = await driver.write([...change, endLinksOfMarked({ tenant, id: userId, mark, now }), eventIfUser(tenant, userId, event)]);
        if (results[change.length - 1]?.changes === 1) return 'changed';
        return (await driver.read(free({ tenant, userId, emailKey }))).length > 0 ? 'gone' : 'taken';
      } catch (error) {
        // Somebody else took it in the same moment.
        if (error instanceof ConstraintError) return 'taken';
        throw error;
      }
    },
  };
}
