/**
 * The part of the storage contract about devices that wait for their person: parking, polling, answering once, redeeming once, and counted guesses.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../store.ts';
import { count, countEvents, DAY, device, family, freshTenant, grant, happened, NOW, type Nodes, session, settle, times } from './fixtures.ts';

const poll = (store: Store, now: number, clientId = 'client_1') => store.pollDevice({ codeHash: 'device-1', clientId, now, slowerBySeconds: 5 });
const allow = (store: Store, now = NOW, id = 'grant_device') =>
  store.approveDevice(
    { codeHash: 'device-1', grant: { ...grant, id, redirectUri: undefined }, authTime: NOW - 60, amr: ['pwd'], now },
    happened('grant.approved', now),
  );
const deny = (store: Store, now = NOW) => store.denyDevice({ codeHash: 'device-1', now }, happened('grant.denied', now));
const redeem = (store: Store, redemptionId: string, now = NOW) =>
  store.redeemDevice({ codeHash: 'device-1', now, redemptionId, family: { ...family, familyId: `family-${redemptionId}`, grantId: 'grant_device' } });

/** A tenant with people, servers, a client, and its device waiting. */
async function waiting(nodes: Nodes): Promise<[Store, Store]> {
  const [one, two] = freshTenant(nodes);
  await settle(one);
  assert.equal(await one.addDeviceCode(device), 'added');
  return [one, two];
}

