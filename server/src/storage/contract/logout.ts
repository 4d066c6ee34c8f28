/**
 * The part of the storage contract about clients that want to hear when a browser session ends: who is due, when, and for whom to tell.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DueLogout, Store } from '../store.ts';
import { code, freshTenant, grant, happened, NOW, type Nodes, parked, session, settle, signIn, times } from './fixtures.ts';

const HOUR = 3600;

/** Alice's browser session `sid`, in which these clients want to hear of its end. */
export async function listening(store: Store, sid: string, ...clientIds: string[]): Promise<void> {
  await signIn(store, { idHash: `session of ${sid}`, sid });
  for (const clientId of clientIds) {
    const name = `${sid} ${clientId}`;
    await store.parkRequest({ ...parked, idHash: name });
    const approved = { grant: { ...grant, id: `grant ${name}` }, code: { ...code, codeHash: `code ${name}`, grantId: `grant ${name}` } };
    const listener = { sid, clientId, userId: 'usr_alice', expiresAt: NOW + HOUR };
    await store.approveRequest({ idHash: name, answer: 'a', now: NOW, ...approved, listener }, happened('grant.approved'));
  }
}

async function allowAgain(store: Store, sid: string, clientId: string, expiresAt: number): Promise<void> {
  const name = `${sid} ${clientId} again`;
  await store.parkRequest({ ...parked, idHash: name });
  const approved = { grant: { ...grant, id: `grant ${name}` }, code: { ...code, codeHash: `code ${name}`, grantId: `grant ${name}` } };
  const listener = { sid, clientId, userId: 'usr_alice', expiresAt };
  await store.approveRequest({ idHash: name, answer: 'a', now: NOW, ...approved, listener }, happened('grant.approved'));
}

const names = (due: DueLogout[]) => due.map(({ sid, clientId }) => `${sid} ${clientId}`).toSorted();
const end = (store: Store, sid: string) => store.endSession(`session of ${sid}`, happened('user.signed_out'));

