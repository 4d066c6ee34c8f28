/**
 * The part of the storage contract about running it: signing keys, rate limits, events, tenants and facts, sweeping.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConstraintError } from '../driver.ts';
import {
  approve,
  code,
  connect,
  count,
  countEvents,
  DAY,
  family,
  freshTenant,
  happened,
  machineGrant,
  NOW,
  type Nodes,
  parked,
  redeem,
  session,
  settle,
  signingKey,
  times,
} from './fixtures.ts';

export function operationsContract(nodes: () => Nodes): void {
  describe('signing keys', () => {
    test('[KEY-02] of two nodes that start together exactly one makes the key of an algorithm', async () => {
      const [one, two] = freshTenant(nodes());
      const outcomes = await times(8, (index) =>
        (index % 2 ? one : two).addSigningKey({ ...signingKey, kid: `key-${index}` }, 'onlyIfNone', happened('signing_key.added')),
      );

      assert.deepEqual([count(outcomes, 'added'), count(outcomes, 'exists')], [1, 7]);
      assert.equal((await one.listSigningKeys(NOW)).length, 1);
      assert.equal(await one.addSigningKey({ ...signingKey, kid: 'rsa', algorithm: 'RS256' }, 'onlyIfNone', happened('signing_key.added')), 'added');
      assert.equal(await countEvents(one, 'signing_key.added'), 2);
    });

    test('[KEY-02] a rotation publishes the next key, ends signing of the older one and keeps it published', async () => {
      const [store] = freshTenant(nodes());
      await store.addSigningKey(signingKey, 'onlyIfNone', happened('signing_key.added'));
      const next = { ...signingKey, kid: 'key-2', createdAt: NOW + DAY, signsFrom: NOW + DAY + 600 };
      const older = { signsUntil: NOW + DAY + 600, publishedUntil: NOW + DAY + 7200 };

      assert.equal(await store.addSigningKey(next, older, happened('signing_key.added')), 'added');
      assert.deepEqual(await store.listSigningKeys(NOW + DAY), [{ ...signingKey, ...older }, next]);
      assert.deepEqual(await store.listSigningKeys(older.publishedUntil), [next]);
      assert.equal(await store.addSigningKey({ ...next, kid: 'key-3' }, 'onlyIfNone', happened('signing_key.added')), 'exists');
    });

    test('[KEY-02] of parallel rotations at most one open key remains, and a known kid ends nothing', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addSigningKey(signingKey, 'onlyIfNone', happened('signing_key.added'));
      const older = { signsUntil: NOW + 600, publishedUntil: NOW + 7200 };
      await times(4, (index) => (index % 2 ? one : two).addSigningKey({ ...signingKey, kid: `next-${index}` }, older, happened('signing_key.added')));
      const open = (await one.listSigningKeys(NOW)).filter(({ signsUntil }) => signsUntil === undefined);
      assert.equal(open.length, 1);

      const again = await one.addSigningKey({ ...signingKey, kid: open[0]?.kid ?? '' }, older, happened('signing_key.added'));
      assert.equal(again, 'exists');
      assert.deepEqual(
        (await one.listSigningKeys(NOW)).filter(({ signsUntil }) => signsUntil === undefined),
        open,
      );
    });

    test('[KEY-02] of parallel successors of one key exactly one is added, and none later', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addSigningKey(signingKey, 'onlyIfNone', happened('signing_key.added'));
      const older = { signsUntil: NOW + 600, publishedUntil: NOW + 7200, only: 'key-1' };
      const succeed = (kid: string, store = one) => store.addSigningKey({ ...signingKey, kid, signsFrom: NOW + 600 }, older, happened('signing_key.added'));
      const outcomes = await times(6, (index) => succeed(`next-${index}`, index % 2 ? one : two));

      assert.deepEqual([count(outcomes, 'added'), await succeed('late')], [1, 'exists']);
      assert.deepEqual(
        (await one.listSigningKeys(NOW)).map(({ kid, signsUntil }) => [kid, signsUntil]),
        [
          ['key-1', NOW + 600],
          [`next-${outcomes.indexOf('added')}`, undefined],
        ],
      );
      assert.equal(await countEvents(one, 'signing_key.added'), 2);
      await two.dropSigningKey(`next-${outcomes.indexOf('added')}`, happened('signing_key.dropped'));
      assert.deepEqual([await succeed('again'), await succeed('once more')], ['added', 'exists']);
    });

    test('[KEY-03] a compromised key is dropped at once, once, and a new one takes its place', async () => {
      const [one, two] = freshTenant(nodes());
      await one.addSigningKey(signingKey, 'onlyIfNone', happened('signing_key.added'));
      const outcomes = await times(4, (index) => (index % 2 ? one : two).dropSigningKey('key-1', happened('signing_key.dropped')));

      assert.equal(count(outcomes, true), 1);
      assert.deepEqual(await two.listSigningKeys(NOW), []);
      assert.equal(await countEvents(one, 'signing_key.dropped'), 1);
      assert.equal(await one.addSigningKey({ ...signingKey, kid: 'key-2' }, 'onlyIfNone', happened('signing_key.added')), 'added');
    });
  });

  describe('rate limits', () => {
    const limit = { limit: 20, periodSeconds: 60 };
    const nowMs = NOW * 1000;

    test('[DCR-14] [RATE-01] [OPS-05] a bucket gives its whole limit at once and refills evenly, shared by all nodes', async () => {
      const [one, two] = freshTenant(nodes());
      const outcomes = await times(50, (index) => (index % 2 ? one : two).takeFrom('register', limit, nowMs));

      assert.equal(outcomes.filter(({ allowed }) => allowed).length, 20);
      assert.deepEqual(await one.takeFrom('register', limit, nowMs), { allowed: false, retryAfter: 3 });
      assert.deepEqual(await one.takeFrom('register', limit, nowMs + 2999), { allowed: false, retryAfter: 1 });
      assert.deepEqual(await one.takeFrom('register', limit, nowMs + 3000), { allowed: true });
      assert.deepEqual(await one.takeFrom('register', limit, nowMs + 3000), { allowed: false, retryAfter: 3 });
      assert.deepEqual(await one.takeFrom('another', limit, nowMs), { allowed: true });
    });

    test('[RATE-01] [OPS-05] what is given back can be taken again by any node, and a full bucket stays full', async () => {
      const [one, two] = freshTenant(nodes());
      for (let taken = 0; taken < 20; taken++) await one.takeFrom('tries', limit, nowMs);
      assert.equal((await two.takeFrom('tries', limit, nowMs)).allowed, false);

      await two.giveBackTo('tries', limit);
      const again = await times(2, () => one.takeFrom('tries', limit, nowMs));
      for (let given = 0; given < 40; given++) await two.giveBackTo('tries', limit);
      const later = await times(50, () => one.takeFrom('tries', limit, nowMs));

      assert.equal(again.filter(({ allowed }) => allowed).length, 1);
      assert.equal(later.filter(({ allowed }) => allowed).length, 20);
      await one.giveBackTo('nobody took from this one', limit);
    });

    test('[RATE-01] a limit that does not divide its period still gives its whole number', async () => {
      const [store] = freshTenant(nodes());
      const outcomes = await times(10, () => store.takeFrom('odd', { limit: 7, periodSeconds: 1 }, nowMs));

      assert.equal(outcomes.filter(({ allowed }) => allowed).length, 7);
    });
  });

  describe('ids that may be used once', () => {
    const once = { kind: 'client_assertion', idHash: 'id-1', now: NOW, expiresAt: NOW + 60 } as const;

    test('[CA-06] of fifty parallel uses of an id, on two nodes, exactly one wins', async () => {
      const [one, two] = freshTenant(nodes());
      const outcomes = await times(50, (index) => (index % 2 ? one : two).useOnce(once));

      assert.deepEqual([count(outcomes, true), count(outcomes, false)], [1, 49]);
      assert.equal(await two.useOnce({ ...once, now: NOW + 59 }), false);
    });

    test('the same id of another kind, and another id, are other ids', async () => {
      const [store] = freshTenant(nodes());
      await store.useOnce(once);

      assert.equal(await store.useOnce({ ...once, kind: 'dpop_proof' }), true);
      assert.equal(await store.useOnce({ ...once, idHash: 'id-2' }), true);
      assert.equal(await store.useOnce(once), false);
    });

    test('an id is free again when its time is over, to the second, and a refused use does not prolong it', async () => {
      const [one, two] = freshTenant(nodes());
      await one.useOnce(once);
      assert.equal(await one.useOnce({ ...once, now: NOW + 59, expiresAt: NOW + 600 }), false);
      const again = await times(10, (index) => (index % 2 ? one : two).useOnce({ ...once, now: NOW + 60, expiresAt: NOW + 120 }));

      assert.equal(count(again, true), 1);
      assert.equal(await one.useOnce({ ...once, now: NOW + 119, expiresAt: NOW + 180 }), false);
    });

    test('sweeping forgets the ids whose time is over and no others', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await store.useOnce(once);
      await store.useOnce({ ...once, idHash: 'longer', expiresAt: NOW + 61 });
      while ((await one.sweep(NOW + 60, 500)) > 0);

      // Asked as of a moment at which both still stood, only the row can refuse.
      assert.equal(await store.useOnce(once), true);
      assert.equal(await store.useOnce({ ...once, idHash: 'longer' }), false);
    });
  });

  describe('events', () => {
    test('events are listed newest first, by person, by grant and by type, with exactly what was recorded', async () => {
      const [store] = freshTenant(nodes());
      const about = { userId: 'usr_alice', clientId: 'client_1', serverId: 'srv_files', grantId: 'grant_1', address: '192.0.2.1', requestId: 'req_1' };
      const full = happened('code.replayed', NOW + 2, { ...about, detail: { reason: 'used', tries: 2, final: true, scopes: ['a'] } });
      const plain = happened('user.signed_in', NOW + 1, { userId: 'usr_alice' });
      const other = happened('user.signed_in', NOW, { userId: 'usr_bob', grantId: 'grant_1' });
      for (const event of [other, full, plain]) await store.recordEvent(event);

      assert.deepEqual(await store.listEvents({ limit: 10 }), [full, plain, other]);
      assert.deepEqual(await store.listEvents({ limit: 2 }), [full, plain]);
      assert.deepEqual(await store.listEvents({ userId: 'usr_alice', limit: 10 }), [full, plain]);
      assert.deepEqual(await store.listEvents({ grantId: 'grant_1', limit: 10 }), [full, other]);
      assert.deepEqual(await store.listEvents({ grantId: 'grant_1', userId: 'usr_bob', limit: 10 }), [other]);
      assert.deepEqual(await store.listEvents({ type: 'user.signed_in', limit: 10 }), [plain, other]);
      assert.deepEqual(await store.listEvents({ type: 'user.signed_in', userId: 'usr_bob', limit: 10 }), [other]);
    });

    test('an event is recorded once', async () => {
      const [store] = freshTenant(nodes());
      const event = happened('user.signed_in');
      await store.recordEvent(event);

      await assert.rejects(store.recordEvent(event), ConstraintError);
    });
  });

  describe('the database', () => {
    test('tenants are added once and listed; facts are remembered and replaced', async () => {
      const { one, two } = nodes();
      const tenant = freshTenant(nodes())[0].tenant;
      const row = { tenant, name: 'Acme', createdAt: NOW };
      const outcomes = await times(4, (index) => (index % 2 ? one : two).addTenant(row));

      assert.equal(count(outcomes, 'added'), 1);
      assert.deepEqual([await two.hasTenant(tenant), await two.hasTenant(`${tenant}x`)], [true, false]);
      assert.ok((await one.listTenants()).some((each) => each.tenant === tenant && each.name === 'Acme' && each.createdAt === NOW));
      await one.setFact(`fact-${tenant}`, 'first');
      await two.setFact(`fact-${tenant}`, 'second');
      assert.deepEqual([await one.fact(`fact-${tenant}`), await one.fact('fact-none')], ['second', undefined]);
      await one.ping();
    });

    test('sweeping deletes what is over in batches and nothing else', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.startSession(session, undefined, happened('user.signed_in'));
      await store.addSigningKey(signingKey, 'onlyIfNone', happened('signing_key.added'));
      await store.ensureMachineGrant(machineGrant, happened('grant.machine_approved'));
      await store.parkRequest({ ...parked, idHash: 'open' });
      await store.revokeAccessToken('jti-1', NOW + 3600, happened('token.revoked'));
      await store.attempt('account', NOW);
      await store.takeFrom('bucket', { limit: 1, periodSeconds: 60 }, NOW * 1000);
      while ((await one.sweep(NOW, 3)) > 0);

      assert.ok(await store.findSession('session-1', NOW));
      assert.ok(await store.findRequest('open', NOW));
      assert.ok(await store.findCode('code-1', NOW));
      assert.equal((await store.findFamily('family-1', NOW))?.standing, true);
      assert.equal((await store.standing({ grantId: 'grant_1', jti: 'jti-1', now: NOW }))?.active, false);
      assert.equal((await store.listSigningKeys(NOW)).length, 1);
      assert.deepEqual(await store.takeFrom('bucket', { limit: 1, periodSeconds: 60 }, NOW * 1000), { allowed: false, retryAfter: 60 });
    });

    test('[COD-06] a redeemed code is swept ten minutes after its end, not before', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await connect(store);
      while ((await one.sweep(code.expiresAt + 599, 500)) > 0);
      assert.ok((await store.findCode('code-1', NOW))?.code.redeemedAt);
      while ((await one.sweep(code.expiresAt + 600, 500)) > 0);

      assert.equal(await store.findCode('code-1', NOW), undefined);
    });

    test('[RT-07] a family that is over stays while its grant has not ended, and goes with it', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await connect(store);
      await approve(store, '2');
      await redeem(store, '2');
      await store.lapseGrant('grant_2', 'unused', happened('grant.lapsed', family.idleExpiresAt));
      while ((await one.sweep(family.idleExpiresAt, 2)) > 0);

      assert.equal((await store.findGrant('grant_1'))?.revokedAt, undefined);
      assert.deepEqual([(await store.findFamily('family-1', NOW))?.standing, await store.findFamily('family-2', NOW)], [true, undefined]);
    });

    test('sweeping ends sessions, requests, links, limits, attempts, revoked tokens, keys and forgotten documents', async () => {
      const { one } = nodes();
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.startSession(session, undefined, happened('user.signed_in'));
      await store.parkRequest(parked);
      await store.addSetupLink('link', NOW, NOW + 600);
      await store.revokeAccessToken('jti-1', NOW + 3600, happened('token.revoked'));
      await times(4, () => store.attempt('account', NOW));
      await store.addSigningKey({ ...signingKey, signsUntil: NOW, publishedUntil: NOW + 10 }, 'onlyIfNone', happened('signing_key.added'));
      await store.saveDocument({ url: 'https://once.example', metadata: { ...parkedMetadata }, fetchedAt: NOW, freshUntil: NOW });
      await store.saveDocument({ url: 'https://kept.example', metadata: { ...parkedMetadata }, fetchedAt: NOW, freshUntil: NOW });
      await approve(store, 'kept', { clientId: 'https://kept.example' });
      while ((await one.sweep(NOW + 31 * DAY, 500)) > 0);

      assert.equal(await store.findSession('session-1', NOW), undefined);
      assert.equal(await store.findRequest('request-1', NOW), undefined);
      assert.equal(await store.setupLinkOpen('link', NOW), false);
      assert.deepEqual(await store.attempt('account', NOW), { allowed: true });
      assert.deepEqual(await store.listSigningKeys(NOW), []);
      assert.equal(await store.findDocument('https://once.example'), undefined);
      assert.ok(await store.findDocument('https://kept.example'));
      assert.equal((await store.standing({ grantId: 'grant_kept', jti: 'jti-1', now: NOW }))?.active, true);
    });
  });
}

const parkedMetadata = { redirectUris: ['https://app.example/cb'], grantTypes: [], responseTypes: [], tokenEndpointAuthMethod: 'none' as const };