export function deviceContract(nodes: () => Nodes): void {
  describe('devices', () => {
    test('[DEV-03] a waiting device is found by its user code until it expires, with exactly what was stored', async () => {
      const [store] = await waiting(nodes());

      assert.deepEqual(await store.findWaitingDevice('user-code-1', NOW + 599), device);
      assert.equal(await store.findWaitingDevice('user-code-1', NOW + 600), undefined);
      assert.equal(await store.findWaitingDevice('user-code-2', NOW), undefined);
      assert.deepEqual(await store.findDevice('device-1', NOW + DAY), { device, grant: undefined, standing: false });
    });

    test('[DEV-03] a session that has ended allows nothing, and the device waits on', async () => {
      const [store] = await waiting(nodes());
      await store.startSession(session, undefined, happened('user.signed_in'));
      const yes = { codeHash: 'device-1', grant: { ...grant, id: 'grant_device' }, authTime: NOW, now: NOW };

      assert.equal(await store.approveDevice({ ...yes, sessionHash: 'another' }, happened('grant.approved')), 'answered');
      assert.deepEqual(await store.findDevice('device-1', NOW), { device, grant: undefined, standing: false });
      assert.equal(await store.approveDevice({ ...yes, sessionHash: session.idHash }, happened('grant.approved')), 'approved');
    });

    test('[DEV-03] two devices never wait under one user code', async () => {
      const [one, two] = await waiting(nodes());
      const outcomes = await times(6, (index) => (index % 2 ? one : two).addDeviceCode({ ...device, codeHash: `other-${index}`, userCodeHash: 'user-code-2' }));

      assert.deepEqual([count(outcomes, 'added'), count(outcomes, 'taken')], [1, 5]);
      assert.equal(await one.addDeviceCode({ ...device, codeHash: 'device-2' }), 'taken');
    });

    test('[DEV-02] a poll before its time makes every later interval longer, and a poll of another client counts nothing', async () => {
      const [one, two] = await waiting(nodes());

      assert.equal(await poll(one, NOW, 'client_2'), 'over');
      assert.deepEqual([await poll(one, NOW), await poll(two, NOW + 5), await poll(one, NOW + 9)], ['pending', 'pending', 'too-fast']);
      assert.deepEqual([await poll(one, NOW + 18), await poll(two, NOW + 33)], ['too-fast', 'pending']);
      assert.equal((await one.findDevice('device-1', NOW))?.device.intervalSeconds, 15);
      assert.deepEqual([await poll(one, NOW + 600), await poll(one, NOW + 601)], ['over', 'over']);
    });

    test('[DEV-02] of parallel polls one is in time', async () => {
      const [one, two] = await waiting(nodes());
      const outcomes = await times(10, (index) => poll(index % 2 ? one : two, NOW));

      assert.deepEqual([count(outcomes, 'pending'), count(outcomes, 'too-fast')], [1, 9]);
      assert.equal((await one.findDevice('device-1', NOW))?.device.intervalSeconds, 50);
    });

    test('[DEV-04] of parallel answers exactly one counts, and only it leaves a grant and an event', async () => {
      const [one, two] = await waiting(nodes());
      const outcomes = await times(10, (index): Promise<string> => (index % 2 ? allow(one, NOW, `grant_d${index}`) : deny(two)));

      const [winner] = outcomes.filter((outcome) => outcome !== 'answered');
      assert.equal(count(outcomes, 'answered'), 9);
      assert.deepEqual([await countEvents(one, 'grant.approved'), await countEvents(one, 'grant.denied')], winner === 'approved' ? [1, 0] : [0, 1]);
      assert.equal((await one.listGrants({}, NOW)).length, winner === 'approved' ? 1 : 0);
      assert.equal(await poll(one, NOW), 'over');
      assert.equal(await one.findWaitingDevice('user-code-1', NOW), undefined);
    });

    test('[DEV-02] [DEV-04] an answer after the end changes nothing', async () => {
      const [store] = await waiting(nodes());

      assert.deepEqual([await allow(store, NOW + 600), await deny(store, NOW + 600)], ['answered', 'answered']);
      assert.deepEqual(await store.listEvents({ type: 'grant.approved', limit: 5 }), []);
      assert.deepEqual(await store.listGrants({}, NOW), []);
    });

    test('[DEV-02] of 50 parallel redemptions exactly one succeeds, and only its refresh family exists', async () => {
      const [one, two] = await waiting(nodes());
      assert.equal(await redeem(one, 'early'), 'spent');
      assert.equal(await allow(one), 'approved');
      const outcomes = await times(50, (index) => redeem(index % 2 ? one : two, String(index)));

      const winner = outcomes.indexOf('redeemed');
      assert.deepEqual([count(outcomes, 'redeemed'), count(outcomes, 'spent')], [1, 49]);
      const families = await times(50, (index) => one.findFamily(`family-${index}`, NOW));
      assert.deepEqual(
        families.flatMap((found, index) => (found === undefined ? [] : [index])),
        [winner],
      );
      const found = await one.findDevice('device-1', NOW);
      assert.deepEqual(found?.device, { ...device, answeredAt: NOW, grantId: 'grant_device', authTime: NOW - 60, amr: ['pwd'], redeemedAt: NOW });
      assert.deepEqual([found?.grant?.id, found?.standing], ['grant_device', true]);
    });

    test('[DEV-02] a denied code, an expired one and one whose grant or person is gone are spent', async () => {
      const [denied] = await waiting(nodes());
      await deny(denied);
      const [late] = await waiting(nodes());
      await allow(late);
      const [revoked] = await waiting(nodes());
      await allow(revoked);
      await revoked.revokeGrant('grant_device', 'person', happened('grant.revoked'));
      const [disabled] = await waiting(nodes());
      await allow(disabled);
      await disabled.setUserDisabled('usr_alice', true, happened('user.disabled'));

      assert.deepEqual(
        await Promise.all([redeem(denied, 'r'), redeem(late, 'r', NOW + 600), redeem(revoked, 'r'), redeem(disabled, 'r')]),
        Array(4).fill('spent'),
      );
      assert.equal((await revoked.findDevice('device-1', NOW))?.standing, false);
    });

    test('sweeping keeps an expired device a while, so that it is told what happened', async () => {
      const [store] = await waiting(nodes());
      const { one } = nodes();

      await one.sweep(NOW + 1199, 100);
      assert.notEqual(await store.findDevice('device-1', NOW), undefined);
      await one.sweep(NOW + 1200, 100);
      assert.equal(await store.findDevice('device-1', NOW), undefined);
    });
  });

  describe('counted guesses', () => {
    const limit = { most: 5, windowSeconds: 600 };

    test('[DEV-03] of parallel guesses only as many as the window allows are made; the next window begins afresh', async () => {
      const [one, two] = freshTenant(nodes());
      const outcomes = await times(12, (index) => (index % 2 ? one : two).countGuess('who', limit, NOW));

      assert.equal(outcomes.filter(({ allowed }) => allowed).length, 5);
      assert.deepEqual(await one.countGuess('who', limit, NOW + 599), { allowed: false, retryAfter: 1 });
      assert.deepEqual(await one.countGuess('who', limit, NOW + 600), { allowed: true });
    });

    test('[DEV-03] a right guess is taken back, and the wrong ones stay', async () => {
      const [store] = freshTenant(nodes());
      for (let wrong = 0; wrong < 4; wrong++) await store.countGuess('who', limit, NOW);
      for (let right = 0; right < 3; right++) {
        assert.deepEqual(await store.countGuess('who', limit, NOW + 1), { allowed: true });
        await store.takeGuessBack('who');
      }

      assert.deepEqual(await store.countGuess('who', limit, NOW + 2), { allowed: true });
      assert.deepEqual(await store.countGuess('who', limit, NOW + 3), { allowed: false, retryAfter: 597 });
    });
  });
}
