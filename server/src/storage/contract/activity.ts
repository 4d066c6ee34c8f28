/**
 * The part of the storage contract about what agents did: notes add up in their row, belong to the person of their grant, and end.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ActivityNote, Store } from '../store.ts';
import { ACTIVITY_SLOT_SECONDS, MAX_ACTIVITY_ROWS } from '../verbs/activity.ts';
import { approve, connect, DAY, files, freshTenant, happened, machineGrant, NOW, type Nodes, times } from './fixtures.ts';

export const note: ActivityNote = {
  grantId: 'grant_1',
  slot: NOW,
  action: 'read_file',
  outcome: 'allowed',
  missing: [],
  times: 1,
  firstAt: NOW,
  lastAt: NOW,
  expiresAt: NOW + 30 * DAY,
};
export const activityQuestion = { userId: 'usr_alice', since: 0, before: NOW + 99 * DAY, limit: 1000 };
const agent = { userId: 'usr_alice', clientId: 'client_1', resource: files.resource };
const refused: ActivityNote = { ...note, action: 'create_file', outcome: 'refused', missing: ['files:write'] };

const listed = (store: Store, more: object = {}) => store.listActivity({ ...activityQuestion, ...more });
const actions = async (store: Store, more: object = {}) => (await listed(store, more)).map(({ action }) => action);

export function activityContract(nodes: () => Nodes): void {
  describe('activity', () => {
    test('what happens in one slot under one name adds up, also from two nodes at once', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);

      await times(10, (index) =>
        (index % 2 ? one : two).recordActivity([{ ...note, times: 2, firstAt: NOW + index, lastAt: NOW + index }, refused, { ...note, grantId: 'grant_none' }]),
      );

      assert.deepEqual(await listed(one), [
        { ...rowOf(note), times: 20, firstAt: NOW, lastAt: NOW + 9 },
        { ...rowOf(refused), times: 10 },
      ]);
    });

    test('rows are found by time, agent, server and result, newest first; those of a machine are nobody’s', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await approve(store, '2', { clientId: 'client_2', resource: 'https://notes.example', serverId: 'srv_notes' });
      await store.ensureMachineGrant(machineGrant, happened('grant.machine_approved'));
      const later = { slot: NOW + ACTIVITY_SLOT_SECONDS, firstAt: NOW + 700, lastAt: NOW + 700 };
      await store.recordActivity([note, { ...refused, ...later }, { ...note, ...later, action: 'add_note', grantId: 'grant_2', lastAt: NOW + 701 }]);
      await store.recordActivity([{ ...note, grantId: 'grant_m', action: 'sync' }]);

      assert.deepEqual(await actions(store), ['add_note', 'create_file', 'read_file']);
      assert.deepEqual(await actions(store, { limit: 1 }), ['add_note']);
      assert.deepEqual(await actions(store, { since: NOW + 1, before: NOW + 701 }), ['create_file']);
      assert.deepEqual(await actions(store, { clientId: 'client_1' }), ['create_file', 'read_file']);
      assert.deepEqual(await actions(store, { resource: 'https://notes.example' }), ['add_note']);
      assert.deepEqual(await actions(store, { outcome: 'refused' }), ['create_file']);
      assert.deepEqual(await actions(store, { userId: 'usr_bob' }), []);
      const counts = await store.countActivity('usr_alice', NOW + 1);
      assert.deepEqual(
        counts.toSorted((a, b) => (a.clientId < b.clientId ? -1 : 1)),
        [
          { clientId: 'client_1', resource: files.resource, actions: 1, refused: 1 },
          { clientId: 'client_2', resource: 'https://notes.example', actions: 1, refused: 0 },
        ],
      );
    });

    test('the last refusal is that of the agent, for want of a scope, and not too old', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      const expired = { ...refused, action: 'delete_file', missing: [], lastAt: NOW + 9 };
      await store.recordActivity([refused, { ...refused, action: 'move_file', lastAt: NOW + 5 }, expired, { ...note, lastAt: NOW + 8 }]);

      assert.deepEqual(await store.lastRefusal(agent, NOW), { action: 'move_file', missing: ['files:write'], at: NOW + 5 });
      assert.equal(await store.lastRefusal(agent, NOW + 6), undefined);
      assert.equal(await store.lastRefusal({ ...agent, clientId: 'client_2' }, NOW), undefined);
    });

    test('a grant has so many rows a day, and rows end', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      const many = Array.from({ length: MAX_ACTIVITY_ROWS + 20 }, (_, index) => ({ ...note, action: `action ${index}` }));

      await store.recordActivity(many);
      assert.equal((await listed(store)).length, MAX_ACTIVITY_ROWS);
      await store.recordActivity([{ ...note, action: 'tomorrow', slot: NOW + DAY, lastAt: NOW + DAY, expiresAt: NOW + 31 * DAY }]);
      assert.equal((await actions(store)).at(0), 'tomorrow');
      while ((await nodes().one.sweep(NOW + 30 * DAY, 1000)) > 0);
      assert.deepEqual(await actions(store), ['tomorrow']);
    });
  });
}

function rowOf({ slot: _slot, expiresAt: _end, ...row }: ActivityNote) {
  return { ...row, clientId: 'client_1', resource: files.resource, serverName: files.name };
}
