/**
 * The part of the storage contract about another e-mail address: by a link, once, and only to an address that is nobody else's.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OneTimeLink, Store } from '../store.ts';
import { bob, count, countEvents, freshTenant, happened, NOW, type Nodes, settle, times } from './fixtures.ts';

const link: OneTimeLink = {
  id: 'lnk_e',
  purpose: 'email',
  tokenHash: 'token e',
  userId: 'usr_alice',
  email: 'Al@new.example',
  createdAt: NOW,
  expiresAt: NOW + 3600,
};
const wanted = { userId: 'usr_alice', email: 'Al@new.example', linkId: 'lnk_e' };
const changed = (at = NOW + 1) => happened('user.email_changed', at, { userId: 'usr_alice' });

async function asked(store: Store, changes: Partial<OneTimeLink> = {}): Promise<void> {
  await settle(store);
  await store.addLink({ ...link, ...changes }, { replaces: true }, happened('user.email_change_asked'));
}

export function emailsContract(nodes: () => Nodes): void {
  describe('another e-mail address', () => {
    test('of many who use a link one changes the address, which is a login from then on, and other links end', async () => {
      const [one, two] = freshTenant(nodes());
      await asked(one);
      const reset = { ...link, id: 'lnk_r', purpose: 'reset' as const, tokenHash: 'token r', email: undefined };
      await one.addLink(reset, { replaces: false }, happened('user.reset_link_created'));

      const outcomes = await times(8, (index) => (index % 2 ? one : two).changeEmail(wanted, changed()));

      assert.equal(count(outcomes, 'changed'), 1);
      assert.equal(await countEvents(one, 'user.email_changed'), 1);
      assert.equal((await one.findUserByLogin('AL@NEW.example'))?.user.email, 'Al@new.example');
      assert.equal((await two.findUser('usr_alice'))?.emailProvenAt, NOW + 1);
      assert.equal(await one.findUserByLogin('alice@example.com'), undefined);
      assert.equal(await one.findLink('token r', NOW + 1), undefined);
    });

    test('nobody gets an address or name of somebody else, and the link stays open', async () => {
      const [one] = freshTenant(nodes());
      for (const email of ['carol@example.com', 'Bob']) {
        const [store] = freshTenant(nodes());
        await asked(store, { email });
        await store.addUser({ ...bob, id: 'usr_carol', username: 'carol', email: 'Carol@example.com' }, happened('user.added'));
        assert.equal(await store.changeEmail({ ...wanted, email }, changed()), 'taken', email);
        assert.equal((await store.findUser('usr_alice'))?.email, 'Alice@Example.com');
        assert.ok(await store.findLink('token e', NOW + 1));
        assert.equal(await store.changeEmail({ userId: 'usr_alice', email }, changed()), 'taken');
        assert.equal(await countEvents(store, 'user.email_changed'), 0);
      }
      await asked(one, { email: 'ALICE@example.com' });
      assert.equal(await one.changeEmail({ ...wanted, email: 'ALICE@example.com' }, changed()), 'changed');
    });

    test('a link that is too old, of another purpose, person or address changes nothing', async () => {
      const wrong: [Partial<OneTimeLink>, Partial<typeof wanted>, number][] = [
        [{}, {}, NOW + 3600],
        [{ purpose: 'reset' }, {}, NOW],
        [{ userId: 'usr_bob' }, {}, NOW],
        [{ email: 'other@new.example' }, {}, NOW],
        [{}, { linkId: 'lnk_none' }, NOW],
      ];
      for (const [changes, with_, at] of wrong) {
        const [store] = freshTenant(nodes());
        await asked(store, changes);
        assert.equal(await store.changeEmail({ ...wanted, ...with_ }, changed(at)), 'gone', JSON.stringify(changes));
        assert.equal((await store.findUser('usr_alice'))?.email, 'Alice@Example.com');
      }
    });

    test('nobody knows whether mail reaches an address that came by an operator’s word, though the earlier one was proven', async () => {
      const [store] = freshTenant(nodes());
      await asked(store);
      await store.changeEmail(wanted, changed());
      assert.equal((await store.findUser('usr_alice'))?.emailProvenAt, NOW + 1);

      await store.changeEmail({ userId: 'usr_alice', email: 'word@new.example' }, changed());

      assert.equal((await store.findUser('usr_alice'))?.emailProvenAt, undefined);
    });

    test('by an operator’s word nobody needs a link; of two people who get one address at once one has it', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);

      const outcomes = await times(2, (index) =>
        (index ? one : two).changeEmail({ userId: index ? 'usr_alice' : 'usr_bob', email: 'both@new.example' }, changed()),
      );

      assert.deepEqual(outcomes.toSorted(), ['changed', 'taken']);
      assert.deepEqual(
        (await one.listUsers()).map(({ emailProvenAt }) => emailProvenAt),
        [undefined, undefined],
      );
      assert.equal(await one.changeEmail({ userId: 'usr_none', email: 'x@new.example' }, changed()), 'gone');
    });
  });
}
