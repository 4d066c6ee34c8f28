/**
 * The part of the storage contract about servers that are for the people on a list only.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connect, count, countEvents, files, freshTenant, happened, NOW, type Nodes, times } from './fixtures.ts';

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

    test('a server that is removed takes its list with it', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.addServerPerson(alice, added());

      await store.removeServer('srv_files', happened('server.removed'));

      assert.deepEqual(await store.listServerPeople('srv_files'), []);
    });
  });
}
