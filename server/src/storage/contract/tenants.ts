/**
 * The part of the storage contract about tenants as a whole: added once, changed, removed with every row, their names not given away too soon.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditEvent, type EventType } from '../../audit/event.ts';
import { randomWord } from '../../crypto/random.ts';
import { ROOT_TENANT, type Storage } from '../store.ts';
import { count, DAY, NOW, type Nodes, times } from './fixtures.ts';
import { furnish } from './isolation.ts';

const slug = () =>
  `t${randomWord(12)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '0')}`;
const told = (type: EventType, tenant: string, at = NOW) => auditEvent(type, at, 'cli', { detail: { tenant } });

async function recorded(storage: Storage, type: EventType, tenant: string): Promise<number> {
  const events = await storage.forTenant(ROOT_TENANT).listEvents({ type, limit: 1000 });
  return events.filter(({ detail }) => detail?.tenant === tenant).length;
}

async function swept(storage: Storage, now: number): Promise<void> {
  while ((await storage.sweep(now, 500)) > 0);
}

export function tenantsContract(nodes: () => Nodes): void {
  describe('tenants as a whole', () => {
    test('a tenant is added once, whichever nodes try, and each change leaves one event in the root tenant', async () => {
      const { one, two } = nodes();
      const tenant = slug();
      const outcomes = await times(4, (index) =>
        (index % 2 ? one : two).addTenant({ tenant, name: 'Acme', createdAt: NOW, settings: '{"serviceName":"Acme"}' }, told('tenant.added', tenant)),
      );

      assert.equal(count(outcomes, 'added'), 1);
      assert.equal(count(outcomes, 'taken'), 3);
      assert.deepEqual(await two.findTenant(tenant), { tenant, name: 'Acme', createdAt: NOW, settings: '{"serviceName":"Acme"}' });
      assert.equal(await one.changeTenant({ tenant, name: 'Acme Ltd' }, told('tenant.changed', tenant)), true);
      assert.deepEqual(await two.findTenant(tenant), { tenant, name: 'Acme Ltd', createdAt: NOW });
      assert.equal(await one.changeTenant({ tenant: `${tenant}x`, name: 'n' }, told('tenant.changed', tenant)), false);
      assert.deepEqual([await recorded(two, 'tenant.added', tenant), await recorded(two, 'tenant.changed', tenant)], [1, 1]);
    });

    // That no table is forgotten is proven with rows in every one (tenants.test.ts).
    test('a removed tenant is unknown at once, and every row of it goes while others keep theirs', async () => {
      const { one, two } = nodes();
      const [leaves, stays] = [slug(), slug()];
      for (const tenant of [leaves, stays]) {
        await one.addTenant({ tenant, name: tenant, createdAt: NOW });
        await furnish(one.forTenant(tenant));
      }
      const before = await two.countRowsOf(stays);
      assert.deepEqual(Object.keys(before).toSorted(), Object.keys(await two.countRowsOf(leaves)).toSorted());

      const outcomes = await times(4, (index) => (index % 2 ? one : two).removeTenant(leaves, told('tenant.removed', leaves)));

      assert.equal(count(outcomes, true), 1);
      assert.deepEqual([await two.hasTenant(leaves), await two.findTenant(leaves)], [false, undefined]);
      assert.ok(!(await two.listTenants()).some(({ tenant }) => tenant === leaves));
      assert.equal(await one.changeTenant({ tenant: leaves, name: 'n' }, told('tenant.changed', leaves)), false);
      await Promise.all([swept(one, NOW), swept(two, NOW)]);
      assert.deepEqual(await two.countRowsOf(leaves), {});
      assert.deepEqual(await two.countRowsOf(stays), before);
      assert.equal(await recorded(one, 'tenant.removed', leaves), 1);
    });

    test('the name of a removed tenant is free after a day, and what a late node wrote meanwhile is gone', async () => {
      const { one, two } = nodes();
      const tenant = slug();
      await one.addTenant({ tenant, name: 'first', createdAt: NOW });
      await one.removeTenant(tenant, told('tenant.removed', tenant));
      await swept(one, NOW + 60);
      await two.forTenant(tenant).recordEvent(told('user.added', tenant));

      assert.equal(await one.addTenant({ tenant, name: 'second', createdAt: NOW + 60 }, told('tenant.added', tenant)), 'resting');
      await swept(one, NOW + DAY - 1);
      assert.equal(await one.addTenant({ tenant, name: 'second', createdAt: NOW + DAY }), 'resting');
      await two.forTenant(tenant).recordEvent(told('user.added', tenant));
      // The first round finds something, so the name rests until a round finds nothing.
      await one.sweep(NOW + DAY, 500);
      assert.equal(await one.addTenant({ tenant, name: 'second', createdAt: NOW + DAY }), 'resting');
      await swept(one, NOW + DAY);

      assert.equal(await two.addTenant({ tenant, name: 'second', createdAt: NOW + DAY }, told('tenant.added', tenant)), 'added');
      assert.deepEqual(await one.findTenant(tenant), { tenant, name: 'second', createdAt: NOW + DAY });
      assert.deepEqual([await one.countRowsOf(tenant), await recorded(one, 'tenant.added', tenant)], [{}, 1]);
    });

    test('the root tenant cannot be removed, nor one that nobody added', async () => {
      const { one } = nodes();
      for (const tenant of [ROOT_TENANT, slug()]) {
        assert.equal(await one.removeTenant(tenant, told('tenant.removed', tenant)), false);
        assert.equal(await recorded(one, 'tenant.removed', tenant), 0);
      }
    });
  });
}
