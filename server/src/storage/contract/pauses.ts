/**
 * The part of the storage contract about stopping agents: pause and resume by the person, holds of operators, and taking a part back.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Hold, Store } from '../store.ts';
import {
  approve,
  code,
  connect,
  count,
  countEvents,
  DAY,
  device,
  freshTenant,
  grant,
  happened,
  machineGrant,
  NOW,
  type Nodes,
  parked,
  redeem,
  rotate,
  settle,
  times,
} from './fixtures.ts';

const agent = { userId: 'usr_alice', clientId: 'client_1', resource: 'https://files.example' };
const stands = async (store: Store, grantId = 'grant_1', now = NOW) => (await store.standing({ grantId, jti: 'j', now }))?.active;
const alicePaused = { userId: 'usr_alice', grantId: 'grant_1' };
const byClient: Hold = { id: 'inc_1', clientId: 'client_1', createdAt: NOW };

export function pausesContract(nodes: () => Nodes): void {
  describe('pauses', () => {
    test('[ACC-01] a paused agent stands nowhere, keeps its refresh family, and goes on where it was when it is resumed', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);

      assert.equal(await one.pauseAgent('usr_alice', 'grant_1', happened('grant.paused', NOW, alicePaused)), true);
      assert.equal(await stands(two), false);
      assert.equal((await two.standingForKey({ keyHash: 'key-hash', grantId: 'grant_1', jti: 'j', now: NOW }))?.grant?.active, false);
      const family = await two.findFamily('family-1', NOW);
      assert.deepEqual([family?.standing, family?.paused, family?.grant.pausedAt, family?.family.revokedAt], [false, true, NOW, undefined]);
      assert.deepEqual(await rotate(two, 'rt-0', 'rt-1', NOW + 1), { outcome: 'paused' });
      assert.deepEqual(await rotate(two, 'a stranger to this family', 'rt-1', NOW + 1), { outcome: 'paused' });
      assert.deepEqual(await one.agentPause(agent, NOW), { by: 'agent', grantId: 'grant_1' });

      assert.equal(await two.resumeAgent('usr_alice', 'grant_1', happened('grant.resumed', NOW, alicePaused)), true);
      assert.equal(await stands(one), true);
      assert.equal(await one.agentPause(agent, NOW), undefined);
      assert.deepEqual(await rotate(one, 'rt-0', 'rt-1', NOW + 2), { outcome: 'rotated' });
      assert.deepEqual([await countEvents(one, 'grant.paused'), await countEvents(one, 'grant.resumed')], [1, 1]);
    });

    test('[ACC-01] of parallel pauses one happens, to every grant of the agent and to nobody else', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await approve(one, '2');
      await approve(one, '3', { resource: 'https://other.example', serverId: undefined });
      await approve(one, '4', { clientId: 'client_2' });
      await approve(one, '5', { userId: 'usr_bob' });

      assert.equal(await one.pauseAgent('usr_bob', 'grant_1', happened('grant.paused')), false);
      const outcomes = await times(6, (index) => (index % 2 ? one : two).pauseAgent('usr_alice', index % 2 ? 'grant_1' : 'grant_2', happened('grant.paused')));

      assert.equal(count(outcomes, true), 1);
      const standing = await Promise.all(['1', '2', '3', '4', '5'].map((id) => stands(two, `grant_${id}`)));
      assert.deepEqual(standing, [false, false, true, true, true]);
      assert.equal(await countEvents(one, 'grant.paused'), 1);
      assert.equal(await two.resumeAgent('usr_bob', 'grant_1', happened('grant.resumed')), false);
      assert.equal(await stands(one), false);
    });

    test('[ACC-01] codes and devices of a paused grant wait for its return, and are neither spent nor lost', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await approve(store);
      await store.addDeviceCode(device);
      await store.approveDevice({ codeHash: 'device-1', grant: { ...grant, id: 'grant_d' }, authTime: NOW, now: NOW }, happened('grant.approved'));
      await store.pauseAgent('usr_alice', 'grant_1', happened('grant.paused'));
      const redeemCode = () => store.redeemCode({ codeHash: 'code-1', now: NOW, redemptionId: 'r' });
      const redeemDevice = () => store.redeemDevice({ codeHash: 'device-1', now: NOW, redemptionId: 'r' });

      assert.deepEqual([(await store.findCode('code-1', NOW))?.paused, (await store.findDevice('device-1', NOW))?.paused], [true, true]);
      assert.deepEqual([await redeemCode(), await redeemDevice()], ['spent', 'spent']);
      await store.resumeAgent('usr_alice', 'grant_1', happened('grant.resumed'));
      assert.deepEqual([await redeemCode(), await redeemDevice()], ['redeemed', 'redeemed']);
    });

    test('[ACC-01] what is granted to a paused agent is born paused; after it was disconnected it is not', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.pauseAgent('usr_alice', 'grant_1', happened('grant.paused', NOW));
      await approve(store, '2');
      const issuer = 'https://idp.example';
      await store.addIssuer({ issuer, kind: 'identity', once: true, createdAt: NOW }, happened('issuer.trusted'));
      const asserted = { issuer, grant: { ...grant, id: 'grant_i', userId: 'usr_alice', expiresAt: NOW + 60 } };

      assert.equal((await store.findGrant('grant_2'))?.pausedAt, NOW);
      assert.deepEqual(await store.ensureIssuerGrant(asserted, happened('grant.asserted')), { id: 'grant_i', paused: true });
      await store.disconnectAgent('usr_alice', 'grant_1', 'person', happened('grant.revoked'));
      await approve(store, '3');
      assert.equal(await stands(store, 'grant_3'), true);
    });

    test('[ACC-01] pausing all stops what acts for this person, now and from then on, and resuming leaves single pauses alone', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await approve(one, '2', { clientId: 'client_2' });
      await approve(one, '5', { userId: 'usr_bob' });
      await one.pauseAgent('usr_alice', 'grant_2', happened('grant.paused'));
      const outcomes = await times(4, (index) => (index % 2 ? one : two).pauseAllAgents('usr_alice', happened('grant.paused', NOW, { userId: 'usr_alice' })));
      await approve(one, '3', { clientId: 'client_3' });

      assert.equal(count(outcomes, true), 1);
      assert.equal((await two.findUser('usr_alice'))?.agentsPausedAt, NOW);
      assert.deepEqual(await Promise.all(['1', '2', '3', '5'].map((id) => stands(two, `grant_${id}`))), [false, false, false, true]);
      assert.deepEqual(await two.agentPause({ ...agent, clientId: 'client_9' }, NOW), { by: 'all' });
      assert.deepEqual(await rotate(two, 'rt-0', 'rt-1', NOW), { outcome: 'paused' });

      assert.equal(await two.resumeAllAgents('usr_alice', happened('grant.resumed')), true);
      assert.equal(await two.resumeAllAgents('usr_alice', happened('grant.resumed')), false);
      assert.deepEqual(await Promise.all(['1', '2', '3', '5'].map((id) => stands(one, `grant_${id}`))), [true, false, true, true]);
    });

    test('[CON-07] disconnecting everything ends every grant of the person with its family, and nobody else’s', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await approve(store, '2', { clientId: 'client_2' });
      await approve(store, '5', { userId: 'usr_bob' });

      assert.equal(await store.disconnectAll('usr_alice', 'person', happened('grant.revoked', NOW + 1, { userId: 'usr_alice' })), 2);
      assert.equal(await store.disconnectAll('usr_alice', 'person', happened('grant.revoked', NOW + 1)), 0);
      assert.equal((await store.findFamily('family-1', NOW + 1))?.family.revokedAt, NOW + 1);
      assert.deepEqual(await Promise.all(['1', '2', '5'].map((id) => stands(store, `grant_${id}`))), [false, false, true]);
    });
  });

  describe('reducing', () => {
    const reduce = (store: Store, remove: string[], expiresAt?: number) =>
      store.reduceAgent({ userId: 'usr_alice', grantId: 'grant_1', remove, expiresAt }, happened('grant.reduced', NOW));

    test('[ACC-02] scopes that were taken back are gone from every grant of the agent, and introspection knows which they were', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await approve(one, '1', { scope: ['files:read', 'files:write', 'files:delete'] });
      await redeem(one);
      await approve(one, '2', { scope: ['files:read', 'files:write'] });
      await approve(one, '3', { scope: ['files:write'], clientId: 'client_2' });
      await approve(one, '5', { scope: ['files:write'], userId: 'usr_bob' });

      assert.equal(await one.reduceAgent({ userId: 'usr_bob', grantId: 'grant_1', remove: ['files:read'] }, happened('grant.reduced')), false);
      await times(4, (index) => reduce(index % 2 ? one : two, index % 2 ? ['files:write'] : ['files:delete', 'never']));
      const scopes = await Promise.all(['1', '2', '3', '5'].map(async (id) => (await two.findGrant(`grant_${id}`))?.scope));

      assert.deepEqual(scopes, [['files:read'], ['files:read'], ['files:write'], ['files:write']]);
      const standing = await two.standing({ grantId: 'grant_1', jti: 'j', now: NOW });
      assert.deepEqual([standing?.active, standing?.removedScope?.toSorted()], [true, ['files:delete', 'files:write']]);
      assert.deepEqual((await two.standingForKey({ keyHash: 'key-hash', grantId: 'grant_2', jti: 'j', now: NOW }))?.grant?.removedScope, ['files:write']);
      assert.deepEqual((await one.standing({ grantId: 'grant_3', jti: 'j', now: NOW }))?.removedScope, undefined);
      assert.equal(await reduce(one, ['files:write']), false);
      assert.deepEqual(
        (await one.allowedScopes(agent, NOW)).map(({ name }) => name),
        ['files:read'],
      );
    });

    test('[ACC-02] access is shortened and never prolonged', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);

      assert.equal(await reduce(store, [], NOW + DAY), true);
      assert.equal(await reduce(store, [], NOW + 2 * DAY), false);
      assert.equal((await store.findGrant('grant_1'))?.expiresAt, NOW + DAY);
      assert.equal(await stands(store, 'grant_1', NOW + DAY), false);
      assert.equal(await countEvents(store, 'grant.reduced'), 1);
    });

    test('[ACC-02] an assertion does not bring back what the person has taken', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      const issuer = 'https://idp.example';
      await store.addIssuer({ issuer, kind: 'identity', once: true, createdAt: NOW }, happened('issuer.trusted'));
      const asserted = { issuer, grant: { ...grant, id: 'grant_1', userId: 'usr_alice', scope: ['a', 'b'], expiresAt: NOW + 60 } };
      await store.ensureIssuerGrant(asserted, happened('grant.asserted'));
      await reduce(store, ['b']);

      assert.deepEqual(await store.ensureIssuerGrant(asserted, happened('grant.asserted')), { id: 'grant_1', removedScope: ['b'] });
      assert.deepEqual((await store.findGrant('grant_1'))?.scope, ['a']);
    });
  });

  describe('holds', () => {
    test('[ACC-01] a hold stops what it describes until it is lifted, and each person finds it among their events', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await approve(one, '2', { userId: 'usr_bob' });
      await approve(one, '4', { clientId: 'client_2' });

      assert.equal(await one.placeHold(byClient, happened('grant.paused')), 2);
      assert.deepEqual(await Promise.all(['1', '2', '4'].map((id) => stands(two, `grant_${id}`))), [false, false, true]);
      assert.deepEqual(await two.agentPause(agent, NOW), { by: 'hold' });
      assert.deepEqual(await two.listHolds(NOW), [{ ...byClient, grants: 2 }]);
      assert.equal((await two.listEvents({ userId: 'usr_bob', type: 'grant.paused', limit: 9 }))[0]?.grantId, 'grant_2');

      const lifted = await times(4, (index) => (index % 2 ? one : two).liftHold('inc_1', happened('grant.resumed')));
      assert.deepEqual([count(lifted, 2), count(lifted, undefined)], [1, 3]);
      assert.deepEqual(await Promise.all(['1', '2', '4'].map((id) => stands(two, `grant_${id}`))), [true, true, true]);
      assert.deepEqual([await one.listHolds(NOW), await countEvents(one, 'grant.resumed')], [[], 2]);
      assert.deepEqual(await rotate(one, 'rt-0', 'rt-1', NOW), { outcome: 'rotated' });
    });

    test('[ACC-01] what is granted under an open hold is born held, of people and of machines', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.placeHold({ id: 'inc_r', resource: 'https://files.example', createdAt: NOW }, happened('grant.paused'));
      await store.parkRequest(parked);
      await store.approveRequest({ idHash: 'request-1', answer: 'a', grant, code, now: NOW }, happened('grant.approved'));

      assert.equal((await store.findGrant('grant_1'))?.holdId, 'inc_r');
      const machine = await store.ensureMachineGrant(machineGrant, happened('grant.machine_approved'));
      assert.deepEqual([machine.id, machine.paused], ['grant_m', true]);
      await store.liftHold('inc_r', happened('grant.resumed'));
      assert.equal((await store.ensureMachineGrant(machineGrant, happened('grant.machine_approved'))).paused, undefined);
      assert.equal(await stands(store), true);
    });

    test('[ACC-01] a hold that is lifted leaves what another one describes, and what the person paused', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await approve(store, '2', { resource: 'https://other.example', serverId: undefined });
      await store.pauseAgent('usr_alice', 'grant_1', happened('grant.paused'));
      await store.placeHold(byClient, happened('grant.paused'));
      assert.equal(await store.placeHold({ id: 'inc_2', userId: 'usr_alice', resource: 'https://other.example', createdAt: NOW }, happened('grant.paused')), 0);

      assert.equal(await store.liftHold('inc_1', happened('grant.resumed')), 1);
      assert.deepEqual([await stands(store, 'grant_1'), await stands(store, 'grant_2')], [false, false]);
      assert.equal(await store.liftHold('inc_2', happened('grant.resumed')), 1);
      assert.deepEqual([await stands(store, 'grant_1'), await stands(store, 'grant_2')], [false, true]);
    });

    test('a hold without a description stops everything of the tenant', async () => {
      const [store] = freshTenant(nodes());
      const [, other] = freshTenant(nodes());
      await connect(store);
      await connect(other);
      await store.ensureMachineGrant(machineGrant, happened('grant.machine_approved'));

      assert.equal(await store.placeHold({ id: 'inc_all', createdAt: NOW }, happened('grant.paused')), 2);
      assert.deepEqual([await stands(store), await stands(other)], [false, true]);
    });
  });

  describe('receipts', () => {
    test('[ACC-03] a receipt is kept with its grant, for its person, also after the grant has ended', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.parkRequest(parked);
      const receipt = { text: '{"v":2}', address: '192.0.2.1', userAgent: 'Firefox' };
      await store.approveRequest({ idHash: 'request-1', answer: 'a', grant, code, now: NOW, receipt }, happened('grant.approved'));
      await store.parkRequest({ ...parked, idHash: 'late' });
      const late = { idHash: 'request-1', answer: 'a', grant: { ...grant, id: 'grant_late' }, code: { ...code, codeHash: 'late' }, now: NOW, receipt };
      await store.approveRequest(late, happened('grant.approved'));

      assert.deepEqual((await store.listAgents('usr_alice', NOW))[0]?.from, { address: '192.0.2.1', userAgent: 'Firefox' });
      await store.revokeGrant('grant_1', 'person', happened('grant.revoked'));
      assert.equal(await store.findReceipt('usr_alice', 'grant_1'), '{"v":2}');
      assert.equal(await store.findReceipt('usr_bob', 'grant_1'), undefined);
      assert.equal(await store.findReceipt('usr_alice', 'grant_late'), undefined);
    });

    test('[ACC-03] a grant older than the table of receipts has its receipt in its own row', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);

      assert.equal(await store.findReceipt('usr_alice', 'grant_1'), grant.receipt);
    });
  });
}