export function logoutContract(nodes: () => Nodes): void {
  describe('clients that hear of a sign-out', () => {
    test('[LO-05] nobody is told while the session lives, and every client of it once it has ended', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await listening(one, 'sid-a', 'client_1', 'client_2');
      await listening(one, 'sid-b', 'client_1');

      assert.deepEqual(await two.claimLogouts(NOW, 10), []);
      await end(one, 'sid-a');
      const due = await two.claimLogouts(NOW, 10);
      assert.deepEqual(names(due), ['sid-a client_1', 'sid-a client_2']);
      assert.deepEqual(due[0]?.userId, 'usr_alice');
    });

    test('[LO-05] of many nodes each client is handed to one, and comes again later until it is settled or given up', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await listening(one, 'sid-a', 'client_1', 'client_2', 'client_3');
      await end(one, 'sid-a');
      const claimed = await times(8, (index) => (index % 2 ? one : two).claimLogouts(NOW, 2));
      // Nodes that chose the same rows at the same moment leave the others to the next call: nothing is handed out twice, nothing is left over.
      claimed.push(await one.claimLogouts(NOW, 2));
      assert.deepEqual(names(claimed.flat()), ['sid-a client_1', 'sid-a client_2', 'sid-a client_3']);

      await one.settleLogout('sid-a', 'client_1');
      await one.settleLogout('sid-a', 'client_3');
      const lasts: [number, boolean][] = [];
      for (let now = NOW; now < NOW + HOUR; now += 60) for (const due of await two.claimLogouts(now, 10)) lasts.push([(now - NOW) / 60, due.last]);
      assert.deepEqual(lasts, [
        [1, false],
        [5, false],
        [14, false],
        [30, true],
        [55, true],
      ]);
    });

    test('[LO-05] a session that lives longer after a confirmation is listened to for as long, whoever was allowed before or again', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await settle(store);
      await listening(store, 'sid-a', 'client_1', 'client_2');
      const longer = { ...session, idHash: 'confirmed', sid: 'sid-a', expiresAt: NOW + 10 * HOUR };
      await store.startSession(longer, 'session of sid-a', happened('user.signed_in'));
      await allowAgain(store, 'sid-a', 'client_2', NOW + 20 * HOUR);
      while ((await one.sweep(NOW + 2 * HOUR, 100)) > 0);
      await store.endSession('confirmed', happened('user.signed_out'));

      assert.deepEqual(names(await store.claimLogouts(NOW, 10)), ['sid-a client_1', 'sid-a client_2']);
    });

    test('[LO-05] another person in the same browser, a new password and a disabled account end sessions too; the same person again does not', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      for (const sid of ['sid-a', 'sid-b', 'sid-c', 'sid-d']) await listening(store, sid, 'client_1');
      const next = (sid: string) =>
        store.startSession({ ...session, idHash: `next of ${sid}`, sid: 'sid-new' }, `session of ${sid}`, happened('user.signed_in'));
      const same = () => store.startSession({ ...session, idHash: 'again', sid: 'sid-b' }, 'session of sid-b', happened('user.signed_in'));

      await same();
      assert.deepEqual(await store.claimLogouts(NOW, 10), []);
      await next('sid-a');
      assert.deepEqual(names(await store.claimLogouts(NOW, 10)), ['sid-a client_1']);
      await store.setUserDisabled('usr_bob', true, happened('user.disabled'));
      assert.deepEqual(await store.claimLogouts(NOW, 10), []);
      await store.changePassword('usr_alice', 'hash', happened('user.password_changed'));
      assert.deepEqual(names(await store.claimLogouts(NOW, 10)), ['sid-b client_1', 'sid-c client_1', 'sid-d client_1']);
      await listening(store, 'sid-e', 'client_1');
      await store.setUserDisabled('usr_alice', true, happened('user.disabled'));
      assert.deepEqual(names(await store.claimLogouts(NOW, 10)), ['sid-e client_1']);
    });

    const endings: Record<string, (store: Store, idHash: string) => Promise<unknown>> = {
      'a sign-out': (store, idHash) => store.endSession(idHash, happened('user.signed_out')),
      'a sign-out everywhere': (store) => store.endSessionsOf('usr_alice', { agents: false }, happened('user.signed_out_everywhere')),
      'a new password': (store) => store.setPassword({ userId: 'usr_alice', passwordHash: 'hash', keeping: 'none' }, happened('user.password_changed')),
      'another person': (store, idHash) =>
        store.startSession({ ...session, idHash: `after ${idHash}`, sid: `after ${idHash}` }, idHash, happened('user.signed_in')),
    };
    for (const [what, ending] of Object.entries(endings)) {
      test(`[LO-05] of a yes and ${what} in one moment, the client hears of the end or was never let in`, async () => {
        const [one, two] = freshTenant(nodes());
        await settle(one);
        await two.claimLogouts(NOW, 1);
        for (let round = 0; round < 40; round++) {
          const [sid, idHash] = [`sid-${round}`, `session of sid-${round}`];
          // In every other session the client was let in before.
          await listening(one, sid, ...(round % 2 ? ['client_1'] : []));
          await one.parkRequest({ ...parked, idHash: sid });
          const approved = { grant: { ...grant, id: `grant ${sid}` }, code: { ...code, codeHash: `code ${sid}`, grantId: `grant ${sid}` } };
          const listener = { sid, clientId: 'client_1', userId: 'usr_alice', expiresAt: NOW + HOUR };
          const yes = { idHash: sid, sessionHash: idHash, answer: 'a', now: NOW, ...approved, listener };
          const [outcome] = await Promise.all([one.approveRequest(yes, happened('grant.approved')), ending(two, idHash)]);
          const due = await one.claimLogouts(NOW, 10);
          assert.deepEqual(names(due), outcome === 'approved' || round % 2 ? [`${sid} client_1`] : []);
        }
      });
    }

    test('[LO-05] a request that was answered before adds nobody, and a client that comes twice is told once', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await listening(store, 'sid-a', 'client_1');
      await store.parkRequest({ ...parked, idHash: 'twice' });
      const approve = (clientId: string) => {
        const made = { grant: { ...grant, id: 'grant twice' }, code: { ...code, codeHash: 'code twice', grantId: 'grant twice' } };
        const listener = { sid: 'sid-a', clientId, userId: 'usr_alice', expiresAt: NOW + HOUR };
        return store.approveRequest({ idHash: 'twice', answer: 'a', now: NOW, ...made, listener }, happened('grant.approved'));
      };

      assert.deepEqual([await approve('client_1'), await approve('client_2')], ['approved', 'answered']);
      await end(store, 'sid-a');
      assert.deepEqual(names(await store.claimLogouts(NOW, 10)), ['sid-a client_1']);
    });
  });
}
