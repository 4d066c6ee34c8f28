/**
 * Webhooks as a receiver sees them: real requests to a real HTTP server, verified by the algorithm of Standard Webhooks 1.0 as its specification says it.
 */
import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import type { Context } from '../../src/context.ts';
import { newWebhookSecret, signWebhook } from '../../src/crypto/webhook-signature.ts';
import { pinnedUpstreamFetch } from '../../src/runtimes/pinned-fetch.ts';
import { createServer as createNode } from '../../src/server.ts';
import { openNodeSqlite } from '../../src/storage/drivers/node-sqlite.ts';
import type { Webhook } from '../../src/storage/store.ts';
import { secretPurpose } from '../../src/webhooks/deliver.ts';
import { messageOf } from '../../src/webhooks/message.ts';
import { spread } from '../../src/webhooks/schedule.ts';
import { start, type TestServer, testServer } from '../harness.ts';
import { handOver } from '../queue-mail.ts';

type Received = { headers: Record<string, string>; body: string };
const secret = newWebhookSecret();
const hour = 3600;

/** Answers each request with the status, and the headers, that `answer` says at that moment. */
type Answered = number | [number, Record<string, string>];
async function receiver(answer: () => Answered | Promise<Answered> = () => 204) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    received.push({ headers: request.headers as Record<string, string>, body });
    const [status, said] = [await answer()].flat() as [number, Record<string, string>?];
    response.writeHead(status, { location: 'http://127.0.0.1:1/', ...said }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?k=receiver-secret`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

const options = { fetchUpstream: pinnedUpstreamFetch() };

async function listen(at: TestServer, url: string, { id = 'wh_1', events = ['user.signed_in'], privateNetwork = true } = {}): Promise<void> {
  const secretSealed = at.context.instance.seal(secretPurpose(id), secret);
  const webhook = { id, url, events, secretSealed, privateNetwork, createdAt: at.clock.now() };
  await at.store.addWebhook(webhook, auditEvent('webhook.added', at.clock.now(), 'cli'));
}

/** When the only delivery of this webhook is due again, in seconds after the start. */
const nextOf = async (at: TestServer, id = 'wh_1') => ((await at.store.listDeliveries(id, 1))[0]?.dueAt ?? 0) - start;

const signIn = (at: TestServer) =>
  auditEvent('user.signed_in', at.clock.now(), 'user:usr_1', { userId: 'usr_1', address: '192.0.2.1', detail: { method: 'password' } });

/** What the specification says under "Verifying signatures". */
function verifies({ headers, body }: Received, now: number, key = secret): boolean {
  const sent = Number(headers['webhook-timestamp']);
  if (Math.abs(now - sent) > 300) return false;
  const mac = createHmac('sha256', Buffer.from(key.slice(6), 'base64'))
    .update(`${headers['webhook-id']}.${sent}.${body}`)
    .digest();
  return (headers['webhook-signature'] ?? '').split(' ').some((one) => {
    const [version, signature = ''] = one.split(',');
    const given = Buffer.from(signature, 'base64');
    return version === 'v1' && given.length === mac.length && timingSafeEqual(given, mac);
  });
}

test('[OPS-06] an event arrives once, signed, with its id and without a secret', async () => {
  const to = await receiver();
  const at = await testServer(options);
  await listen(at, to.url);
  const event = signIn(at);
  await at.store.recordEvent(event);
  await at.store.recordEvent(auditEvent('user.signed_out', at.clock.now(), 'user:usr_1'));

  for (let round = 0; round < 2; round++) await handOver(at.context.webhooks);
  const [message] = to.received;
  assert.ok(message && to.received.length === 1);
  assert.ok(verifies(message, at.clock.now()));
  assert.equal(verifies(message, at.clock.now() + 301), false);
  assert.equal(verifies({ ...message, body: message.body.replace('usr_1', 'usr_2') }, at.clock.now()), false);
  assert.equal(verifies(message, at.clock.now(), newWebhookSecret()), false);
  assert.equal(message.headers['webhook-id'], event.id);
  assert.equal(message.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(message.body), {
    type: 'user.signed_in',
    timestamp: new Date(start * 1000).toISOString().replace('.000Z', 'Z'),
    data: { id: event.id, issuer: at.context.issuer, actor: 'user:usr_1', user_id: 'usr_1', address: '192.0.2.1', detail: { method: 'password' } },
  });
  assert.ok(at.logged.every((line) => !line.includes('receiver-secret') && !line.includes(secret)));
  await at.close();
  await to.close();
});

test('[OPS-06] what fails is tried again later with a new time and signature and the same id, until it gets through', async () => {
  let status = 500;
  const to = await receiver(() => status);
  const at = await testServer(options);
  await listen(at, to.url);
  const event = signIn(at);
  await at.store.recordEvent(event);
  await handOver(at.context.webhooks);
  const webhook = (await at.store.findWebhook('wh_1')) as Webhook;
  const nextAfter = (attempt: number, pause: number) => spread({ webhook, eventId: event.id, attempt, dueAt: at.clock.now() + pause }, at.clock.now()) - start;
  const second = await nextOf(at);
  assert.equal(second, nextAfter(1, 60));
  at.clock.advance(second - 1);
  await handOver(at.context.webhooks);
  assert.equal(to.received.length, 1);
  at.clock.advance(1);
  // A redirect is a failure: nobody is led elsewhere.
  status = 302;
  await handOver(at.context.webhooks);
  const third = await nextOf(at);
  assert.equal(third, nextAfter(2, 300));
  at.clock.advance(third - second);
  status = 200;
  await handOver(at.context.webhooks);
  at.clock.advance(24 * hour);
  await handOver(at.context.webhooks);

  assert.equal(to.received.length, 3);
  assert.equal(new Set(to.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.equal(new Set(to.received.map(({ headers }) => headers['webhook-signature'])).size, 3);
  for (const [index, message] of to.received.entries()) assert.ok(verifies(message, start + ([0, second, third][index] ?? 0)));
  const [delivery] = await at.store.listDeliveries('wh_1', 5);
  assert.deepEqual([delivery?.state, delivery?.attempts, delivery?.answer], ['delivered', 3, '200']);
  assert.equal((await at.store.findWebhook('wh_1'))?.failingSince, undefined);
  await at.close();
  await to.close();
});

test('[OPS-06] a receiver that says Retry-After is asked again then, with everything that waits for it; others are not kept waiting', async () => {
  let answer: number | [number, Record<string, string>] = [429, { 'retry-after': '900' }];
  const [busy, other] = [await receiver(() => answer), await receiver()];
  const at = await testServer(options);
  await listen(at, busy.url);
  await listen(at, other.url, { id: 'wh_2' });
  await at.store.recordEvent(signIn(at));
  await handOver(at.context.webhooks);
  assert.equal(await nextOf(at), 900);
  at.clock.advance(899);
  await at.store.recordEvent(signIn(at));
  await handOver(at.context.webhooks);
  assert.deepEqual([busy.received.length, other.received.length], [1, 2]);
  at.clock.advance(1);
  answer = [503, { 'retry-after': '99999999' }];
  await handOver(at.context.webhooks);
  assert.equal(await nextOf(at), 900 + 3600);
  at.clock.advance(3600);
  answer = [204, { 'retry-after': '900' }];
  await handOver(at.context.webhooks);

  assert.equal(busy.received.length, 5);
  // A success is not asked to wait.
  await at.store.recordEvent(signIn(at));
  await handOver(at.context.webhooks);
  assert.equal(busy.received.length, 6);
  assert.deepEqual(
    (await at.store.listDeliveries('wh_1', 5)).slice(1).map(({ state, attempts }) => [state, attempts]),
    [
      ['delivered', 2],
      ['delivered', 3],
    ],
  );
  await at.close();
  for (const one of [busy, other]) await one.close();
});

test('[OPS-06] while a secret is changed a receiver verifies with the older and with the newer, and later with the newer alone', async () => {
  const to = await receiver();
  const at = await testServer(options);
  await listen(at, to.url);
  const newer = newWebhookSecret();
  const rotation = { id: 'wh_1', secretSealed: at.context.instance.seal(secretPurpose('wh_1'), newer), olderExpiresAt: start + 24 * hour };
  await at.store.rotateWebhookSecret(rotation, auditEvent('webhook.secret_rotated', start, 'cli'));
  const withEach = async () => {
    await at.store.recordEvent(signIn(at));
    await handOver(at.context.webhooks);
    const message = to.received.at(-1) as Received;
    return [secret, newer].map((key) => verifies(message, at.clock.now(), key));
  };

  assert.deepEqual(await withEach(), [true, true]);
  at.clock.advance(24 * hour - 1);
  assert.deepEqual(await withEach(), [true, true]);
  at.clock.advance(1);
  assert.deepEqual(await withEach(), [false, true]);
  assert.equal(to.received[2]?.headers['webhook-signature']?.split(' ').length, 1);
  assert.ok(at.logged.every((line) => !line.includes(newer) && !line.includes(secret)));
  await at.close();
  await to.close();
});

test('[OPS-06] several nodes deliver each event once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-webhooks-'));
  const to = await receiver();
  const nodes = await Promise.all([1, 2, 3].map(() => testServer({ ...options, driver: openNodeSqlite(join(folder, 'shared.db')) })));
  const [one] = nodes as [TestServer, ...TestServer[]];
  await listen(one, to.url);
  for (let index = 0; index < 25; index++) await one.store.recordEvent(signIn(one));
  // Whichever node seals, all of them look for what is due.
  for (let round = 0; round < 3; round++) await Promise.all(nodes.map((node) => handOver(node.context.webhooks)));

  assert.equal(to.received.length, 25);
  assert.equal(new Set(to.received.map(({ headers }) => headers['webhook-id'])).size, 25);
  for (const node of nodes) await node.close();
  await to.close();
  rmSync(folder, { recursive: true });
});

test('[OPS-06] a receiver that never answers holds up neither another webhook, nor the record, nor the housekeeping', async () => {
  const hanging = Promise.withResolvers<number>();
  const asked = Promise.withResolvers<void>();
  const hangs = await receiver(() => {
    asked.resolve();
    return hanging.promise;
  });
  let arrived = () => {};
  const well = await receiver(() => {
    setImmediate(() => arrived());
    return 204;
  });
  const at = await testServer(options);
  const node = createNode(at.context.options);
  const context = (await node.context()) as Context;
  await listen(at, hangs.url, { events: ['*'] });
  await at.store.recordEvent(signIn(at));
  await node.maintain();
  await asked.promise;
  await listen(at, well.url, { id: 'wh_2' });
  for (let event = 1; event <= 3; event++) {
    await at.store.recordEvent(signIn(at));
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await node.maintain();
    await arrival;
    assert.deepEqual([well.received.length, (await at.store.listUnsealed(9)).length], [event, 0]);
  }

  hanging.resolve(204);
  await context.webhooks.idle();
  await node.settle();
  await at.close();
  for (const one of [hangs, well]) await one.close();
});

test('[OPS-06] a private address is refused unless the operator said so, at every attempt', async () => {
  const to = await receiver();
  const at = await testServer(options);
  await listen(at, to.url, { privateNetwork: false });
  await listen(at, to.url.replace('http:', 'https:'), { id: 'wh_2', privateNetwork: false });
  await at.store.recordEvent(signIn(at));
  await handOver(at.context.webhooks);

  assert.deepEqual(to.received, []);
  for (const id of ['wh_1', 'wh_2']) assert.equal((await at.store.listDeliveries(id, 1))[0]?.answer, 'refused');
  await at.close();
  await to.close();
});

test('[OPS-06] 410 disables a webhook at once, and five days without success do, with an event', async () => {
  let status = 410;
  const to = await receiver(() => status);
  const at = await testServer(options);
  await listen(at, to.url);
  await at.store.recordEvent(signIn(at));
  await handOver(at.context.webhooks);
  assert.equal((await at.store.findWebhook('wh_1'))?.disabledAt, start);
  const [told] = await at.store.listEvents({ type: 'webhook.disabled', limit: 5 });
  assert.deepEqual({ ...told?.detail, host: '' }, { webhook: 'wh_1', host: '', answer: '410' });
  assert.doesNotMatch(JSON.stringify(told), /receiver-secret/);

  status = 503;
  await at.store.enableWebhook('wh_1', auditEvent('webhook.enabled', at.clock.now(), 'cli'));
  for (let day = 0; day < 8; day++) {
    await at.store.recordEvent(signIn(at));
    for (let quarter = 0; quarter < 96; quarter++) {
      await handOver(at.context.webhooks);
      at.clock.advance(900);
    }
    const { disabledAt } = (await at.store.findWebhook('wh_1')) ?? {};
    assert.equal(disabledAt !== undefined, day >= 5, `after day ${day + 1}`);
  }
  assert.equal((await at.store.listEvents({ type: 'webhook.disabled', limit: 5 })).length, 2);
  await at.close();
  await to.close();
});

test('[OPS-06] whoever is forgotten before an attempt is not sent', async () => {
  const to = await receiver();
  const at = await testServer(options);
  await at.addUser({ id: 'usr_1' });
  await listen(at, to.url);
  await at.store.recordEvent(signIn(at));
  await at.store.removeUser('usr_1', auditEvent('user.removed', at.clock.now(), 'cli', { userId: 'usr_1' }));
  await handOver(at.context.webhooks);

  assert.deepEqual(Object.keys(JSON.parse(to.received[0]?.body ?? '').data), ['id', 'issuer', 'actor', 'user_id']);
  await at.close();
  await to.close();
});

test('without webhooks, or a way to send, nothing is delivered and events are sealed all the same', async () => {
  for (const overrides of [options, {}]) {
    const at = await testServer(overrides);
    await at.store.recordEvent(signIn(at));
    await handOver(at.context.webhooks);
    assert.deepEqual(await at.store.listUnsealed(5), []);
    await at.close();
  }
});

test('the clock seals every few seconds, and more than one batch: a busy minute in one go would hold up everybody', async () => {
  for (const overrides of [options, {}]) {
    const at = await testServer(overrides);
    for (let event = 0; event < 250; event++) await at.store.recordEvent(signIn(at));
    for (let second = 0; second < 5; second++) await at.server.flush();
    await at.context.webhooks.idle();
    assert.deepEqual(await at.store.listUnsealed(5), []);
    assert.equal((await at.store.findChain())?.seq, 250);
    await at.close();
  }
});

test('any event makes a message that verifies under its secret, and whose id has no full stop', () => {
  const ids = fc.stringMatching(/^evt_[A-Za-z0-9_-]{5,20}(\.grant_[A-Za-z0-9]{3,9})?$/);
  fc.assert(
    fc.property(ids, fc.string(), fc.integer({ min: 0, max: 4e9 }), (id, text, timestamp) => {
      const event = { ...auditEvent('user.signed_in', 1, text, { detail: { text } }), id };
      const message = messageOf(event, 'https://auth.example.com');
      const key = newWebhookSecret();
      const headers = {
        'webhook-id': message.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signWebhook(key, { ...message, timestamp }),
      };

      assert.ok(!message.id.includes('.'));
      assert.ok(verifies({ headers, body: message.body }, timestamp, key));
      assert.equal(JSON.parse(message.body).data.id, id);
    }),
  );
});
