/**
 * The part of the storage contract about registrations: clients that change or wait, and the tokens that let them register.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { approve, client, count, countEvents, DAY, freshTenant, grant, happened, NOW, type Nodes, redeem, settle, times } from './fixtures.ts';

const token = { id: 'rgt_1', tokenHash: 'hash', name: 'Partners', usesLeft: 3, createdAt: NOW, expiresAt: NOW + DAY };
const managed = { ...client, id: 'client_self', registration: 'dynamic' as const, managementHash: 'first', secretHash: 'secret', pendingSince: NOW };

export function registrationsContract(nodes: () => Nodes): void {
  describe('registrations', () => {
    test('[DCR-16] of any number of parallel registrations a token lets in as many as it has uses', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addRegistrationToken(token, happened('registration_token.created'));

      const used = await times(20, (index) => (index % 2 ? one : two).useRegistrationToken('hash', NOW + 1));

      assert.deepEqual([count(used, 'rgt_1'), count(used, undefined)], [3, 17]);
      assert.deepEqual(await one.listRegistrationTokens(), [{ ...token, usesLeft: 0 }]);
      assert.equal(await one.hasRegistrationToken('hash', NOW + 1), false);
      assert.equal(await countEvents(one, 'registration_token.created'), 1);
    });

    test('[DCR-16] a token that is unknown, over or revoked has no use, and revoking works once', async () => {
      const [store] = freshTenant(nodes());
      await store.addRegistrationToken(token, happened('registration_token.created'));

      const has = (tokenHash: string, now: number) => store.hasRegistrationToken(tokenHash, now);
      assert.deepEqual([await has('hash', NOW), await has('other', NOW), await has('hash', NOW + DAY)], [true, false, false]);
      assert.equal(await store.useRegistrationToken('other', NOW), undefined);
      assert.equal(await store.useRegistrationToken('hash', NOW + DAY), undefined);
      assert.equal(await store.revokeRegistrationToken('rgt_1', happened('registration_token.revoked', NOW + 1)), true);
      assert.equal(await store.revokeRegistrationToken('rgt_1', happened('registration_token.revoked')), false);
      assert.equal(await store.useRegistrationToken('hash', NOW), undefined);
      assert.equal(await has('hash', NOW), false);
      assert.deepEqual(await store.listRegistrationTokens(), [{ ...token, revokedAt: NOW + 1 }]);
      assert.equal(await countEvents(store, 'registration_token.revoked'), 1);
    });

    test('tokens are swept when they are over', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await store.addRegistrationToken({ ...token, expiresAt: NOW + 5 }, happened('registration_token.created'));

      await one.sweep(NOW + 4, 100);
      assert.equal((await store.listRegistrationTokens()).length, 1);
      await one.sweep(NOW + 5, 100);
      assert.deepEqual(await store.listRegistrationTokens(), []);
    });

    test('[DCM-03] of parallel replacements with one management token exactly one succeeds', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addClient(managed, happened('client.registered'));

      const outcomes = await times(10, (index) => {
        const next = { ...managed, managementHash: `next-${index}`, metadata: { ...managed.metadata, clientName: `Name ${index}` } };
        return (index % 2 ? one : two).replaceClient({ client: next, managementHash: 'first', endsGrants: false }, happened('client.replaced'));
      });

      const winner = outcomes.indexOf(true);
      assert.equal(count(outcomes, true), 1);
      const found = await one.findClient('client_self');
      assert.deepEqual([found?.metadata.clientName, found?.managementHash], [`Name ${winner}`, `next-${winner}`]);
      assert.equal(await countEvents(one, 'client.replaced'), 1);
    });

    test('[DCM-03] a replacement ends the grants of the client only when it says so', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.addClient({ ...managed, pendingSince: undefined }, happened('client.registered'));
      await approve(store, 'self', { clientId: 'client_self' });
      await redeem(store, 'self', { clientId: 'client_self' });
      await approve(store);
      const living = async () => (await store.listGrants({}, NOW)).map(({ id }) => id).toSorted();
      const { secretHash: _, ...open } = managed;
      const change = { client: { ...open, managementHash: 'second', pendingSince: NOW + 2 }, managementHash: 'first', endsGrants: false };

      assert.equal(await store.replaceClient(change, happened('client.replaced', NOW + 2)), true);
      assert.deepEqual(await living(), ['grant_1', 'grant_self']);
      assert.deepEqual(await store.findClient('client_self'), change.client);
      const again = { client: { ...open, managementHash: 'third' }, managementHash: 'second', endsGrants: true };
      assert.equal(await store.replaceClient(again, happened('client.replaced', NOW + 3)), true);
      assert.deepEqual(await living(), [grant.id]);
      assert.equal((await store.findFamily('family-self', NOW))?.family.revokedAt, NOW + 3);
    });

    test('[DCM-04] a removed client has neither secret nor management token, and is neither replaced nor approved', async () => {
      const [store] = freshTenant(nodes());
      await store.addClient(managed, happened('client.registered'));
      await store.removeClient('client_self', happened('client.removed', NOW + 1));

      const found = await store.findClient('client_self');
      assert.deepEqual([found?.removedAt, found?.secretHash, found?.managementHash], [NOW + 1, undefined, undefined]);
      assert.equal(await store.replaceClient({ client: managed, managementHash: 'first', endsGrants: false }, happened('client.replaced')), false);
      assert.equal(await store.approveClient(managed, happened('client.approved')), false);
      assert.equal(await countEvents(store, 'client.approved'), 0);
    });

    test('[DCR-16] a pending client is approved once', async () => {
      const [store] = freshTenant(nodes());
      await store.addClient(managed, happened('client.registered'));

      const other = { ...managed, metadata: { ...managed.metadata, redirectUris: ['https://evil.example/cb'] } };
      assert.equal(await store.approveClient(other, happened('client.approved')), false);
      assert.equal(await store.approveClient(managed, happened('client.approved')), true);
      assert.equal(await store.approveClient(managed, happened('client.approved')), false);
      assert.equal((await store.findClient('client_self'))?.pendingSince, undefined);
      assert.equal(await countEvents(store, 'client.approved'), 1);
    });
  });
}
