/**
 * The part of the storage contract about the second step of a sign-in: every code counts once, whoever brings it first.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NewSecondFactor } from '../verbs/second-factors.ts';
import { alice, bob, count, countEvents, freshTenant, happened, NOW, type Nodes, times } from './fixtures.ts';

export const secondFactor: NewSecondFactor = { userId: 'usr_alice', secretSealed: 'sealed', step: 100, recoveryHashes: ['code-1', 'code-2', 'code-3'] };

export function secondFactorsContract(nodes: () => Nodes): void {
  describe('second factors', () => {
    test('one person has one, with the codes that came with it', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      const other = { ...secondFactor, secretSealed: 'other', recoveryHashes: ['other-1'] };

      assert.equal(await store.findSecondFactor('usr_alice'), undefined);
      assert.deepEqual(
        [await store.addSecondFactor(secondFactor, happened('second_factor.added')), await store.addSecondFactor(other, happened('second_factor.added'))],
        ['added', 'taken'],
      );
      assert.deepEqual(await store.findSecondFactor('usr_alice'), { secretSealed: 'sealed', createdAt: NOW, recoveryCodesLeft: 3 });
      assert.equal(await store.useRecoveryCode({ userId: 'usr_alice', codeHash: 'other-1' }, happened('recovery_code.used')), false);
      assert.equal(await store.findSecondFactor('usr_bob'), undefined);
      assert.equal(await countEvents(store, 'second_factor.added'), 1);
    });

    test('[LOG-11] of parallel uses of a time step one counts, and no step before it does any more', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addUser(alice, happened('user.added'));
      await one.addSecondFactor(secondFactor, happened('second_factor.added'));

      const outcomes = await times(8, (index) => (index % 2 ? one : two).useTotpStep('usr_alice', 102));
      assert.equal(count(outcomes, true), 1);
      assert.deepEqual(
        [await one.useTotpStep('usr_alice', 100), await one.useTotpStep('usr_alice', 101), await one.useTotpStep('usr_alice', 103)],
        [false, false, true],
      );
      assert.equal(await one.useTotpStep('usr_bob', 500), false);
    });

    test('[LOG-11] of parallel uses of a recovery code one counts, and only for the person whose it is', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addUser(alice, happened('user.added'));
      await one.addUser(bob, happened('user.added'));
      await one.addSecondFactor(secondFactor, happened('second_factor.added'));
      await one.addSecondFactor({ ...secondFactor, userId: 'usr_bob', recoveryHashes: ['code-b'] }, happened('second_factor.added'));
      const use = (userId: string, codeHash: string) => ({ userId, codeHash });

      const outcomes = await times(8, (index) => (index % 2 ? one : two).useRecoveryCode(use('usr_alice', 'code-1'), happened('recovery_code.used')));
      assert.equal(count(outcomes, true), 1);
      assert.equal(await one.useRecoveryCode(use('usr_alice', 'code-b'), happened('recovery_code.used')), false);
      assert.equal(await one.useRecoveryCode(use('usr_bob', 'code-2'), happened('recovery_code.used')), false);
      assert.equal((await one.findSecondFactor('usr_alice'))?.recoveryCodesLeft, 2);
      assert.equal((await one.findSecondFactor('usr_bob'))?.recoveryCodesLeft, 1);
      assert.equal(await countEvents(one, 'recovery_code.used'), 1);
    });

    test('new recovery codes take the place of all earlier ones, used or not', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      const replace = () => store.replaceRecoveryCodes({ userId: 'usr_alice', codeHashes: ['new-1', 'new-2'] }, happened('recovery_codes.replaced'));
      assert.equal(await replace(), false);
      await store.addSecondFactor(secondFactor, happened('second_factor.added'));
      await store.useRecoveryCode({ userId: 'usr_alice', codeHash: 'code-1' }, happened('recovery_code.used'));

      assert.equal(await replace(), true);
      assert.equal((await store.findSecondFactor('usr_alice'))?.recoveryCodesLeft, 2);
      const use = (codeHash: string) => store.useRecoveryCode({ userId: 'usr_alice', codeHash }, happened('recovery_code.used'));
      assert.deepEqual([await use('code-2'), await use('code-1'), await use('new-1'), await use('new-1')], [false, false, true, false]);
      assert.equal(await countEvents(store, 'recovery_codes.replaced'), 1);
    });

    test('removing it takes the recovery codes along', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await store.addSecondFactor(secondFactor, happened('second_factor.added'));
      const remove = () => store.removeSecondFactor('usr_alice', happened('second_factor.removed'));

      assert.deepEqual([await remove(), await remove()], [true, false]);
      assert.equal(await store.findSecondFactor('usr_alice'), undefined);
      assert.equal(await store.useTotpStep('usr_alice', 1000), false);
      assert.equal(await store.useRecoveryCode({ userId: 'usr_alice', codeHash: 'code-1' }, happened('recovery_code.used')), false);
      assert.equal(await countEvents(store, 'second_factor.removed'), 1);
      assert.equal(await store.addSecondFactor({ ...secondFactor, recoveryHashes: ['again'] }, happened('second_factor.added')), 'added');
      assert.equal((await store.findSecondFactor('usr_alice'))?.recoveryCodesLeft, 1);
    });
  });
}
