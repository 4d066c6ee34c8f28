/**
 * The part of the storage contract about access that ends by itself: which grants are over and why, and that each ends, and is told of, once.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  approve,
  client,
  connect,
  count,
  countEvents,
  DAY,
  family,
  files,
  freshTenant,
  happened,
  machineGrant,
  NOW,
  type Nodes,
  redeem,
  settle,
  times,
} from './fixtures.ts';
import { mail } from './outbox.ts';

const idleEnd = family.idleExpiresAt;

export function lapsesContract(nodes: () => Nodes): void {
  describe('access that ends by itself', () => {
    test('[RT-07] living grants of people whose family is over are listed, those that ended first first, with their person and their times', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      for (const suffix of ['1', '2', '3', '4']) await approve(store, suffix, suffix === '4' ? { clientId: 'client_4' } : {});
      await redeem(store, '1', { idleExpiresAt: idleEnd - 1, rotatedAt: NOW + 5 });
      await redeem(store, '2');
      await redeem(store, '3', { idleExpiresAt: family.expiresAt });
      await redeem(store, '4');
      await store.ensureMachineGrant(machineGrant, happened('grant.machine_approved'));
      const over = async (now: number, since = 0) =>
        (await store.listOverGrants({ since, now, limit: 10, lifetime: 90 * DAY })).map(({ id, staysConnected }) => [id, staysConnected]);

      assert.deepEqual(await over(idleEnd - 2), []);
      assert.deepEqual(await over(idleEnd - 1), [['grant_1', true]]);
      // Grant 3 is of the agent of 1 and 2 and lives on; 4 is all that its agent has.
      assert.deepEqual(await over(idleEnd), [
        ['grant_1', true],
        ['grant_2', true],
        ['grant_4', false],
      ]);
      assert.deepEqual(
        (await over(idleEnd, idleEnd)).map(([id]) => id),
        ['grant_2', 'grant_4'],
      );
      const [{ user, serverName, rotatedAt, idleExpiresAt, familyExpiresAt } = assert.fail()] = await store.listOverGrants({
        since: 0,
        now: idleEnd,
        limit: 1,
        lifetime: 90 * DAY,
      });
      assert.deepEqual(
        { user, serverName, rotatedAt, idleExpiresAt, familyExpiresAt },
        {
          user: { id: 'usr_alice', email: 'Alice@Example.com' },
          serverName: 'Files',
          rotatedAt: NOW + 5,
          idleExpiresAt: idleEnd - 1,
          familyExpiresAt: family.expiresAt,
        },
      );
    });

    test('[CON-07] what no family came of ends when it is as old as a family can be, but for what speaks for a server', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.addClient({ ...client, id: 'speaker', serverId: files.id }, happened('client.registered'));
      await approve(store, '1', { createdAt: NOW });
      await approve(store, '2', { createdAt: NOW + 5 });
      await approve(store, '3', { createdAt: NOW, clientId: 'speaker' });
      await approve(store, '4', { createdAt: NOW, clientId: 'client_4', expiresAt: NOW + 100 * DAY });
      await approve(store, '5', { createdAt: NOW, clientId: 'client_5' });
      await redeem(store, '5', { idleExpiresAt: NOW + 95 * DAY, expiresAt: NOW + 95 * DAY });
      const over = async (now: number, since = 0) =>
        (await store.listOverGrants({ since, now, limit: 10, lifetime: 90 * DAY })).map(({ id, staysConnected }) => [id, staysConnected]);

      assert.deepEqual(await over(NOW + 90 * DAY - 1), []);
      assert.deepEqual(await over(NOW + 90 * DAY), [['grant_1', true]]);
      assert.deepEqual(await over(NOW + 90 * DAY, NOW + 90 * DAY), [['grant_1', true]]);
      assert.deepEqual(await over(NOW + 91 * DAY, NOW + 90 * DAY + 1).then((listed) => listed.map(([id]) => id)), ['grant_2']);
      assert.equal(await store.lapseGrant('grant_1', 'longest', happened('grant.lapsed', NOW + 90 * DAY)), true);
      assert.deepEqual(await over(NOW + 90 * DAY + 5), [['grant_2', false]]);
    });

    test('of grants of one agent that ended together, one is the last', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      for (const suffix of ['1', '2', '3']) {
        await approve(store, suffix);
        await redeem(store, suffix);
      }

      assert.deepEqual(
        (await store.listOverGrants({ since: 0, now: idleEnd, limit: 10, lifetime: 90 * DAY })).map(({ staysConnected }) => staysConnected),
        [true, true, false],
      );
    });

    test('[RT-07] of many nodes one ends a grant, with its family, one event and one mail', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      const event = (index: number) => ({ ...happened('grant.lapsed', idleEnd, { userId: 'usr_alice' }), mail: [{ ...mail, id: `ml_${index}` }] });
      const outcomes = await times(10, (index) => (index % 2 ? one : two).lapseGrant('grant_1', 'unused', event(index)));

      assert.equal(count(outcomes, true), 1);
      const { revokedAt, revokedReason } = (await one.findGrant('grant_1')) ?? {};
      assert.deepEqual({ revokedAt, revokedReason }, { revokedAt: idleEnd, revokedReason: 'unused' });
      assert.equal((await one.findFamily('family-1', NOW))?.standing, false);
      assert.deepEqual([await countEvents(one, 'grant.lapsed'), (await one.claimMail(NOW, 20)).length], [1, 1]);
      assert.deepEqual(await one.listOverGrants({ since: 0, now: idleEnd, limit: 10, lifetime: 90 * DAY }), []);
    });

    test('[RT-07] what was used meanwhile does not end', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await approve(store);
      await redeem(store, '1', { idleExpiresAt: idleEnd + DAY });

      assert.equal(await store.lapseGrant('grant_1', 'unused', happened('grant.lapsed', idleEnd)), false);
      assert.equal((await store.findGrant('grant_1'))?.revokedAt, undefined);
      assert.equal(await countEvents(store, 'grant.lapsed'), 0);
    });
  });
}
