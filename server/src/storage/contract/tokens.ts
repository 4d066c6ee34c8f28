/**
 * The part of the storage contract about codes and refresh families: what is redeemed once, rotated in one step, and revoked on reuse.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_CODE_FAILURES, type RotationOutcome, type Store } from '../store.ts';
import { approve, code, connect, count, countEvents, DAY, family, freshTenant, grant, happened, NOW, type Nodes, rotate, settle, times } from './fixtures.ts';

const redemption = { codeHash: 'code-1', now: NOW, redemptionId: 'redemption-1', family };

async function prepared(nodes: Nodes): Promise<[Store, Store]> {
  const stores = freshTenant(nodes);
  await settle(stores[0]);
  await approve(stores[0]);
  return stores;
}

export function tokensContract(nodes: () => Nodes): void {
  describe('authorization codes', () => {
    test('a code is found with its grant, redeemed or not', async () => {
      const [store] = await prepared(nodes());

      assert.deepEqual(await store.findCode('code-1', NOW), { code, grant, standing: true });
      assert.equal(await store.redeemCode(redemption), 'redeemed');
      assert.equal((await store.findCode('code-1', NOW))?.code.redeemedAt, NOW);
      assert.equal(await store.findCode('code-2', NOW), undefined);
    });

    test('[COD-06] [COD-07] [OPS-05] of 50 parallel redemptions of one code exactly one makes a refresh family', async () => {
      const [one, two] = await prepared(nodes());
      const outcomes = await times(50, (index) =>
        (index % 2 ? one : two).redeemCode({
          ...redemption,
          redemptionId: `redemption-${index}`,
          family: { ...family, familyId: `family-${index}`, currentHash: `rt-${index}` },
        }),
      );

      assert.deepEqual([count(outcomes, 'redeemed'), count(outcomes, 'spent')], [1, 49]);
      const families = await times(50, (index) => one.findFamily(`family-${index}`, NOW));
      assert.deepEqual(
        families.flatMap((found, index) => (found === undefined ? [] : [index])),
        [outcomes.indexOf('redeemed')],
      );
    });

    test('[COD-01] an expired or unknown code is spent, to the second', async () => {
      const [store] = await prepared(nodes());

      assert.equal(await store.redeemCode({ ...redemption, now: NOW + 60 }), 'spent');
      assert.equal(await store.redeemCode({ ...redemption, codeHash: 'none' }), 'spent');
      assert.equal(await store.findFamily('family-1', NOW), undefined);
      assert.equal(await store.redeemCode({ ...redemption, now: NOW + 59 }), 'redeemed');
    });

    test('[COD-08] a code survives four failures and dies of the fifth', async () => {
      const [one, two] = await prepared(nodes());
      await times(MAX_CODE_FAILURES - 1, (index) => (index % 2 ? one : two).failCode('code-1'));
      assert.equal((await one.findCode('code-1', NOW))?.code.failures, MAX_CODE_FAILURES - 1);
      await one.failCode('code-1');

      assert.equal(await one.redeemCode(redemption), 'spent');
      assert.equal(await one.findFamily('family-1', NOW), undefined);
    });

    test('[COD-08] a code that failed less often can still be redeemed, and failures after that count for nothing', async () => {
      const [store] = await prepared(nodes());
      await times(MAX_CODE_FAILURES - 1, () => store.failCode('code-1'));

      assert.equal(await store.redeemCode(redemption), 'redeemed');
      await store.failCode('code-1');
      assert.equal((await store.findCode('code-1', NOW))?.code.failures, MAX_CODE_FAILURES - 1);
    });

    test('[COD-06] a code whose grant was revoked, or whose person was disabled, is spent', async () => {
      const [store] = await prepared(nodes());
      await approve(store, '2');
      await store.revokeGrant('grant_1', 'person', happened('grant.revoked'));
      assert.equal(await store.redeemCode(redemption), 'spent');
      assert.equal((await store.findCode('code-1', NOW))?.standing, false);

      await store.setUserDisabled('usr_alice', true, happened('user.disabled'));
      assert.equal(await store.redeemCode({ ...redemption, codeHash: 'code-2' }), 'spent');
      assert.equal(await store.findFamily('family-1', NOW), undefined);
    });

    test('a code may be redeemed without a refresh family', async () => {
      const [store] = await prepared(nodes());

      assert.equal(await store.redeemCode({ codeHash: 'code-1', now: NOW, redemptionId: 'redemption-1' }), 'redeemed');
      assert.equal(await store.findFamily('family-1', NOW), undefined);
    });
  });

  describe('refresh families', () => {
    test('a family is found with its grant', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);

      assert.deepEqual(await store.findFamily('family-1', NOW), { family, living: true, grant, standing: true });
      assert.equal((await store.findFamily('family-1', family.idleExpiresAt - 1))?.living, true);
      assert.equal((await store.findFamily('family-1', family.idleExpiresAt))?.living, false);
      assert.equal(await store.findFamily('family-2', NOW), undefined);
    });

    test('[RT-01] a rotation makes the next token current and remembers the one before', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);

      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW + 100), { outcome: 'rotated' });
      const rotated = {
        currentHash: 'rt-1',
        previousHash: 'rt-0',
        generation: 1,
        rotatedAt: NOW + 100,
        idleExpiresAt: NOW + 100 + 30 * DAY,
      };
      assert.deepEqual((await store.findFamily('family-1', NOW))?.family, { ...family, ...rotated });
      assert.deepEqual(await rotate(store, 'rt-1', 'rt-2', NOW + 200), { outcome: 'rotated' });
    });

    test('[RT-03] [RT-09] [OPS-05] of 20 parallel rotations of one token one rotates, the rest get that same successor', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      const outcomes = await times(20, (index) => rotate(index % 2 ? one : two, 'rt-0', 'rt-1'));

      const winner = outcomes.findIndex(({ outcome }) => outcome === 'rotated');
      const others = outcomes.filter((_, index) => index !== winner);
      assert.deepEqual(others, Array<RotationOutcome>(19).fill({ outcome: 'repeated' }));
      const found = await one.findFamily('family-1', NOW + 1);
      assert.deepEqual([found?.family.currentHash, found?.family.generation, found?.standing], ['rt-1', 1, true]);
      assert.deepEqual(await rotate(two, 'rt-1', 'rt-2'), { outcome: 'rotated' });
      assert.equal(await countEvents(one, 'refresh_token.reused'), 0);
    });

    test('[RT-03] the immediate predecessor is repeated for 30 seconds and is reuse after that', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await rotate(store, 'rt-0', 'rt-1', NOW);

      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW + 30), { outcome: 'repeated' });
      assert.deepEqual(await rotate(store, 'rt-0', 'x', NOW + 30), { outcome: 'dead' });
      assert.deepEqual(await rotate(store, 'rt-0', 'y', NOW + 31), { outcome: 'reused' });
      assert.deepEqual(await rotate(store, 'rt-1', 'rt-2', NOW + 31), { outcome: 'dead' });
    });

    test('[RT-02] an older token, within grace or not, ends the family and its grant once and for all', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await rotate(one, 'rt-0', 'rt-1', NOW);
      await rotate(one, 'rt-1', 'rt-2', NOW);
      const outcomes = await times(10, (index) => rotate(index % 2 ? one : two, 'rt-0', `x-${index}`, NOW + 1));

      assert.deepEqual([outcomes.filter(({ outcome }) => outcome === 'reused').length, outcomes.filter(({ outcome }) => outcome === 'dead').length], [1, 9]);
      const found = await one.findFamily('family-1', NOW + 1);
      assert.deepEqual([found?.standing, found?.family.revokedAt, found?.family.currentHash], [false, NOW + 1, 'rt-2']);
      assert.deepEqual([found?.grant.revokedAt, found?.grant.revokedReason], [NOW + 1, 'refresh_token_reused']);
      for (const token of ['rt-2', 'rt-1', 'rt-0']) assert.deepEqual(await rotate(one, token, 'y', NOW + 2), { outcome: 'dead' });
      assert.equal(await countEvents(one, 'refresh_token.reused'), 1);
    });

    test('[RT-09] while a token is rotated, repeated and reused at once no second family appears and the end is final', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await rotate(one, 'rt-0', 'rt-1', NOW);
      const outcomes = await times(21, (index) => rotate(index % 2 ? one : two, index % 3 === 0 ? 'rt-0' : 'rt-1', `next-${index}`, NOW + 1));

      assert.ok(outcomes.filter(({ outcome }) => outcome === 'rotated').length <= 1);
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'reused').length, await countEvents(one, 'refresh_token.reused'));
      const found = await one.findFamily('family-1', NOW + 1);
      assert.equal(found?.standing, found?.family.revokedAt === undefined);
    });

    test('[RT-09] a rotation and a revocation at once leave nothing that rotates', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await Promise.all([...['a', 'b', 'c'].map((next) => rotate(two, 'rt-0', next)), one.revokeGrant('grant_1', 'person', happened('grant.revoked'))]);

      for (const token of ['rt-0', 'a', 'b', 'c']) assert.deepEqual(await rotate(one, token, 'later'), { outcome: 'dead' });
    });

    test('[RT-07] a family ends when idle too long, and at its absolute end however busy', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      const idleEnd = NOW + 30 * DAY;

      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', idleEnd), { outcome: 'dead' });
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', idleEnd - 1, { idleExpiresAt: NOW + 900 * DAY }), { outcome: 'rotated' });
      assert.equal((await store.findFamily('family-1', NOW))?.family.idleExpiresAt, family.expiresAt);
      assert.deepEqual(await rotate(store, 'rt-1', 'rt-2', family.expiresAt), { outcome: 'dead' });
      assert.deepEqual(await rotate(store, 'rt-1', 'rt-2', family.expiresAt - 1), { outcome: 'rotated' });
      assert.equal(await countEvents(store, 'refresh_token.reused'), 0);
    });

    test('an unknown family is dead', async () => {
      const [store] = freshTenant(nodes());

      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1'), { outcome: 'dead' });
    });
  });
}
