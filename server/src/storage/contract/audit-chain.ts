/**
 * The part of the storage contract about the chain of audit events: places are given once and in order whoever gives them, retention moves the beginning, pages miss
 * nothing. What is in a hash: audit/chain.ts; what the database refuses: audit/append-only.test.ts.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuditEvent } from '../../audit/event.ts';
import type { Store } from '../store.ts';
import { alice, count, freshTenant, happened, NOW, type Nodes, times } from './fixtures.ts';

/** Events with the places that follow `from`. */
export function sealing(from: number, events: readonly AuditEvent[]): Parameters<Store['sealEvents']>[0] {
  const placed = events.map((event, index) => {
    const seq = from + index;
    return { ...event, seq, hash: `hash-${seq}`, privateHash: `private-${seq}`, salt: `salt-${seq}` };
  });
  const last = from + events.length - 1;
  return {
    was: from === 1 ? '' : `mac-${from - 1}`,
    after: from - 1,
    end: { seq: last, hash: `hash-${last}`, mac: `mac-${last}`, sealedAt: NOW },
    events: placed,
  };
}

const event = (id: string, at = NOW, about: Partial<AuditEvent> = {}): AuditEvent => ({ ...happened('user.signed_in'), id, at, ...about });

async function recorded(store: Store, ...events: AuditEvent[]): Promise<void> {
  for (const one of events) await store.recordEvent(one);
}

export function auditChainContract(nodes: () => Nodes): void {
  describe('the chain of audit events', () => {
    test('[OPS-01] events are sealed once, in the order of time, and stand in the order of the chain', async () => {
      const [one, two] = freshTenant(nodes());
      await recorded(one, event('b', NOW + 1), event('a', NOW), event('c', NOW + 1, { address: '192.0.2.1', detail: { scope: ['x'], n: 1 } }));
      const waiting = await two.listUnsealed(10);

      assert.deepEqual(
        waiting.map(({ id }) => id),
        ['a', 'b', 'c'],
      );
      assert.equal(await one.findChain(), undefined);
      assert.equal(await two.sealEvents(sealing(1, waiting)), true);
      assert.deepEqual(await one.listUnsealed(10), []);
      assert.deepEqual(await one.findChain(), { seq: 3, hash: 'hash-3', mac: 'mac-3', sealedAt: NOW, anchorSeq: 0, anchorHash: '' });
      assert.deepEqual(await one.listSealed(2, 10), [sealing(1, waiting).events[2]]);
      assert.deepEqual(
        (await one.listSealed(0, 2)).map(({ seq, id }) => [seq, id]),
        [
          [1, 'a'],
          [2, 'b'],
        ],
      );
    });

    test('[OPS-01] of nodes that seal at once one does, and the others change nothing', async () => {
      const [one, two] = freshTenant(nodes());
      await recorded(one, event('a'), event('b'));
      const waiting = await one.listUnsealed(10);
      const outcomes = await times(8, (index) => {
        const mine = sealing(1, waiting);
        const end = { ...mine.end, hash: `end of ${index}` };
        return (index % 2 ? one : two).sealEvents({ ...mine, end, events: mine.events.map((each) => ({ ...each, salt: `salt of ${index}` })) });
      });

      assert.equal(count(outcomes, true), 1);
      const winner = outcomes.indexOf(true);
      assert.equal((await one.findChain())?.hash, `end of ${winner}`);
      assert.deepEqual(
        (await two.listSealed(0, 10)).map(({ salt }) => salt),
        [`salt of ${winner}`, `salt of ${winner}`],
      );
    });

    test('[OPS-01] who is forgotten before their event is sealed leaves no salt behind', async () => {
      const [store] = freshTenant(nodes());
      await store.addUser(alice, happened('user.added'));
      await recorded(store, event('a', NOW, { userId: alice.id, address: '192.0.2.1' }));
      const waiting = (await store.listUnsealed(10)).filter(({ id }) => id === 'a');
      assert.equal(await store.removeUser(alice.id, { ...happened('user.removed'), userId: alice.id }), 'removed');

      assert.equal(await store.sealEvents(sealing(1, waiting)), true);
      const [left] = await store.listSealed(0, 1);
      assert.deepEqual([left?.privateHash, left?.salt, left?.address], ['private-1', undefined, undefined]);
    });

    test('[OPS-01] retention moves the beginning of the chain, once, with its event', async () => {
      const [one, two] = freshTenant(nodes());
      await recorded(one, event('a'), event('b', NOW + 1), event('c', NOW + 2), event('unsealed', NOW - 9));
      await one.sealEvents(
        sealing(
          1,
          (await one.listUnsealed(10)).filter(({ id }) => id !== 'unsealed'),
        ),
      );
      const outcomes = await times(4, (index) =>
        (index % 2 ? one : two).retireEvents(
          { was: 'mac-3', after: 0, anchor: { seq: 2, hash: 'hash-2' }, mac: `mac-3 of ${index}` },
          happened('audit.retired'),
        ),
      );

      assert.equal(count(outcomes, true), 1);
      assert.deepEqual(
        (await one.listSealed(0, 10)).map(({ id }) => id),
        ['c'],
      );
      assert.equal((await two.listEvents({ type: 'audit.retired', limit: 10 })).length, 1);
      assert.ok((await two.listUnsealed(10)).some(({ id }) => id === 'unsealed'));
      const mac = `mac-3 of ${outcomes.indexOf(true)}`;
      assert.deepEqual(await two.findChain(), { seq: 3, hash: 'hash-3', mac, sealedAt: NOW, anchorSeq: 2, anchorHash: 'hash-2' });
      assert.equal(await one.sealEvents(sealing(4, await one.listUnsealed(1))), false, 'who did not see where it begins now does not say where it ends');
      assert.equal(await one.sealEvents({ ...sealing(4, await one.listUnsealed(1)), was: mac }), true);
    });

    test('pages of events miss none and repeat none, and every filter narrows them', async () => {
      const [store] = freshTenant(nodes());
      const about = { userId: 'usr_1', clientId: 'client_1' };
      await recorded(store, event('c'), event('a'), event('b', NOW, about), event('d', NOW + 5, { ...about, type: 'grant.approved', clientId: 'client_2' }));
      await store.sealEvents(sealing(1, (await store.listUnsealed(1)).slice(0, 1)));
      const ids = async (page: Omit<Parameters<Store['pageEvents']>[0], 'limit'>) => (await store.pageEvents({ ...page, limit: 2 })).map(({ id }) => id);

      assert.deepEqual(await ids({}), ['a', 'b']);
      assert.deepEqual(await ids({ after: { at: NOW, id: 'b' } }), ['c', 'd']);
      assert.deepEqual(await ids({ userId: 'usr_1' }), ['b', 'd']);
      assert.deepEqual(await ids({ userId: 'usr_1', clientId: 'client_2' }), ['d']);
      assert.deepEqual(await ids({ clientId: 'client_1' }), ['b']);
      assert.deepEqual(await ids({ type: 'grant.approved' }), ['d']);
      assert.deepEqual(await ids({ since: NOW + 1 }), ['d']);
      assert.deepEqual(await ids({ before: NOW + 5, after: { at: NOW, id: 'b' } }), ['c']);
      assert.deepEqual(
        (await store.listEvents({ since: NOW, before: NOW + 1, clientId: 'client_1', limit: 9 })).map(({ id }) => id),
        ['b'],
      );
      assert.deepEqual((await store.pageEvents({ limit: 1 }))[0]?.hash, 'hash-1');
    });
  });
}
