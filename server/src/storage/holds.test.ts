/** Grants that are approved in the very moment a hold is placed (ACC-01): on Postgres neither sees the other. Here the grant comes back without its hold, as it would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testServer } from '../../test/harness.ts';
import { connect, countEvents, freshTenant, happened, machineGrant, NOW } from './contract/fixtures.ts';
import type { Driver, Statement } from './driver.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openStorage } from './open.ts';
import type { Hold } from './store.ts';

const hold: Hold = { id: 'inc_1', clientId: 'client_1', createdAt: NOW };
const escapes: Statement = { text: "update grants set hold_id = null, last_event = 'approved' where id = 'grant_1'", values: [] };

async function stage() {
  const driver = openNodeSqlite(':memory:');
  let afterwards: Statement | undefined;
  const watched: Driver = {
    ...driver,
    async write(statements) {
      const results = await driver.write(statements);
      if (afterwards && statements.some(({ text }) => text.startsWith('insert into holds'))) await driver.write([afterwards]);
      return results;
    },
  };
  const storage = openStorage(watched);
  await storage.migrate(NOW);
  const [store] = freshTenant({ one: storage, two: storage });
  await connect(store);
  return {
    store,
    driver,
    afterHold(statement: Statement) {
      afterwards = statement;
    },
    active: async () => (await store.standing({ grantId: 'grant_1', jti: 'j', now: NOW }))?.active,
    close: () => storage.close(),
  };
}

test('[ACC-01] a grant that is committed in the moment of the hold is stopped by it', async () => {
  const at = await stage();
  at.afterHold(escapes);
  await at.store.placeHold(hold, happened('grant.paused'));

  assert.equal(await at.active(), false);
  assert.equal(await countEvents(at.store, 'grant.paused'), 1);
  await at.close();
});

test('[ACC-01] the sweep enforces holds that were placed lately', async () => {
  const { context, store, server, clock, close } = await testServer();
  const machine = { ...machineGrant, createdAt: clock.now(), lastUsedAt: clock.now() };
  const { id: grantId } = await store.ensureMachineGrant(machine, happened('grant.machine_approved', clock.now()));
  await store.placeHold({ ...hold, clientId: machine.clientId, createdAt: clock.now() }, happened('grant.paused', clock.now()));
  const stands = async () => (await store.standing({ grantId, jti: 'j', now: clock.now() }))?.active;
  await context.options.driver.write([{ text: 'update grants set hold_id = null', values: [] }]);
  assert.equal(await stands(), true);

  await server.maintain();
  assert.equal(await stands(), false);
  await close();
});

test('[ACC-01] an open hold is enforced again without telling twice, and a lifted one stops nothing', async () => {
  const at = await stage();
  await at.store.placeHold(hold, happened('grant.paused'));
  await at.driver.write([escapes]);
  assert.equal(await at.active(), true);

  assert.deepEqual([await at.store.enforceHold(hold, happened('grant.paused')), await at.store.enforceHold(hold, happened('grant.paused'))], [1, 0]);
  assert.equal(await at.active(), false);
  assert.equal(await countEvents(at.store, 'grant.paused'), 2);
  assert.equal(await at.store.liftHold('inc_1', happened('grant.resumed')), 1);
  assert.equal(await at.store.enforceHold(hold, happened('grant.paused')), 0);
  assert.equal(await at.active(), true);
  await at.close();
});
