/**
 * The part of the storage contract about webhooks: a delivery for each sealed event that was asked for, handed to one node, tried for about a day, replayed on demand.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DueDelivery, Store, Webhook } from '../store.ts';
import { sealing } from './audit-chain.ts';
import { DAY, freshTenant, happened, NOW, type Nodes, times } from './fixtures.ts';

export const webhook: Webhook = {
  id: 'wh_1',
  url: 'https://siem.example/hook',
  events: ['*'],
  secretSealed: 'sealed',
  privateNetwork: false,
  createdAt: NOW,
};

/** Records events of these types and seals everything that waits. */
async function happenAndSeal(store: Store, ...types: Parameters<typeof happened>[0][]): Promise<void> {
  for (const type of types) await store.recordEvent(happened(type));
  const chain = await store.findChain();
  await store.sealEvents(sealing((chain?.seq ?? 0) + 1, await store.listUnsealed(100)));
}

/** Takes up to `limit` for each webhook that has something due. */
async function claimDue(store: Store, now: number, limit: number): Promise<DueDelivery[]> {
  const due = await store.listDueWebhooks(now);
  return (await Promise.all(due.map((webhookId) => store.claimDeliveries({ webhookId, now, limit })))).flat();
}

export function webhooksContract(nodes: () => Nodes): void {
  describe('webhooks', () => {
    test('[OPS-06] who asked for a kind of event gets it, from their beginning on, and nobody else', async () => {
      const [store] = freshTenant(nodes());
      await store.addWebhook({ ...webhook, events: ['user.signed_in', 'grant.revoked'] }, happened('webhook.added'));
      await store.addWebhook({ ...webhook, id: 'wh_all' }, happened('webhook.added'));
      await store.addWebhook({ ...webhook, id: 'wh_later', createdAt: NOW + 1 }, happened('webhook.added'));
      await happenAndSeal(store, 'user.signed_in', 'user.signed_out');
      const types = async (id: string) => (await store.listDeliveries(id, 20)).map(({ type }) => type).toSorted();

      assert.deepEqual(await types('wh_1'), ['user.signed_in']);
      assert.deepEqual(await types('wh_all'), ['user.signed_in', 'user.signed_out', 'webhook.added', 'webhook.added', 'webhook.added']);
      assert.deepEqual(await types('wh_later'), []);
      assert.deepEqual(
        (await store.listWebhooks()).map(({ id }) => id),
        ['wh_1', 'wh_all', 'wh_later'],
      );
    });

    test('[OPS-06] of nodes that claim at once one gets each delivery, and again when its attempt has failed', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addWebhook({ ...webhook, events: ['user.signed_in'] }, happened('webhook.added'));
      await happenAndSeal(one, 'user.signed_in', 'user.signed_in', 'user.signed_in');
      assert.deepEqual([await two.listDueWebhooks(NOW - 1), await two.listDueWebhooks(NOW)], [[], ['wh_1']]);
      const claimed = (await times(6, (index) => claimDue(index % 2 ? one : two, NOW, 2))).flat();
      // Nodes that chose the same rows leave the others for the next look, which the sender takes.
      claimed.push(...(await claimDue(one, NOW, 10)));

      assert.equal(new Set(claimed.map(({ eventId }) => eventId)).size, 3);
      assert.equal(claimed.length, 3);
      assert.deepEqual([claimed[0]?.webhook.id, claimed[0]?.event?.type, claimed[0]?.last], ['wh_1', 'user.signed_in', false]);
      const [first] = claimed;
      for (const { eventId } of claimed) await one.settleDelivery({ webhookId: 'wh_1', eventId, state: 'delivered', answer: '204', now: NOW });
      await one.settleDelivery({ webhookId: 'wh_1', eventId: first?.eventId ?? '', state: 'waiting', answer: '500', now: NOW });
      assert.deepEqual(await claimDue(two, NOW + 59, 10), []);
      assert.equal((await two.findWebhook('wh_1'))?.failingSince, NOW);
    });

    test('[OPS-06] an event is tried eight times in 27 hours, and the last attempt says that it is', async () => {
      const [store] = freshTenant(nodes());
      await store.addWebhook({ ...webhook, events: ['user.signed_in'] }, happened('webhook.added'));
      await happenAndSeal(store, 'user.signed_in');
      const tried: [number, boolean][] = [];
      for (let minute = 0; minute <= 3 * 24 * 60; minute++) {
        const at = NOW + minute * 60;
        for (const { last, eventId } of await claimDue(store, at, 10)) {
          tried.push([minute, last]);
          await store.settleDelivery({ webhookId: 'wh_1', eventId, state: last ? 'failed' : 'waiting', answer: 'timeout', now: at });
        }
      }

      assert.deepEqual(
        tried.map(([minute]) => minute),
        [0, 1, 6, 36, 156, 456, 1056, 1656],
      );
      assert.deepEqual(
        tried.map(([, last]) => last),
        [false, false, false, false, false, false, false, true],
      );
      const [delivery] = await store.listDeliveries('wh_1', 10);
      assert.deepEqual([delivery?.state, delivery?.attempts, delivery?.answer, delivery?.finishedAt], ['failed', 8, 'timeout', NOW + 1656 * 60]);
    });

    test('[OPS-06] what failed is replayed, all of it or one event, and never to a disabled webhook', async () => {
      const [store] = freshTenant(nodes());
      await store.addWebhook({ ...webhook, events: ['user.signed_in'] }, happened('webhook.added'));
      await happenAndSeal(store, 'user.signed_in', 'user.signed_in');
      const [a, b] = (await claimDue(store, NOW, 10)).map(({ eventId }) => eventId);
      await store.settleDelivery({ webhookId: 'wh_1', eventId: a ?? '', state: 'failed', answer: '500', now: NOW });
      await store.settleDelivery({ webhookId: 'wh_1', eventId: b ?? '', state: 'delivered', answer: '200', now: NOW });

      assert.equal(await store.replayDeliveries({ webhookId: 'wh_1', now: NOW + DAY }), 1);
      assert.deepEqual(
        (await claimDue(store, NOW + DAY, 10)).map(({ eventId }) => eventId),
        [a],
      );
      assert.equal(await store.replayDeliveries({ webhookId: 'wh_1', eventId: b, now: NOW + DAY }), 1);
      assert.equal(await store.replayDeliveries({ webhookId: 'wh_1', eventId: 'unknown', now: NOW + DAY }), 0);
      await store.settleDelivery({ webhookId: 'wh_1', eventId: a ?? '', state: 'waiting', answer: '500', now: NOW + DAY });
      await store.disableWebhook({ id: 'wh_1', failingSince: NOW + DAY }, happened('webhook.disabled'));
      assert.equal(await store.replayDeliveries({ webhookId: 'wh_1', now: NOW + DAY }), 0);
    });

    test('[OPS-06] a webhook that has failed for long enough is disabled once, with its event, and what waits for it is given up', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addWebhook({ ...webhook, events: ['user.signed_in'] }, happened('webhook.added'));
      await happenAndSeal(one, 'user.signed_in', 'user.signed_in');
      const disable = (failingSince: number) => two.disableWebhook({ id: 'wh_1', failingSince }, happened('webhook.disabled'));
      assert.equal(await disable(NOW), false);
      const [due] = await claimDue(one, NOW, 1);
      await one.settleDelivery({ webhookId: 'wh_1', eventId: due?.eventId ?? '', state: 'waiting', answer: '500', now: NOW });
      assert.equal(await disable(NOW - 1), false);

      assert.deepEqual((await times(4, () => disable(NOW))).toSorted(), [false, false, false, true]);
      assert.deepEqual(
        (await one.listDeliveries('wh_1', 10)).map(({ state }) => state),
        ['failed', 'failed'],
      );
      assert.equal((await one.listEvents({ type: 'webhook.disabled', limit: 9 })).length, 1);
      await happenAndSeal(one, 'user.signed_in');
      assert.equal((await one.listDeliveries('wh_1', 10)).length, 2);
      assert.deepEqual(
        [await one.enableWebhook('wh_1', happened('webhook.enabled')), await one.enableWebhook('wh_1', happened('webhook.enabled'))],
        [true, false],
      );
      await happenAndSeal(one, 'user.signed_in');
      assert.equal((await one.listDeliveries('wh_1', 10)).length, 3);
    });

    test('[OPS-06] a secret is changed with its event, and the older one stays beside it until its end', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addWebhook({ ...webhook, events: ['user.signed_in'] }, happened('webhook.added'));
      const rotate = (secretSealed: string, olderExpiresAt?: number, at = NOW) =>
        two.rotateWebhookSecret({ id: 'wh_1', secretSealed, olderExpiresAt }, { ...happened('webhook.secret_rotated'), at });
      const held = async () => {
        const { secretSealed, olderSecretSealed, olderSecretExpiresAt } = (await one.findWebhook('wh_1')) ?? {};
        return [secretSealed, olderSecretSealed, olderSecretExpiresAt];
      };
      assert.deepEqual((await times(4, (index) => rotate(`newer ${index}`, NOW + DAY))).toSorted(), ['full', 'full', 'full', 'rotated']);
      assert.deepEqual((await held()).slice(1), ['sealed', NOW + DAY]);
      await happenAndSeal(one, 'user.signed_in');
      assert.equal((await claimDue(one, NOW, 1))[0]?.webhook.olderSecretSealed, 'sealed');

      assert.equal(await rotate('too early', NOW + 2 * DAY, NOW + DAY - 1), 'full');
      assert.equal(await rotate('third', NOW + 2 * DAY, NOW + DAY), 'rotated');
      assert.match(String((await held())[1]), /^newer \d$/);
      assert.equal(await rotate('alone'), 'rotated');
      assert.deepEqual(await held(), ['alone', undefined, undefined]);
      assert.equal(await two.rotateWebhookSecret({ id: 'wh_none', secretSealed: 's' }, happened('webhook.secret_rotated')), 'gone');
      assert.equal((await one.listEvents({ type: 'webhook.secret_rotated', limit: 9 })).length, 3);
    });

    test('[OPS-06] an older secret that has ended leaves the database', async () => {
      const [store] = freshTenant(nodes());
      await store.addWebhook(webhook, happened('webhook.added'));
      await store.rotateWebhookSecret({ id: 'wh_1', secretSealed: 'newer', olderExpiresAt: NOW + DAY }, happened('webhook.secret_rotated'));
      while ((await nodes().one.sweep(NOW + DAY - 1, 1000)) > 0);
      assert.equal((await store.findWebhook('wh_1'))?.olderSecretSealed, 'sealed');
      while ((await nodes().one.sweep(NOW + DAY, 1000)) > 0);

      const { secretSealed, olderSecretSealed, olderSecretExpiresAt } = (await store.findWebhook('wh_1')) ?? {};
      assert.deepEqual([secretSealed, olderSecretSealed, olderSecretExpiresAt], ['newer', undefined, undefined]);
    });

    test('[OPS-06] a receiver that asks to be left alone is, with what waits for it and with what happens meanwhile', async () => {
      const [store] = freshTenant(nodes());
      for (const id of ['wh_1', 'wh_2']) await store.addWebhook({ ...webhook, id, events: ['user.signed_in'] }, happened('webhook.added'));
      await happenAndSeal(store, 'user.signed_in', 'user.signed_in');
      const due = (await claimDue(store, NOW, 10)).filter((one) => one.webhook.id === 'wh_1');
      const [a, b] = due.map(({ eventId }) => eventId);
      assert.deepEqual([due[0]?.attempt, due[0]?.dueAt], [1, NOW + 60]);
      const settle = (eventId = '', changes: object) =>
        store.settleDelivery({ webhookId: 'wh_1', eventId, state: 'waiting', answer: '429', now: NOW, dueAt: NOW + 66, ...changes });
      await settle(a, { restsUntil: NOW + 300 });
      // The second answer came later and asks for less: the longer rest holds.
      await settle(b, { restsUntil: NOW + 100 });
      await happenAndSeal(store, 'user.signed_in');
      const claimed = async (at: number) => (await claimDue(store, at, 10)).map(({ webhook: { id }, attempt }) => [id, attempt]);

      assert.deepEqual(await claimed(NOW), [['wh_2', 1]]);
      assert.deepEqual(await claimed(NOW + 99), [
        ['wh_2', 2],
        ['wh_2', 2],
        ['wh_2', 2],
      ]);
      assert.deepEqual(
        (await claimed(NOW + 299)).filter(([id]) => id === 'wh_1'),
        [],
      );
      const rested = (await claimed(NOW + 300)).filter(([id]) => id === 'wh_1');
      assert.deepEqual(rested.map(([, attempt]) => attempt).toSorted(), [1, 2, 2]);
    });

    test('[OPS-06] a burst that is told to wait is settled at once, whichever node sent which part of it', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addWebhook({ ...webhook, events: ['user.signed_in'] }, happened('webhook.added'));
      for (let round = 0; round < 3; round++) {
        const at = NOW + round * 3600;
        await happenAndSeal(one, ...Array.from({ length: 10 }, () => 'user.signed_in' as const));
        const due = await claimDue(one, at, 30);
        const settlement = { webhookId: 'wh_1', state: 'waiting', answer: '429', now: at } as const;
        await Promise.all(
          due.map(({ eventId }, index) =>
            (index % 2 ? one : two).settleDelivery({ ...settlement, eventId, dueAt: at + 66 + index, restsUntil: at + 600 + index }),
          ),
        );

        assert.equal((await one.findWebhook('wh_1'))?.restsUntil, at + 600 + due.length - 1);
        assert.deepEqual(new Set((await one.listDeliveries('wh_1', 30)).map(({ dueAt }) => dueAt)), new Set([at + 600 + due.length - 1]));
      }
    });

    test('[OPS-06] the next attempt is where its settlement says, and what was given up meanwhile does not wait again', async () => {
      const [store] = freshTenant(nodes());
      await store.addWebhook({ ...webhook, events: ['user.signed_in'] }, happened('webhook.added'));
      await happenAndSeal(store, 'user.signed_in');
      const [due] = await claimDue(store, NOW, 10);
      const settlement = { webhookId: 'wh_1', eventId: due?.eventId ?? '', answer: '500', now: NOW };
      await store.settleDelivery({ ...settlement, state: 'waiting', dueAt: NOW + 71 });
      assert.equal((await store.listDeliveries('wh_1', 1))[0]?.dueAt, NOW + 71);
      await store.disableWebhook({ id: 'wh_1', failingSince: NOW }, happened('webhook.disabled'));
      await store.settleDelivery({ ...settlement, state: 'waiting', dueAt: NOW + 71 });
      const state = async () => (await store.listDeliveries('wh_1', 1)).map((one) => [one.state, one.dueAt, one.answer]);

      assert.deepEqual(await state(), [['failed', undefined, '500']]);
      await store.settleDelivery({ ...settlement, state: 'delivered', answer: '204' });
      assert.deepEqual(await state(), [['delivered', undefined, '204']]);
    });

    test('a webhook that is removed takes its deliveries with it', async () => {
      const [store] = freshTenant(nodes());
      await store.addWebhook(webhook, happened('webhook.added'));
      await happenAndSeal(store, 'user.signed_in');

      assert.deepEqual(
        [await store.removeWebhook('wh_1', happened('webhook.removed')), await store.removeWebhook('wh_1', happened('webhook.removed'))],
        [true, false],
      );
      assert.deepEqual([await store.listWebhooks(), await store.listDeliveries('wh_1', 10), await claimDue(store, NOW, 10)], [[], [], []]);
    });
  });
}
