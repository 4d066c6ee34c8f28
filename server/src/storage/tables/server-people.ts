/**
 * Who may use an MCP server that is not for everybody. The list may be filled before it counts: that is for `people` of the server to say.
 */
import { type Driver, locking, part, type Statement, sql } from '../driver.ts';
import type { Grant } from '../store.ts';
import type { Membership, ServerPeopleVerbs } from '../verbs/server-people.ts';
import { eventIf } from './audit-events.ts';
import { endFamiliesOfUserIfMarked, endUsersGrantsOnServer } from './grants.ts';
import { userColumns, userOf } from './users.ts';

type Key = Membership & { tenant: string };
const add = sql<Key & { now: number; mark: string }>`insert into server_people (tenant, server_id, user_id, added_at, last_event)
  select s.tenant, s.id, u.id, cast(${'now'} as bigint), cast(${'mark'} as text) from servers s join users u on u.tenant = s.tenant and u.id = ${'userId'}
  where s.tenant = ${'tenant'} and s.id = ${'serverId'} on conflict do nothing`;
const mark = sql<Key & { mark: string }>`update server_people set last_event = ${'mark'}
  where tenant = ${'tenant'} and server_id = ${'serverId'} and user_id = ${'userId'}`;
const removeMarked = sql<Key & { mark: string }>`delete from server_people
  where tenant = ${'tenant'} and server_id = ${'serverId'} and user_id = ${'userId'} and last_event = ${'mark'}`;
const list = sql<{ tenant: string; serverId: string }>`select ${userColumns} from server_people p join users u on u.tenant = p.tenant and u.id = p.user_id
  where p.tenant = ${'tenant'} and p.server_id = ${'serverId'} order by u.username`;
const openTo = part<keyof Key>`from servers s where s.tenant = ${'tenant'} and s.id = ${'serverId'} and (s.people is null
  or exists (select 1 from server_people p where p.tenant = ${'tenant'} and p.server_id = ${'serverId'} and p.user_id = ${'userId'}))`;
const may = sql<Key>`select 1 as found ${openTo}`;

/** Whether the server is there and open to the person who allows something at it (AZ-37); where none is named, it is this one. */
export const mayUse = part<keyof Key>`(cast(${'serverId'} as text) is null or exists (select 1 ${openTo}))`;

/**
 * Comes before what {@link mayUse} decides: of a yes, and a list that no longer has its person, in one moment either the yes comes first, and its grant ends, or it is too
 * late.
 */
export function lockUse(driver: Driver, tenant: string, grants: readonly Grant[]): Statement[] {
  const uses = grants.flatMap(({ serverId, userId }) => (serverId === undefined || userId === undefined ? [] : [{ tenant, serverId, userId }]));
  const inOrder = uses.toSorted((a, b) => (a.serverId < b.serverId ? -1 : 1));
  return locking(driver, [...inOrder.map(lockServer), ...inOrder.map(lockListed)]);
}
const lockServer = sql<Key>`select 1 as there from servers where tenant = ${'tenant'} and id = ${'serverId'} for share`;
const lockListed = sql<Key>`select 1 as there from server_people where tenant = ${'tenant'} and server_id = ${'serverId'} and user_id = ${'userId'} for share`;
const eventIfListed = eventIf('server_people', 'user_id');

export function serverPeopleTable(driver: Driver, tenant: string): ServerPeopleVerbs {
  return {
    async addServerPerson(membership, event) {
      const [added] = await driver.write([add({ tenant, ...membership, now: event.at, mark: event.id }), eventIfListed(tenant, membership.userId, event)]);
      return added?.changes === 1;
    },
    async removeServerPerson(membership, event) {
      const key = { tenant, ...membership, mark: event.id };
      const ending = { tenant, subject: membership.userId, now: event.at, mark: event.id };
      // A list that begins to count in this moment ends what they allowed, or leaves it to this.
      const locks = locking(driver, [lockServer({ tenant, ...membership })]);
      const results = await driver.write([
        ...locks,
        mark(key),
        endUsersGrantsOnServer({ ...ending, serverId: membership.serverId, reason: 'not_on_the_list' }),
        endFamiliesOfUserIfMarked(ending),
        eventIfListed(tenant, membership.userId, event),
        removeMarked(key),
      ]);
      return results[locks.length]?.changes === 1;
    },
    async listServerPeople(serverId) {
      return (await driver.read(list({ tenant, serverId }))).map(userOf);
    },
    async mayUseServer(membership) {
      return (await driver.read(may({ tenant, ...membership }))).length > 0;
    },
  };
}
