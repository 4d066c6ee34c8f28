/**
 * The tests that any storage must pass. A driver's own test file calls `storageContract` once; every verb, every outcome and every race is in contract/.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessRequestsContract } from './contract/access-requests.ts';
import { accountsContract } from './contract/accounts.ts';
import { activityContract } from './contract/activity.ts';
import { auditChainContract } from './contract/audit-chain.ts';
import { companionsContract } from './contract/companions.ts';
import { consentContract } from './contract/consent.ts';
import { delegationsContract } from './contract/delegations.ts';
import { deviceContract } from './contract/device.ts';
import { emailsContract } from './contract/emails.ts';
import { NOW, type Nodes } from './contract/fixtures.ts';
import { isolationContract } from './contract/isolation.ts';
import { lapsesContract } from './contract/lapses.ts';
import { logoutContract } from './contract/logout.ts';
import { oneTimeLinksContract } from './contract/one-time-links.ts';
import { operationsContract } from './contract/operations.ts';
import { knownDevicesContract, outboxContract } from './contract/outbox.ts';
import { passkeysContract } from './contract/passkeys.ts';
import { passwordsContract } from './contract/passwords.ts';
import { pausesContract } from './contract/pauses.ts';
import { peopleContract } from './contract/people.ts';
import { registrationsContract } from './contract/registrations.ts';
import { registryContract } from './contract/registry.ts';
import { secondFactorsContract } from './contract/second-factors.ts';
import { serverPeopleContract } from './contract/server-people.ts';
import { tenantsContract } from './contract/tenants.ts';
import { tokensContract } from './contract/tokens.ts';
import { trustContract } from './contract/trust.ts';
import { upstreamsContract } from './contract/upstreams.ts';
import { webhooksContract } from './contract/webhooks.ts';
import { migrations } from './migrations/index.ts';
import type { Storage } from './store.ts';

/**
 * Runs the contract with `node:test`. `open` gives a node on one empty database, unmigrated; it is called twice, and the second node shares the database
 * with the first (or is the same node, where a database cannot have two). Both are closed at the end.
 *
 *     storageContract('SQLite in a file', async () => openStorage(openNodeSqlite(path)));
 */
export function storageContract(name: string, open: () => Promise<Storage>): void {
  describe(`${name} keeps the storage contract`, () => {
    let nodes: Nodes;
    before(async () => {
      nodes = { one: await open(), two: await open() };
    });
    after(async () => {
      await nodes.one.close();
      await nodes.two.close();
    });

    test('two nodes that start together migrate an empty database once', async () => {
      const { one, two } = nodes;
      const names = migrations.map((migration) => migration.name);
      assert.deepEqual(await one.pendingMigrations(), names);
      assert.equal(await one.fact('demo'), undefined);
      const ran = await Promise.all([one.migrate(NOW), two.migrate(NOW), one.migrate(NOW)]);

      // Each ran once, on whichever node came first.
      assert.deepEqual(ran.flat().toSorted(), names);
      assert.deepEqual([await one.pendingMigrations(), await two.pendingMigrations(), await two.migrate(NOW)], [[], [], []]);
    });

    for (const part of [
      peopleContract,
      accountsContract,
      emailsContract,
      passkeysContract,
      oneTimeLinksContract,
      passwordsContract,
      secondFactorsContract,
      logoutContract,
      registryContract,
      serverPeopleContract,
      accessRequestsContract,
      registrationsContract,
      consentContract,
      companionsContract,
      pausesContract,
      lapsesContract,
      delegationsContract,
      deviceContract,
      tokensContract,
      trustContract,
      upstreamsContract,
      operationsContract,
      auditChainContract,
      webhooksContract,
      outboxContract,
      knownDevicesContract,
      activityContract,
      isolationContract,
      tenantsContract,
    ])
      part(() => nodes);
  });
}
