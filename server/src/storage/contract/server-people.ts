/**
 * The part of the storage contract about servers that are for the people on a list only.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../store.ts';
import {
  approve,
  code,
  connect,
  count,
  countEvents,
  device,
  files,
  freshTenant,
  grant,
  happened,
  NOW,
  type Nodes,
  parked,
  pushed,
  settle,
  times,
} from './fixtures.ts';

const alice = { serverId: 'srv_files', userId: 'usr_alice' };
const bob = { serverId: 'srv_files', userId: 'usr_bob' };
const about = { userId: 'usr_alice', serverId: 'srv_files' };
const added = () => happened('server.person_added', NOW, about);
const removed = () => happened('server.person_removed', NOW, about);

export function serverPeopleContract(nodes: () => Nodes): void {
  describe('people of a server', () => {
    test('[AZ-37] a server is for everybody until its list counts, then for those on it, and an unknown one is for nobody', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.addServerPerson(bob, added());
      assert.deepEqual([await store.mayUseServer(alice), await store.mayUseServer(bob)], [true, true]);

      await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));

      assert.deepEqual([await store.mayUseServer(alice), await store.mayUseServer(bob)], [false, true]);
      assert.equal(await store.mayUseServer({ ...bob, serverId: 'srv_none' }), false);
      assert.equal((await store.findServer('srv_files'))?.people, 'listed');
    });

    test('of parallel additions exactly one adds, and nobody is added who is not there', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);

      const outcomes = await times(6, (index) => (index % 2 ? one : two).addServerPerson(alice, added()));

      assert.equal(count(outcomes, true), 1);
      assert.equal(await countEvents(one, 'server.person_added'), 1);
      for (const nobody of [
        { ...alice, userId: 'usr_none' },
        { ...alice, serverId: 'srv_none' },
      ])
        assert.equal(await one.addServerPerson(nobody, added()), false);
      assert.deepEqual(
        (await one.listServerPeople('srv_files')).map(({ id }) => id),
        ['usr_alice'],
      );
    });

    test('[AZ-37] whom a list does not name loses what they allowed when it begins to count', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);

      await store.updateServer({ ...files, name: 'Renamed' }, happened('server.updated'));
      assert.equal((await store.listGrants({ userId: 'usr_alice' }, NOW)).length, 1);
      await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));

      assert.equal((await store.listGrants({ userId: 'usr_alice' }, NOW)).length, 0);
      assert.equal((await store.findGrant('grant_1'))?.revokedReason, 'not_on_the_list');
    });

    test('[AZ-37] whoever is taken off a list that counts loses what they allowed there, and of a list that does not count nothing', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.addServerPerson(alice, added());

      assert.equal(await store.removeServerPerson(alice, removed()), true);
      assert.equal((await store.listGrants({ userId: 'usr_alice' }, NOW)).length, 1);
      await store.addServerPerson(alice, added());
      await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));
      assert.equal((await store.listGrants({ userId: 'usr_alice' }, NOW)).length, 1);

      assert.equal(await store.removeServerPerson(alice, removed()), true);
      assert.equal(await store.removeServerPerson(alice, removed()), false);
      assert.equal((await store.listGrants({ userId: 'usr_alice' }, NOW)).length, 0);
      assert.equal(await countEvents(store, 'server.person_removed'), 2);
    });

    test('[AZ-37] whoever is not on the list, or not any more, allows nothing there, and the request stays open', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.addServerPerson(bob, added());
      await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));
      await store.parkRequest(parked);
      await store.pushRequest(pushed);
      await store.addDeviceCode(device);
      const yes = { idHash: 'request-1', answer: 'sealed answer', grant, code, now: NOW, pushedHash: pushed.referenceHash };
      const yesToDevice = { codeHash: device.codeHash, grant: { ...grant, id: 'grant_device' }, authTime: NOW, now: NOW };

      assert.equal(await store.approveRequest(yes, happened('grant.approved')), 'answered');
      assert.equal(await store.approveDevice(yesToDevice, happened('grant.approved')), 'answered');
      assert.deepEqual([await store.listGrants({}, NOW), await countEvents(store, 'grant.approved')], [[], 0]);
      await store.addServerPerson(alice, added());
      assert.equal(await store.approveRequest(yes, happened('grant.approved')), 'approved');
      assert.equal(await store.approveDevice(yesToDevice, happened('grant.approved')), 'approved');
    });

    test('[AZ-37] whoever is not on the list has no grant there on the word of an issuer either', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));
      await store.addIssuer(
        { issuer: 'https://idp.example', kind: 'identity', provisioning: 'linked', once: true, createdAt: NOW },
        happened('issuer.trusted'),
      );
      const asserted = { issuer: 'https://idp.example', grant: { ...grant, userId: 'usr_alice', expiresAt: NOW + 60 } };

      assert.equal(await store.ensureIssuerGrant(asserted, happened('grant.asserted')), undefined);
      assert.deepEqual([await store.listGrants({}, NOW), await countEvents(store, 'grant.asserted')], [[], 0]);
      await store.addServerPerson(alice, added());
      assert.deepEqual(await store.ensureIssuerGrant(asserted, happened('grant.asserted')), { id: grant.id });
    });

    test('[AZ-37] of a yes for several servers only what the person may use is allowed', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.updateServer({ ...files, people: 'listed' }, happened('server.updated'));
      await store.parkRequest(parked);
      const first = { ...grant, serverId: 'srv_notes', resource: 'https://notes.example', approvedWith: 'grant_1' };
      const companions = [{ grant: { ...grant, id: 'grant_2', approvedWith: 'grant_1' }, event: happened('grant.approved') }];
      const yes = { idHash: 'request-1', answer: 'sealed answer', grant: first, companions, code, now: NOW };

      assert.equal(await store.approveRequest(yes, happened('grant.approved')), 'approved');
      assert.deepEqual(
        (await store.listGrants({}, NOW)).map(({ id }) => id),
        ['grant_1'],
      );
      assert.equal(await countEvents(store, 'grant.approved'), 1);
    });

    const closings: Record<string, (store: Store) => Promise<unknown>> = {
      'a list that loses its person': (store) => store.removeServerPerson(alice, removed()),
      'a list that begins to count': (store) => store.updateServer({ ...files, people: 'listed' }, happened('server.updated')),
      'the end of the server': (store) => store.removeServer('srv_files', happened('server.removed')),
    };
    for (const [what, close] of Object.entries(closings)) {
      test(`[AZ-37] of a yes and ${what} in one moment, the yes comes first and its grant ends, or it is too late`, async () => {
        const [one, two] = freshTenant(nodes());
        await settle(one);
        await two.listGrants({}, NOW);
        for (let round = 0; round < 30; round++) {
          const [idHash, id] = [`request-${round}`, `grant_${round}`];
          await one.addServer(files, happened('server.added'));
          const listed = what === 'a list that loses its person';
          await one.updateServer({ ...files, people: listed ? 'listed' : undefined }, happened('server.updated'));
          if (listed) await one.addServerPerson(alice, added());
          await one.parkRequest({ ...parked, idHash });
          const yes = { idHash, answer: 'a', grant: { ...grant, id }, code: { ...code, codeHash: `code-${round}`, grantId: id }, now: NOW };
          await Promise.all([one.approveRequest(yes, happened('grant.approved')), close(two)]);
          assert.deepEqual(await one.listGrants({}, NOW), []);
        }
      });
    }

    test('[AZ-37] of a list that begins to count and loses a person in one moment, that person loses what they allowed', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await two.listGrants({}, NOW);
      for (let round = 0; round < 30; round++) {
        await one.updateServer(files, happened('server.updated'));
        await one.addServerPerson(alice, added());
        await approve(one, `of round ${round}`);
        await Promise.all([one.updateServer({ ...files, people: 'listed' }, happened('server.updated')), two.removeServerPerson(alice, removed())]);
        assert.deepEqual(await one.listGrants({}, NOW), []);
      }
    });

    test('a server that is removed takes its list with it', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.addServerPerson(alice, added());

      await store.removeServer('srv_files', happened('server.removed'));

      assert.deepEqual(await store.listServerPeople('srv_files'), []);
    });
  });
}
