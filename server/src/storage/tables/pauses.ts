/**
 * Stopping agents without ending what was allowed, and taking a part of it back. A pause is a column that grants.ts asks wherever a grant must stand, so it costs no
 * statement anywhere. The refresh family stays as it is and is good again when the grant is resumed; only its clock goes on.
 */
import type { AuditEvent } from '../../audit/event.ts';
import { type Driver, part, type Row, type Statement, sql } from '../driver.ts';
import { json, optionalJson, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { AgentPause, Hold, Store } from '../store.ts';
import { eventForEachGrant, eventIf } from './audit-events.ts';
import { endGrantsOf, eventIfAnyOfUser, grantLasts, grantLives, holdOnAgent } from './grants.ts';

type Act = { tenant: string; userId: string; grantId: string; now: number; mark: string };

/** The living grants of this person for the client of the named grant on its resource. */
const ofAgent = part<'tenant' | 'userId' | 'grantId'>`tenant = ${'tenant'} and user_id = ${'userId'} and revoked_at is null
  and (client_id, resource) = (select client_id, resource from grants where tenant = ${'tenant'} and id = ${'grantId'} and user_id = ${'userId'})`;
const pause = sql<Act>`update grants set paused_at = ${'now'}, last_event = ${'mark'} where ${ofAgent} and paused_at is null`;
const resume = sql<Omit<Act, 'now'>>`update grants set paused_at = null, last_event = ${'mark'} where ${ofAgent} and paused_at is not null`;

type Switch = { tenant: string; userId: string; now: number; mark: string };
const pauseAll = sql<Switch>`update users set agents_paused_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'userId'} and agents_paused_at is null`;
const resumeAll = sql<Omit<Switch, 'now'>>`update users set agents_paused_at = null, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'userId'} and agents_paused_at is not null`;
const markUser = sql<Omit<Switch, 'now'>>`update users set last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'userId'}`;
const eventIfUser = eventIf('users', 'id');
const endGrants = endGrantsOf('users', 'user_id');

type Question = { tenant: string; userId: string; clientId: string; resource: string; now: number };
const pauseOf = sql<Question>`select u.agents_paused_at as all_paused, (${holdOnAgent}) as hold, (select g.id from grants g where g.tenant = u.tenant
    and g.user_id = u.id and g.client_id = ${'clientId'} and g.resource = ${'resource'} and g.paused_at is not null and ${grantLasts}
    order by g.created_at desc, g.id desc limit 1) as paused_grant
  from users u where u.tenant = ${'tenant'} and u.id = ${'userId'}`;

const reducible = sql<Pick<Act, 'tenant' | 'userId' | 'grantId' | 'now'>>`select g.id, g.scope, g.removed_scope, g.expires_at from grants g
  where ${ofAgent} and ${grantLasts} order by g.created_at, g.id`;
type Reduced = { tenant: string; id: string; was: string; scope: string; removed: string | null; expiresAt: number | null; mark: string };
/** Only shorter: whatever was set meanwhile, the earlier end wins. */
const reduce = sql<Reduced>`update grants set scope = ${'scope'}, removed_scope = ${'removed'}, last_event = ${'mark'},
    expires_at = case when cast(${'expiresAt'} as bigint) is null or expires_at < ${'expiresAt'} then expires_at else ${'expiresAt'} end
  where tenant = ${'tenant'} and id = ${'id'} and scope = ${'was'} and revoked_at is null`;
/** Two racers can make each other look again only by succeeding, so a handful of rounds is plenty. */
const ROUNDS = 20;

type HoldRow = { tenant: string; id: string; userId: string | null; clientId: string | null; resource: string | null; createdAt: number; mark: string };
const addHold = sql<HoldRow>`insert into holds (tenant, id, user_id, client_id, resource, created_at, last_event)
  values (${'tenant'}, ${'id'}, ${'userId'}, ${'clientId'}, ${'resource'}, ${'createdAt'}, ${'mark'})`;
const stop = sql<
  HoldRow & { now: number }
>`update grants as g set hold_id = ${'id'}, last_event = ${'mark'} where tenant = ${'tenant'} and hold_id is null and ${grantLasts} and (cast(${'userId'} as text) is null or user_id = ${'userId'})
  and (cast(${'clientId'} as text) is null or client_id = ${'clientId'}) and (cast(${'resource'} as text) is null or resource = ${'resource'})
  and exists (select 1 from holds h where h.tenant = ${'tenant'} and h.id = ${'id'} and h.lifted_at is null and h.last_event = ${'mark'})`;
/** Whoever lifts it meanwhile waits until what it describes is stopped, and then releases that, too. */
const markHold = sql<HoldRow>`update holds set last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'} and lifted_at is null`;
type Lift = { tenant: string; id: string; now: number; mark: string };
const liftOnce = sql<Lift>`update holds set lifted_at = ${'now'}, last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'} and lifted_at is null`;
/** What another open hold describes goes over to it. */
const release = sql<Omit<Lift, 'now'>>`update grants set last_event = ${'mark'}, hold_id = (select h.id from holds h where h.tenant = grants.tenant
    and h.lifted_at is null and (h.user_id is null or h.user_id = grants.user_id) and (h.client_id is null or h.client_id = grants.client_id)
    and (h.resource is null or h.resource = grants.resource) order by h.created_at, h.id limit 1)
  where tenant = ${'tenant'} and hold_id = ${'id'}
  and exists (select 1 from holds where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})
  returning hold_id`;
const openHolds = sql<{ tenant: string; now: number }>`select h.id as id, h.user_id as user_id, h.client_id as client_id, h.resource as resource,
    h.created_at as created_at, (select count(*) from grants g where g.tenant = h.tenant and g.hold_id = h.id and ${grantLives}) as grants
  from holds h where h.tenant = ${'tenant'} and h.lifted_at is null order by h.created_at, h.id`;

type Verbs =
  | 'pauseAgent'
  | 'resumeAgent'
  | 'pauseAllAgents'
  | 'resumeAllAgents'
  | 'agentPause'
  | 'reduceAgent'
  | 'disconnectAll'
  | 'placeHold'
  | 'enforceHold'
  | 'liftHold'
  | 'listHolds';

export function pausesTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  const changesAny = async (statements: Statement[]): Promise<boolean> => ((await driver.write(statements))[0]?.changes ?? 0) > 0;
  const stopAll = async (first: (row: HoldRow) => Statement, hold: Hold, event: AuditEvent): Promise<number> => {
    const { id, userId = null, clientId = null, resource = null, createdAt } = hold;
    const row = { tenant, id, userId, clientId, resource, createdAt, mark: event.id };
    const [, stopped] = await driver.write([first(row), stop({ ...row, now: event.at }), eventForEachGrant(tenant, event)], { unhurried: true });
    return stopped?.changes ?? 0;
  };
  return {
    pauseAgent: (userId, grantId, event) =>
      changesAny([pause({ tenant, userId, grantId, now: event.at, mark: event.id }), eventIfAnyOfUser(tenant, userId, event)]),
    resumeAgent: (userId, grantId, event) => changesAny([resume({ tenant, userId, grantId, mark: event.id }), eventIfAnyOfUser(tenant, userId, event)]),
    pauseAllAgents: (userId, event) => changesAny([pauseAll({ tenant, userId, now: event.at, mark: event.id }), eventIfUser(tenant, userId, event)]),
    resumeAllAgents: (userId, event) => changesAny([resumeAll({ tenant, userId, mark: event.id }), eventIfUser(tenant, userId, event)]),
    async agentPause(agent, now) {
      const [row] = await driver.read(pauseOf({ tenant, ...agent, now }));
      return row && pauseFrom(row);
    },
    async reduceAgent({ userId, grantId, remove, expiresAt }, event) {
      let taken = false;
      for (let round = 0; round < ROUNDS; round++) {
        const rows = await driver.read(reducible({ tenant, userId, grantId, now: event.at }));
        const changes = rows.flatMap((row) => reductionOf(row, { remove, expiresAt }) ?? []);
        if (changes.length === 0) return taken;
        const statements = changes.map((change) => reduce({ tenant, ...change, mark: event.id }));
        // The mark stays on what an earlier round has changed, so the event would be told twice.
        if (!taken) statements.push(eventIfAnyOfUser(tenant, userId, event));
        const results = await driver.write(statements);
        taken ||= results.slice(0, changes.length).some((result) => result.changes === 1);
      }
      throw new Error('The grants of an agent kept changing while they were being reduced');
    },
    async disconnectAll(userId, reason, event) {
      const mark = event.id;
      const [, grants] = await driver.write([
        markUser({ tenant, userId, mark }),
        ...endGrants({ tenant, subject: userId, now: event.at, reason, mark }),
        eventIfUser(tenant, userId, event),
      ]);
      return grants?.changes ?? 0;
    },
    async placeHold(hold, event) {
      const stopped = await stopAll(addHold, hold, event);
      // Who was approving in that moment did not see the hold, and it did not see their grant.
      return stopped + (await stopAll(markHold, hold, event));
    },
    enforceHold: (hold, event) => stopAll(markHold, hold, event),
    async liftHold(id, event) {
      const mark = event.id;
      const [lifted, released] = await driver.write(
        [liftOnce({ tenant, id, now: event.at, mark }), release({ tenant, id, mark }), eventForEachGrant(tenant, event)],
        { unhurried: true },
      );
      return lifted?.changes === 1 ? (released?.rows ?? []).filter((row) => row.hold_id === null).length : undefined;
    },
    async listHolds(now) {
      return (await driver.read(openHolds({ tenant, now }))).map((row) =>
        present({
          id: text(row.id),
          userId: optionalText(row.user_id),
          clientId: optionalText(row.client_id),
          resource: optionalText(row.resource),
          createdAt: whole(row.created_at),
          grants: whole(row.grants),
        }),
      );
    },
  };
}

function pauseFrom(row: Row): AgentPause | undefined {
  if (row.hold !== null) return { by: 'hold' };
  if (row.all_paused !== null) return { by: 'all' };
  return row.paused_grant === null ? undefined : { by: 'agent', grantId: text(row.paused_grant) };
}

/** Undefined when nothing of it is to be taken. */
function reductionOf(row: Row, { remove, expiresAt }: { remove: readonly string[]; expiresAt?: number }): Omit<Reduced, 'tenant' | 'mark'> | undefined {
  const scope = json<string[]>(row.scope);
  const taken = scope.filter((name) => remove.includes(name));
  const shorter = expiresAt !== undefined && (optionalWhole(row.expires_at) ?? Infinity) > expiresAt;
  if (taken.length === 0 && !shorter) return undefined;
  const removed = [...(optionalJson<string[]>(row.removed_scope) ?? []), ...taken];
  return {
    id: text(row.id),
    was: text(row.scope),
    scope: JSON.stringify(scope.filter((name) => !taken.includes(name))),
    removed: removed.length > 0 ? JSON.stringify(removed) : null,
    expiresAt: expiresAt ?? null,
  };
}
