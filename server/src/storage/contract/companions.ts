/**
 * The part of the storage contract about approvals for several resources: a grant for each, one code and one refresh family for all of them.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Grant, Store } from '../store.ts';
import {
  alice,
  code,
  count,
  countEvents,
  DAY,
  device,
  family,
  files,
  freshTenant,
  grant,
  happened,
  NOW,
  type Nodes,
  notes,
  parked,
  redeem,
  rotate,
  settle,
  times,
} from './fixtures.ts';

const first: Grant = { ...grant, approvedWith: 'grant_1' };
const second: Grant = { ...grant, id: 'grant_2', serverId: notes.id, resource: notes.resource, scope: ['notes:read'], approvedWith: 'grant_1' };
const third: Grant = { ...grant, id: 'grant_3', serverId: undefined, resource: 'https://as.example', scope: [], approvedWith: 'grant_1' };
const atNotes = { approvedWith: 'grant_1', resource: notes.resource };

function approveTogether(store: Store, answer = 'sealed answer') {
  const companions = [second, third].map((each) => ({
    grant: each,
    receipt: { text: `{"of":"${each.id}"}` },
    event: happened('grant.approved', NOW, { grantId: each.id }),
  }));
  return store.approveRequest(
    { idHash: 'request-1', answer, grant: first, companions, code, now: NOW },
    happened('grant.approved', NOW, { grantId: 'grant_1' }),
  );
}

/** Alice allows the client Files, Notes and the authorization server itself in one approval, and the code is redeemed. */
export async function connectTogether(store: Store): Promise<void> {
  await settle(store);
  await store.parkRequest(parked);
  await approveTogether(store);
  await redeem(store);
}

/** What a client asks of an approval for several resources, and its end. */
export async function rotateTogether(store: Store): Promise<void> {
  await store.findCompanion(atNotes, NOW);
  await rotate(store, 'rt-0', 'rt-1', NOW, { companionId: 'grant_2' });
  await rotate(store, 'rt-0', 'rt-1', NOW + DAY, { companionId: 'grant_2' });
  await store.revokeApproval('grant_1', 'over', happened('grant.revoked'));
}

const left = async (store: Store): Promise<string[]> => (await store.listGrants({ userId: alice.id }, NOW)).map(({ id }) => id).toSorted();

