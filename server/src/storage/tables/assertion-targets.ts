/**
 * The servers elsewhere for which a client may ask us for an identity assertion: for whom, for which resource, as which client there, with which scopes.
 */
import { type Driver, part, sql } from '../driver.ts';
import { json, text } from '../row.ts';
import type { AssertionTarget, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';

type TargetRow = {
  tenant: string;
  clientId: string;
  audience: string;
  resource: string;
  clientIdThere: string;
  scope: string;
  createdAt: number;
  mark: string;
};
const add = sql<TargetRow>`insert into assertion_targets (tenant, client_id, audience, resource, client_id_there, scope, created_at, last_event)
  values (${'tenant'}, ${'clientId'}, ${'audience'}, ${'resource'}, ${'clientIdThere'}, ${'scope'}, ${'createdAt'}, ${'mark'}) on conflict do nothing`;
const list = sql<{ tenant: string; clientId: string }>`select client_id, audience, resource, client_id_there, scope from assertion_targets
  where tenant = ${'tenant'} and client_id = ${'clientId'} order by audience, resource`;
type Going = { tenant: string; clientId: string; audience: string; resource: string; mark: string };
const which = part<'tenant' | 'clientId' | 'audience' | 'resource'>`tenant = ${'tenant'} and client_id = ${'clientId'} and audience = ${'audience'}
  and resource = ${'resource'}`;
const markTarget = sql<Going>`update assertion_targets set last_event = ${'mark'} where ${which}`;
const remove = sql<Going>`delete from assertion_targets where ${which} and last_event = ${'mark'}`;
const eventIfTarget = eventIf('assertion_targets', 'client_id');

export function assertionTargetsTable(driver: Driver, tenant: string): Pick<Store, 'addAssertionTarget' | 'listAssertionTargets' | 'removeAssertionTarget'> {
  return {
    async addAssertionTarget(target, event) {
      const row = { tenant, ...target, scope: JSON.stringify(target.scope), createdAt: event.at, mark: event.id };
      const [added] = await driver.write([add(row), eventIfTarget(tenant, target.clientId, event)]);
      return added?.changes === 1;
    },
    async listAssertionTargets(clientId) {
      const rows = await driver.read(list({ tenant, clientId }));
      return rows.map(
        (row): AssertionTarget => ({
          clientId: text(row.client_id),
          audience: text(row.audience),
          resource: text(row.resource),
          clientIdThere: text(row.client_id_there),
          scope: json<string[]>(row.scope),
        }),
      );
    },
    async removeAssertionTarget({ clientId, audience, resource }, event) {
      const going = { tenant, clientId, audience, resource, mark: event.id };
      const [marked] = await driver.write([markTarget(going), eventIfTarget(tenant, clientId, event), remove(going)]);
      return marked?.changes === 1;
    },
  };
}
