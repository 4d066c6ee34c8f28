/**
 * A whole account, over every table that holds something of a person (holdings.ts): handing it out, and ending it in one commit. The person's row carries the mark
 * until the last statement, which deletes it. Not here: what clients are told (session-clients.ts).
 */
import { type Driver, literal, part, type Statement, sql } from '../driver.ts';
import { type Holding, holdings } from '../holdings.ts';
import type { Store } from '../store.ts';
import type { HeldRow } from '../verbs/accounts.ts';
import { eventIf } from './audit-events.ts';
import { endGrantsOf } from './grants.ts';
import { dueOfMarkedUser, lockEndingOf } from './session-clients.ts';

type Person = { tenant: string; id: string };
type Marked = Person & { mark: string };

const theirGrants = part<keyof Person>`grant_id in (select id from grants where tenant = ${'tenant'} and user_id = ${'id'})`;
const theirs = ({ by }: Holding) => (by === 'grant_id' ? theirGrants : part<'id'>`${literal(by)} = ${'id'}`);

const listings = Object.entries(holdings).map(([table, holding]) => ({
  table,
  list: sql<Person & { limit: number }>`select ${literal(holding.shown.join(', '))} from ${literal(table)}
    where tenant = ${'tenant'} and ${theirs(holding)} ${literal(holding.first ? `order by ${holding.first}` : '')} limit ${'limit'}`,
}));

const marked = part<keyof Marked>`exists (select 1 from users where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;

/** The rows that others hang from go last. */
const last = ['grants', 'users'];
const deletions = Object.entries(holdings)
  .filter(([, { leaving }]) => leaving === 'deleted')
  .toSorted(([one], [other]) => last.indexOf(one) - last.indexOf(other))
  .map(([table, holding]) => sql<Marked>`delete from ${literal(table)} where tenant = ${'tenant'} and ${theirs(holding)} and ${marked}`);

/** First of the batch: of two operators who leave at once, the second finds whether the first is still there. */
const lockOperators = sql<{ tenant: string }>`update users set last_event = last_event where tenant = ${'tenant'} and role = 'operator'`;
const noServer = part<keyof Person>`not exists (select 1 from servers where tenant = ${'tenant'} and owner_id = ${'id'})`;
const mark = sql<Marked>`update users set last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'} and ${noServer}
  and (role <> 'operator' or disabled_at is not null or exists
    (select 1 from users o where o.tenant = ${'tenant'} and o.role = 'operator' and o.disabled_at is null and o.id <> ${'id'}))`;
const forget = sql<Marked>`update audit_events set address = null, detail = null, salt = null where tenant = ${'tenant'} and user_id = ${'id'} and ${marked}`;
const whyNot = sql<Person>`select case when ${noServer} then 'operator' else 'owner' end as reason from users where tenant = ${'tenant'} and id = ${'id'}`;

const rename = sql<Marked & { name: string | null }>`update users set name = ${'name'}, last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'}`;

const endGrants = endGrantsOf('users', 'user_id');
const eventIfUser = eventIf('users', 'id');

export function accountsTable(driver: Driver, tenant: string): Pick<Store, 'renameUser' | 'heldAbout' | 'removeUser'> {
  return {
    async renameUser(userId, name, event) {
      const [renamed] = await driver.write([rename({ tenant, id: userId, mark: event.id, name: name ?? null }), eventIfUser(tenant, userId, event)]);
      return renamed?.changes === 1;
    },
    async heldAbout(userId, limit) {
      const rows = listings.map(async ({ table, list }) => [table, (await driver.read(list({ tenant, id: userId, limit }))) satisfies HeldRow[]] as const);
      return Object.fromEntries((await Promise.all(rows)).filter(([, held]) => held.length > 0));
    },
    async removeUser(userId, event) {
      const person = { tenant, id: userId, mark: event.id };
      const statements: Statement[] = [
        mark(person),
        ...lockEndingOf(driver, tenant, userId),
        // Ended before they are deleted: grants, then their families, is the order of locks everywhere.
        ...endGrants({ tenant, subject: userId, now: event.at, reason: 'account_deleted', mark: event.id }),
        dueOfMarkedUser({ ...person, now: event.at }),
        forget(person),
        eventIfUser(tenant, userId, event),
        ...deletions.map((remove) => remove(person)),
      ];
      const [, done] = await driver.write([lockOperators({ tenant }), ...statements]);
      if (done?.changes === 1) return 'removed';
      const [refused] = await driver.read(whyNot({ tenant, id: userId }));
      return refused === undefined ? 'gone' : refused.reason === 'owner' ? 'owner' : 'operator';
    },
  };
}