export function companionsContract(nodes: () => Nodes): void {
  const connected = async (): Promise<[Store, Store]> => {
    const stores = freshTenant(nodes());
    await connectTogether(stores[0]);
    return stores;
  };

  describe('approvals for several resources', () => {
    test('[AZ-16] one approval makes a grant, a receipt and an event for each resource, and of parallel approvals one does', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await one.parkRequest(parked);

      const outcomes = await times(6, (index) => approveTogether(index % 2 ? one : two, `answer ${index}`));

      assert.deepEqual([count(outcomes, 'approved'), count(outcomes, 'answered')], [1, 5]);
      assert.deepEqual(await left(one), ['grant_1', 'grant_2', 'grant_3']);
      assert.equal(await countEvents(one, 'grant.approved'), 3);
      assert.deepEqual(await one.findGrant('grant_2'), second);
      assert.equal(await one.findReceipt('usr_alice', 'grant_2'), '{"of":"grant_2"}');
    });

    test('a device is allowed several in one act as well, and once', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.addDeviceCode(device);
      const companions = () => [{ grant: second, event: happened('grant.approved') }];
      const allow = () =>
        store.approveDevice({ codeHash: device.codeHash, grant: first, companions: companions(), authTime: NOW, now: NOW }, happened('grant.approved'));

      assert.deepEqual([await allow(), await allow()], ['approved', 'answered']);
      assert.deepEqual(await left(store), ['grant_1', 'grant_2']);
    });

    test('[TOK-07] a companion is found by its resource while it lives, paused or not, the first among them', async () => {
      const [, store] = await connected();

      assert.deepEqual(await store.findCompanion(atNotes, NOW), { grant: second, standing: true });
      assert.deepEqual((await store.findCompanion({ ...atNotes, resource: files.resource }, NOW))?.grant, first);
      assert.equal(await store.findCompanion({ ...atNotes, resource: 'https://other.example' }, NOW), undefined);
      assert.equal(await store.findCompanion({ ...atNotes, approvedWith: 'grant_2' }, NOW), undefined);

      await store.pauseAgent('usr_alice', 'grant_2', happened('grant.paused'));
      assert.equal((await store.findCompanion(atNotes, NOW))?.paused, true);
      await store.revokeGrant('grant_2', 'over', happened('grant.revoked'));
      assert.equal(await store.findCompanion(atNotes, NOW), undefined);
    });

    test('[RT-06] the family turns for whichever of its grants stands, and for no grant of another approval', async () => {
      const [store] = await connected();
      await store.addServer({ ...files, id: 'srv_c', resource: 'https://c.example' }, happened('server.added'));
      await store.parkRequest({ ...parked, idHash: 'request-9' });
      const alone = { ...grant, id: 'grant_9', resource: 'https://c.example' };
      await store.approveRequest(
        { idHash: 'request-9', answer: 'a', grant: alone, code: { ...code, codeHash: 'code-9', grantId: 'grant_9' }, now: NOW },
        happened('grant.approved'),
      );

      assert.deepEqual(await rotate(store, 'rt-0', 'rt-x', NOW, { companionId: 'grant_9' }), { outcome: 'dead' });
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW, { companionId: 'grant_2' }), { outcome: 'rotated' });
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW + 1), { outcome: 'repeated' });

      await store.pauseAgent('usr_alice', 'grant_1', happened('grant.paused'));
      assert.deepEqual(await rotate(store, 'rt-1', 'rt-2', NOW + 2), { outcome: 'paused' });
      assert.deepEqual(await rotate(store, 'rt-1', 'rt-2', NOW + 2, { companionId: 'grant_2' }), { outcome: 'rotated' });
      await store.pauseAgent('usr_alice', 'grant_2', happened('grant.paused'));
      assert.deepEqual(await rotate(store, 'rt-2', 'rt-3', NOW + 3, { companionId: 'grant_2' }), { outcome: 'paused' });
    });

    test('the end of one resource, the first too, leaves the others and their family; the last end ends it', async () => {
      for (const end of [
        (store: Store, id: string) => store.revokeGrant(id, 'over', happened('grant.revoked')),
        (store: Store, id: string) => store.disconnectAgent('usr_alice', id, 'over', happened('grant.revoked')),
      ]) {
        const [store] = await connected();
        await end(store, 'grant_1');
        await end(store, 'grant_3');

        assert.deepEqual(await left(store), ['grant_2']);
        assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW), { outcome: 'dead' });
        assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW, { companionId: 'grant_2' }), { outcome: 'rotated' });

        await end(store, 'grant_2');
        assert.equal((await store.findFamily('family-1', NOW))?.family.revokedAt, NOW);
      }
    });

    test('a server that goes takes access to itself and nothing else', async () => {
      const [store] = await connected();

      await store.removeServer(files.id, happened('server.removed'));
      assert.deepEqual(await left(store), ['grant_2', 'grant_3']);
      assert.deepEqual(await rotate(store, 'rt-0', 'rt-1', NOW, { companionId: 'grant_2' }), { outcome: 'rotated' });

      await store.disconnectAll('usr_alice', 'over', happened('grant.revoked'));
      assert.deepEqual(await left(store), []);
      assert.equal((await store.findFamily('family-1', NOW))?.family.revokedAt, NOW);
    });

    test('[RT-02] a reused token ends all that was approved together, also after the first has ended', async () => {
      for (const gone of [[], ['grant_1']]) {
        const [store] = await connected();
        await rotate(store, 'rt-0', 'rt-1', NOW);
        for (const id of gone) await store.revokeGrant(id, 'over', happened('grant.revoked'));

        assert.deepEqual(await rotate(store, 'rt-0', 'rt-x', NOW + 31, { companionId: 'grant_2' }), { outcome: 'reused' });

        assert.deepEqual(await left(store), []);
        assert.deepEqual(await rotate(store, 'rt-1', 'rt-2', NOW + 32, { companionId: 'grant_2' }), { outcome: 'dead' });
        assert.equal(await countEvents(store, 'refresh_token.reused'), 1);
      }
    });

    test('[COD-06] an approval ends as a whole, once', async () => {
      const [one, two] = await connected();

      const ended = await times(4, (index) => (index % 2 ? one : two).revokeApproval('grant_1', 'code_replayed', happened('code.replayed')));

      assert.equal(count(ended, true), 1);
      assert.deepEqual(await left(one), []);
      assert.deepEqual(await rotate(one, 'rt-0', 'rt-1', NOW, { companionId: 'grant_2' }), { outcome: 'dead' });
      assert.equal(await countEvents(one, 'code.replayed'), 1);
    });

    test('every resource is shown with the end of the family, and all lapse with it', async () => {
      const [store] = await connected();

      assert.deepEqual(
        (await store.listAgents('usr_alice', NOW)).map(({ familyExpiresAt }) => familyExpiresAt),
        [1, 2, 3].map(() => family.idleExpiresAt),
      );
      await nodes().one.sweep(family.idleExpiresAt, 100);
      const over = await store.listOverGrants({ since: 0, now: family.idleExpiresAt, limit: 10, lifetime: 90 * DAY });
      assert.deepEqual(over.map(({ id }) => id).toSorted(), ['grant_1', 'grant_2', 'grant_3']);
      for (const { id } of over) assert.equal(await store.lapseGrant(id, 'unused', happened('grant.lapsed', family.idleExpiresAt)), true);

      assert.deepEqual(await left(store), []);
    });
  });
}
