/**
 * The part of the storage contract about mail that waits to be sent: written with its event or not at all, handed to one node, gone when settled or too old.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DueMail, OutboxMail, Store } from '../store.ts';
import { code, connect, DAY, freshTenant, grant, happened, NOW, type Nodes, parked, rotate, session, settle, times } from './fixtures.ts';

const HOUR = 3600;
export const mail: OutboxMail = { id: 'ml_1', kind: 'test', sealed: 'sealed', createdAt: NOW, dueAt: NOW, expiresAt: NOW + HOUR };

const ids = (due: readonly DueMail[]) => due.map(({ id }) => id).toSorted();
const told = (one: OutboxMail) => ({ ...happened('code.replayed'), mail: [one] });
const withMail = (type: Parameters<typeof happened>[0], id: string) => ({ ...happened(type), mail: [{ ...mail, id }] });

export function outboxContract(nodes: () => Nodes): void {
  describe('the outbox', () => {
    test('mail of an event is written with the event, and not when the event was not', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.parkRequest(parked);
      const answer = (id: string) => {
        const made = { grant: { ...grant, id: `grant ${id}` }, code: { ...code, codeHash: `code ${id}`, grantId: `grant ${id}` } };
        return store.approveRequest({ idHash: parked.idHash, answer: 'a', now: NOW, ...made }, withMail('grant.approved', id));
      };

      assert.deepEqual(await times(8, (index) => answer(`ml_${index}`)).then((all) => all.toSorted().slice(0, 2)), ['answered', 'answered']);
      assert.equal((await store.claimMail(NOW, 10)).length, 1);
      assert.deepEqual(
        [
          await store.setUserDisabled('usr_nobody', true, withMail('user.disabled', 'ml_a')),
          await store.addUser({ ...aliceAgain }, withMail('user.added', 'ml_b')),
        ],
        [false, 'taken'],
      );
      assert.equal(await store.changePassword('usr_alice', 'hash', withMail('user.password_changed', 'ml_c')), true);
      await store.recordEvent(withMail('code.replayed', 'ml_d'));
      assert.deepEqual(ids(await store.claimMail(NOW, 10)), ['ml_c', 'ml_d']);
      assert.ok((await store.listEvents({ limit: 10 })).every((event) => !('mail' in event)));
    });

    test('the mail about a reused refresh token is written once, and never for a rotation', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      const event = (id: string) => ({ ...happened('refresh_token.reused', NOW + 100), mail: [{ ...mail, id }] });
      const turn = (store: Store, presented: string, next: string, now: number, id: string) =>
        store.rotateRefreshToken({ familyId: 'family-1', presentedHash: presented, nextHash: next, now, idleExpiresAt: now + DAY, graceSeconds: 30 }, () =>
          event(id),
        );
      await turn(one, 'rt-0', 'rt-1', NOW, 'ml_first');
      await rotate(one, 'rt-1', 'rt-2', NOW + 1);
      assert.deepEqual(await one.claimMail(NOW + 100, 10), []);

      await times(6, (index) => turn(index % 2 ? one : two, 'rt-0', 'rt-x', NOW + 100, `ml_${index}`));

      assert.equal((await one.claimMail(NOW + 100, 10)).length, 1);
    });

    test('of many nodes each mail is handed to one, and comes again later until it is settled or too old', async () => {
      const [one, two] = freshTenant(nodes());
      for (const id of ['ml_1', 'ml_2', 'ml_3']) await one.recordEvent(told({ ...mail, id, locale: 'de' }));
      await one.recordEvent(told({ ...mail, id: 'ml_later', dueAt: NOW + 5 }));
      const claimed = await times(8, (index) => (index % 2 ? one : two).claimMail(NOW, 2));
      claimed.push(await one.claimMail(NOW, 2));
      assert.deepEqual(ids(claimed.flat()), ['ml_1', 'ml_2', 'ml_3']);
      assert.deepEqual(claimed.flat()[0]?.locale, 'de');

      await one.settleMail(['ml_1', 'ml_3', 'ml_later']);
      const lasts: [number, boolean][] = [];
      for (let now = NOW; now < NOW + 2 * HOUR; now += 60) for (const due of await two.claimMail(now, 10)) lasts.push([(now - NOW) / 60, due.last]);
      assert.deepEqual(lasts, [
        [1, false],
        [5, false],
        [14, false],
        [30, false],
        [55, true],
      ]);
    });

    test('what waits in a bundle goes with the first that is due, and what was tried already does not', async () => {
      const [one, two] = freshTenant(nodes());
      const add = (id: string, dueAt: number, bundle?: string) => one.recordEvent(told({ ...mail, id, dueAt, bundle }));
      await add('ml_1', NOW + 60, 'alice');
      await add('ml_2', NOW + 90, 'alice');
      await add('ml_3', NOW + 90, 'bob');
      await add('ml_4', NOW + 90);

      assert.deepEqual(await one.claimMail(NOW + 59, 10), []);
      const claimed = await times(6, (index) => (index % 2 ? one : two).claimMail(NOW + 60, 1));
      assert.deepEqual(
        claimed.map(ids).filter((some) => some.length > 0),
        [['ml_1', 'ml_2']],
      );
      await add('ml_5', NOW + 91, 'alice');
      assert.deepEqual(ids(await one.claimMail(NOW + 91, 10)), ['ml_3', 'ml_4', 'ml_5']);
    });

    test('mail of one tenant is none of another, and what is too old is swept', async () => {
      const [store] = freshTenant(nodes());
      const [, other] = freshTenant(nodes());
      await store.recordEvent(told(mail));
      await other.recordEvent(told({ ...mail, sealed: 'of the other' }));

      await other.settleMail(['ml_1']);
      assert.deepEqual(await other.claimMail(NOW, 10), []);
      assert.deepEqual(await store.claimMail(NOW, 10).then(([due]) => due?.sealed), 'sealed');
      await nodes().one.sweep(NOW + HOUR, 100);
      await store.recordEvent(told({ ...mail, expiresAt: NOW + 2 * HOUR }));
      assert.deepEqual(ids(await store.claimMail(NOW + HOUR, 10)), ['ml_1']);
    });
  });
}

/** Browsers and networks are noted by what begins a session. */
export function knownDevicesContract(nodes: () => Nodes): void {
  describe('known devices', () => {
    test('a browser is new to a person who has signed in elsewhere, known once they signed in with it, and forgotten after 400 days', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      const standing = (deviceHash: string, now = NOW, userId = 'usr_alice') => two.knowsDevice({ userId, deviceHash }, now);
      const signIn = (idHash: string, deviceHash?: string, now = NOW) =>
        one.startSession({ ...session, idHash, deviceHash }, undefined, happened('user.signed_in', now));

      assert.equal(await standing('a'), 'first');
      await signIn('without', undefined);
      assert.equal(await standing('a'), 'first');
      await signIn('one', 'a');
      assert.deepEqual([await standing('a'), await standing('b'), await standing('a', NOW, 'usr_bob')], ['known', 'new', 'first']);
      await signIn('two', 'b', NOW + DAY);
      await signIn('three', 'b', NOW + 2 * DAY);
      assert.deepEqual([await standing('a', NOW + 400 * DAY), await standing('b', NOW + 400 * DAY)], ['new', 'known']);
      await nodes().one.sweep(NOW + 400 * DAY, 100);
      assert.deepEqual([await standing('a', NOW + 1), await standing('b', NOW + 1)], ['new', 'known']);
    });
  });
}

const aliceAgain = { id: 'usr_again', username: 'alice', role: 'user' as const, createdAt: NOW };
