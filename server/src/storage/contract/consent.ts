/**
 * The part of the storage contract about consent: parked requests, grants of people and machines, what stands and what is remembered.
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
  DAY,
  freshTenant,
  grant,
  happened,
  machineGrant,
  NOW,
  type Nodes,
  parked,
  pushed,
  rotate,
  session,
  settle,
  signIn,
  times,
} from './fixtures.ts';

const approval = { idHash: 'request-1', answer: 'sealed answer', grant, code, now: NOW };
const triple = { userId: 'usr_alice', clientId: 'client_1', resource: 'https://files.example' };
const exact = { ...triple, redirectUri: 'http://localhost:3000/callback', clientDigest: 'digest' };

export function consentContract(nodes: () => Nodes): void {
  describe('authorization requests', () => {
    test('[LOG-03] a parked request is found until it expires, with exactly what was stored', async () => {
      const [store] = freshTenant(nodes());
      await store.parkRequest(parked);

      assert.deepEqual(await store.findRequest('request-1', NOW + 599), parked);
      assert.equal(await store.findRequest('request-1', NOW + 600), undefined);
      assert.equal(await store.findRequest('request-2', NOW), undefined);
    });

    test('[CON-06] of parallel approvals of one request exactly one makes a grant and a code', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await one.parkRequest(parked);
      const outcomes = await times(10, (index) => {
        const late = {
          ...approval,
          answer: `answer ${index}`,
          grant: { ...grant, id: `grant_${index}` },
          code: { ...code, codeHash: `code-${index}`, grantId: `grant_${index}` },
        };
        return (index % 2 ? one : two).approveRequest(late, happened('grant.approved'));
      });

      const winner = outcomes.indexOf('approved');
      assert.deepEqual([count(outcomes, 'approved'), count(outcomes, 'answered')], [1, 9]);
      assert.deepEqual(
        (await one.listGrants({}, NOW)).map(({ id }) => id),
        [`grant_${winner}`],
      );
      assert.deepEqual(await one.findRequest('request-1', NOW), { ...parked, answeredAt: NOW, answer: `answer ${winner}` });
      const found = await times(10, (index) => one.findCode(`code-${index}`, NOW));
      assert.deepEqual(
        found.flatMap((each, index) => (each === undefined ? [] : [index])),
        [winner],
      );
      assert.equal(await countEvents(one, 'grant.approved'), 1);
    });

    test('[CON-06] of a yes and a new password in one moment, the yes comes first and its grant ends, or it is too late', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await two.listGrants({}, NOW);
      for (let round = 0; round < 40; round++) {
        const [idHash, sessionHash, id] = [`request-${round}`, `session-${round}`, `grant_${round}`];
        assert.equal(await signIn(one, { idHash: sessionHash }), true);
        await one.parkRequest({ ...parked, idHash });
        const yes = { ...approval, idHash, sessionHash, grant: { ...grant, id }, code: { ...code, codeHash: `code-${round}`, grantId: id } };
        await Promise.all([one.approveRequest(yes, happened('grant.approved')), two.changePassword('usr_alice', 'hash', happened('user.password_changed'))]);
        assert.deepEqual(await one.listGrants({}, NOW), []);
      }
    });

    test('[CON-06] a session that has ended allows nothing, and the request and the reference it was pushed by stay open', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.parkRequest(parked);
      await store.pushRequest(pushed);
      await store.startSession(session, undefined, happened('user.signed_in'));
      const yes = { ...approval, pushedHash: pushed.referenceHash };

      assert.equal(await store.approveRequest({ ...yes, sessionHash: 'another' }, happened('grant.approved')), 'answered');
      assert.deepEqual([await store.listGrants({}, NOW), await countEvents(store, 'grant.approved')], [[], 0]);
      assert.equal(await store.approveRequest({ ...yes, sessionHash: session.idHash }, happened('grant.approved')), 'approved');
    });

    test('[CON-06] approving after denying, denying after approving, and approving late change nothing', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.parkRequest(parked);
      await store.parkRequest({ ...parked, idHash: 'request-2' });
      await store.parkRequest({ ...parked, idHash: 'request-3' });
      const deny = (idHash: string) => store.denyRequest({ idHash, answer: 'denied', now: NOW }, happened('grant.denied'));

      assert.deepEqual([await deny('request-1'), await deny('request-1')], ['denied', 'answered']);
      assert.equal(await store.approveRequest(approval, happened('grant.approved')), 'answered');
      assert.equal(await store.approveRequest({ ...approval, idHash: 'request-2', now: NOW + 600 }, happened('grant.approved')), 'answered');
      assert.equal(await store.findGrant('grant_1'), undefined);
      assert.equal(await store.approveRequest({ ...approval, idHash: 'request-3' }, happened('grant.approved')), 'approved');
      assert.equal(await deny('request-3'), 'answered');
      assert.equal((await store.findRequest('request-3', NOW))?.answer, 'sealed answer');
      assert.deepEqual([await countEvents(store, 'grant.denied'), await countEvents(store, 'grant.approved')], [1, 1]);
    });
  });

  describe('codes that are carried by hand', () => {
    const reissue = (store: Store, suffix = '1', from = 'sealed answer', old = `code-${suffix}`, now = NOW + 50) =>
      store.reissueCode(
        { idHash: `request-${suffix}`, from: { answer: from, codeHash: old }, to: { answer: 'again', codeHash: `next-${suffix}` }, now, expiresAt: now + 60 },
        happened('grant.hand_off_extended', now),
      );

    test('a code and its answer get a successor once, while both are those that were shown and the code is good', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await approve(one);
      assert.deepEqual([await reissue(one, '1', 'another'), await reissue(one, '1', 'sealed answer', 'another')], ['over', 'over']);
      assert.equal(await reissue(one, '1', 'sealed answer', 'code-1', NOW + 60), 'over');
      assert.deepEqual((await one.findCode('code-1', NOW))?.code, code);
      assert.equal((await one.findRequest('request-1', NOW))?.answer, 'sealed answer');
      const outcomes = await times(4, (index) => reissue(index % 2 ? one : two));

      assert.deepEqual([count(outcomes, 'reissued'), count(outcomes, 'over')], [1, 3]);
      assert.equal(await one.findCode('code-1', NOW), undefined);
      assert.deepEqual((await two.findCode('next-1', NOW))?.code, { ...code, codeHash: 'next-1', expiresAt: NOW + 110 });
      assert.equal((await two.findRequest('request-1', NOW + 50))?.answer, 'again');
      assert.equal(await countEvents(one, 'grant.hand_off_extended'), 1);
    });

    test('of a code that is redeemed and made longer in one moment, one happens and the other is told so', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      const seen = [];
      for (let round = 0; round < 60; round++) {
        await approve(one, `${round}`);
        const redemption = { codeHash: `code-${round}`, now: NOW + 50, redemptionId: `redemption-${round}` };
        seen.push((await Promise.all([reissue(one, `${round}`), two.redeemCode(redemption)])).join(' and '));
      }

      const either = ['reissued and spent', 'over and redeemed'];
      assert.deepEqual(
        seen.filter((outcome) => !either.includes(outcome)),
        [],
      );
      assert.equal(await countEvents(one, 'grant.hand_off_extended'), count(seen, 'reissued and spent'));
    });
  });

  describe('pushed requests', () => {
    test('[PAR-03] a pushed request is found until it ends, with exactly what was stored', async () => {
      const [store] = freshTenant(nodes());
      await store.pushRequest(pushed);

      assert.deepEqual(await store.findPushedRequest('reference-1', NOW + 59), pushed);
      assert.equal(await store.findPushedRequest('reference-1', NOW + 60), undefined);
      assert.equal(await store.findPushedRequest('reference-2', NOW), undefined);
    });

    test('[PAR-03] however often a pushed request was begun, exactly one answer is given', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      await one.pushRequest(pushed);
      const request = { ...parked.request, pushedHash: 'reference-1' };
      await times(10, (index) => one.parkRequest({ ...parked, idHash: `tab-${index}`, request }));
      const outcomes = await times(10, (index) => {
        const store = index % 2 ? one : two;
        const answer = { idHash: `tab-${index}`, answer: 'a', now: NOW + 90, pushedHash: 'reference-1' };
        if (index % 3 === 0) return store.denyRequest(answer, happened('grant.denied'));
        const approved = { ...answer, grant: { ...grant, id: `grant_${index}` }, code: { ...code, codeHash: `code-${index}`, grantId: `grant_${index}` } };
        return store.approveRequest(approved, happened('grant.approved'));
      });

      assert.equal(count(outcomes, 'answered'), 9);
      assert.equal((await countEvents(one, 'grant.approved')) + (await countEvents(one, 'grant.denied')), 1);
      assert.equal((await one.listGrants({}, NOW)).length, count(outcomes, 'approved'));
      assert.equal(await two.findPushedRequest('reference-1', NOW), undefined);
    });

    test('[PAR-03] an answer that comes to nothing uses no reference up', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await store.pushRequest(pushed);
      await store.parkRequest(parked);

      assert.equal(await store.approveRequest({ ...approval, pushedHash: 'reference-2' }, happened('grant.approved')), 'answered');
      assert.equal(await store.approveRequest({ ...approval, now: NOW + 600, pushedHash: 'reference-1' }, happened('grant.approved')), 'answered');
      assert.notEqual(await store.findPushedRequest('reference-1', NOW), undefined);
      assert.equal((await store.findRequest('request-1', NOW))?.answeredAt, undefined);
    });
  });

  describe('grants', () => {
    test('a grant is found with exactly what the person saw and allowed', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await approve(store);

      assert.deepEqual(await store.findGrant('grant_1'), grant);
      assert.equal(await store.findGrant('grant_2'), undefined);
    });

    test('[CON-07] a grant is revoked once, and its refresh family with it', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);

      const outcomes = await times(6, (index) => (index % 2 ? one : two).revokeGrant('grant_1', 'person', happened('grant.revoked', NOW + 1)));
      assert.equal(count(outcomes, true), 1);
      assert.deepEqual(await two.findGrant('grant_1'), { ...grant, revokedAt: NOW + 1, revokedReason: 'person' });
      assert.equal((await one.standing({ grantId: 'grant_1', jti: 'j', now: NOW + 1 }))?.active, false);
      assert.equal((await one.findFamily('family-1', NOW + 1))?.family.revokedAt, NOW + 1);
      assert.deepEqual(await rotate(one, 'rt-0', 'rt-1', NOW + 2), { outcome: 'dead' });
      assert.equal(await countEvents(one, 'grant.revoked'), 1);
    });

    test('[CON-07] disconnecting an agent ends every grant of that person for that client on that resource, and nothing else', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await approve(one, '2', { createdAt: NOW + 1 });
      await approve(one, '3', { resource: 'https://other.example', serverId: undefined });
      await approve(one, '4', { clientId: 'client_2' });
      await approve(one, '5', { userId: 'usr_bob' });

      assert.equal(await one.disconnectAgent('usr_bob', 'grant_1', 'person', happened('grant.revoked')), false);
      const outcomes = await times(6, (index) =>
        (index % 2 ? one : two).disconnectAgent('usr_alice', index % 2 ? 'grant_1' : 'grant_2', 'person', happened('grant.revoked', NOW + 1)),
      );

      assert.equal(count(outcomes, true), 1);
      const living = async (id: string) => (await two.findGrant(id))?.revokedAt === undefined;
      assert.deepEqual(await Promise.all(['grant_1', 'grant_2', 'grant_3', 'grant_4', 'grant_5'].map(living)), [false, false, true, true, true]);
      assert.equal((await one.findFamily('family-1', NOW + 1))?.family.revokedAt, NOW + 1);
      assert.equal(await countEvents(one, 'grant.revoked'), 1);
    });

    test('[CON-07] people list their agents, and operators the grants of a client, a person or a server', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await approve(store, '2', { createdAt: NOW + 1, expiresAt: NOW + 100 });
      await approve(store, '3', { createdAt: NOW + 2 });
      await store.revokeGrant('grant_3', 'person', happened('grant.revoked'));
      const second = { ...grant, id: 'grant_2', createdAt: NOW + 1, expiresAt: NOW + 100 };
      const ids = async (filter: Parameters<Store['listGrants']>[0]) => (await store.listGrants(filter, NOW)).map(({ id }) => id);

      assert.deepEqual(await store.listAgents('usr_alice', NOW), [
        { ...second, serverName: 'Files' },
        { ...grant, serverName: 'Files', familyExpiresAt: NOW + 30 * DAY },
      ]);
      assert.deepEqual(
        (await store.listAgents('usr_alice', NOW + 100)).map(({ id }) => id),
        ['grant_1'],
      );
      assert.deepEqual(await store.listAgents('usr_bob', NOW), []);
      for (const filter of [
        {},
        { clientId: 'client_1' },
        { userId: 'usr_alice' },
        { serverId: 'srv_files' },
        { clientId: 'client_1', userId: 'usr_alice', serverId: 'srv_files' },
      ]) {
        assert.deepEqual(await ids(filter), ['grant_2', 'grant_1']);
      }
      for (const filter of [{ clientId: 'client_2' }, { userId: 'usr_alice', clientId: 'client_2' }, { clientId: 'client_1', serverId: 'srv_notes' }]) {
        assert.deepEqual(await ids(filter), []);
      }
    });

    test('[CON-03] [CIMD-16] consent is remembered for the same person, client, resource, redirect URI and metadata only', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await approve(store, '2', { createdAt: NOW + 5, scope: ['files:read', 'files:write'] });

      assert.deepEqual(await store.rememberedConsent(exact, NOW), { grantId: 'grant_2', scope: ['files:read', 'files:write'], createdAt: NOW + 5 });
      for (const other of [
        { userId: 'usr_bob' },
        { clientId: 'client_2' },
        { resource: 'https://x.example' },
        { redirectUri: 'http://localhost:3001/callback' },
        { clientDigest: 'changed' },
      ]) {
        assert.equal(await store.rememberedConsent({ ...exact, ...other }, NOW), undefined);
      }
      await store.revokeGrant('grant_2', 'person', happened('grant.revoked'));
      assert.equal((await store.rememberedConsent(exact, NOW))?.grantId, 'grant_1');
    });

    test('step-up sees the union of what living grants of the same person, client and resource allow', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await approve(store, '2', { scope: ['files:write'], redirectUri: 'https://elsewhere.example/cb' });
      await approve(store, '3', { scope: ['files:delete'], expiresAt: NOW + 10 });
      await approve(store, '4', { scope: ['admin'], resource: 'https://notes.example' });
      const namesAt = async (now: number) => (await store.allowedScopes(triple, now)).map(({ name }) => name);

      assert.deepEqual((await namesAt(NOW)).sort(), ['files:delete', 'files:read', 'files:write']);
      assert.deepEqual((await namesAt(NOW + 10)).sort(), ['files:read', 'files:write']);
      assert.deepEqual(await store.allowedScopes({ ...triple, clientId: 'client_2' }, NOW), []);
      const same = { ...triple, redirectUri: 'http://localhost:3000/callback', clientDigest: 'digest' };
      assert.deepEqual((await store.allowedScopesSame(same, NOW)).map(({ name }) => name).sort(), ['files:delete', 'files:read']);
      assert.deepEqual(await store.allowedScopesSame({ ...same, clientDigest: 'changed' }, NOW), []);
    });

    test('[CON-03] what was allowed is told with its first day and its last, and what was allowed once is neither remembered nor told', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      await store.revokeGrant('grant_1', 'person', happened('grant.revoked'));
      await approve(store, '2', { createdAt: NOW - 20, scope: ['files:read', 'files:write'], expiresAt: NOW + 10 });
      await approve(store, '3', { createdAt: NOW - 10, scope: ['files:read'], expiresAt: NOW + 20 });
      await approve(store, '4', { createdAt: NOW - 5, scope: ['files:write'] });
      await approve(store, '5', { createdAt: NOW, scope: ['files:read', 'files:delete'], expiresAt: NOW + 30, once: true });

      assert.deepEqual(
        (await store.allowedScopes(triple, NOW)).toSorted((one, two) => one.name.localeCompare(two.name)),
        [
          { name: 'files:read', since: NOW - 20, until: NOW + 20 },
          { name: 'files:write', since: NOW - 20 },
        ],
      );
      assert.deepEqual(await store.rememberedConsent(exact, NOW), { grantId: 'grant_4', scope: ['files:write'], createdAt: NOW - 5 });
      await store.revokeGrant('grant_4', 'person', happened('grant.revoked'));
      assert.equal((await store.rememberedConsent(exact, NOW))?.expiresAt, NOW + 20);
      assert.equal((await store.findGrant('grant_5'))?.once, true);
    });

    test('a machine has one living grant per resource, however many tokens it asks for at once on two nodes', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      const outcomes = await times(12, (index) =>
        (index % 2 ? one : two).ensureMachineGrant(
          { ...machineGrant, id: `grant_${index}` },
          happened('grant.machine_approved', NOW, { grantId: `grant_${index}` }),
        ),
      );

      assert.equal(new Set(outcomes.map(({ id }) => id)).size, 1);
      assert.deepEqual(
        (await one.listGrants({ clientId: 'client_m' }, NOW)).map(({ id }) => id),
        [outcomes[0]?.id],
      );
      assert.equal(await countEvents(one, 'grant.machine_approved'), 1);
      assert.deepEqual(await one.standing({ grantId: outcomes[0]?.id ?? '', jti: 'j', now: NOW }), { active: true });
    });

    test('a machine grant is widened, never narrowed, and made anew once revoked or over', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      const ensure = (id: string, scope: string[], at = NOW) =>
        one.ensureMachineGrant({ ...machineGrant, id, scope, createdAt: at, expiresAt: at + DAY }, happened('grant.machine_approved', at));
      await ensure('grant_a', ['a']);
      const widened = await times(6, (index) =>
        (index % 2 ? one : two).ensureMachineGrant({ ...machineGrant, id: `grant_${index}`, scope: [`s${index}`] }, happened('grant.machine_approved')),
      );

      assert.ok(widened.every(({ id, scope }, index) => id === 'grant_a' && scope.includes(`s${index}`)));
      assert.deepEqual((await ensure('grant_b', ['a'])).scope.toSorted(), ['a', 's0', 's1', 's2', 's3', 's4', 's5']);
      await one.revokeGrant('grant_a', 'operator', happened('grant.revoked'));
      assert.deepEqual(await ensure('grant_c', ['b']), { id: 'grant_c', scope: ['b'] });
      assert.deepEqual(await ensure('grant_d', ['b'], NOW + DAY), { id: 'grant_d', scope: ['b'] });
      assert.equal((await one.findGrant('grant_c'))?.revokedReason, 'expired');
    });
  });

  describe('what stands', () => {
    const question = { keyHash: 'key-hash', grantId: 'grant_1', jti: 'jti-1', now: NOW };

    test('[INT-02] [INT-03] one question tells whose key asks and whether the grant stands', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      const key = { id: 'sk_files', serverId: 'srv_files', resource: 'https://files.example', expiresAt: NOW + 365 * DAY };
      const living = { active: true, userId: 'usr_alice', username: 'Alice', email: 'Alice@Example.com' };

      assert.deepEqual(await store.standingForKey(question), { key, grant: living });
      assert.deepEqual(await store.standing(question), living);
      assert.deepEqual(await store.standingForKey({ ...question, grantId: 'grant_none' }), { key });
      assert.equal(await store.standing({ ...question, grantId: 'grant_none' }), undefined);
      assert.equal(await store.standingForKey({ ...question, keyHash: 'none' }), undefined);
    });

    test('[REV-04] a revoked access token is inactive from the next question on, its siblings are not', async () => {
      const [one, two] = freshTenant(nodes());
      await connect(one);
      await one.revokeAccessToken('jti-1', NOW + 3600, happened('token.revoked'));
      await one.revokeAccessToken('jti-1', NOW + 3600, happened('token.revoked'));

      assert.equal((await two.standingForKey(question))?.grant?.active, false);
      assert.equal((await two.standing(question))?.active, false);
      assert.equal((await two.standingForKey({ ...question, jti: 'jti-2' }))?.grant?.active, true);
    });

    test('[INT-02] a grant that is over is inactive', async () => {
      const [store] = freshTenant(nodes());
      await settle(store);
      await approve(store, '1', { expiresAt: NOW + 10 });

      assert.equal((await store.standingForKey({ ...question, now: NOW + 9 }))?.grant?.active, true);
      assert.equal((await store.standingForKey({ ...question, now: NOW + 10 }))?.grant?.active, false);
      assert.equal((await store.standing({ ...question, now: NOW + 10 }))?.active, false);
    });

    test('last-use times are written in batches and only move forward', async () => {
      const [store] = freshTenant(nodes());
      await connect(store);
      const many = new Map(Array.from({ length: 120 }, (_, index) => [`grant_none_${index}`, NOW] as const));
      const use = (at: number) =>
        store.recordUse({ grants: new Map([...many, ['grant_1', at]]), keys: new Map([['sk_files', at]]), clients: new Map([['client_1', at]]) });
      await use(NOW + 50);
      await use(NOW + 40);

      const times = [
        (await store.findGrant('grant_1'))?.lastUsedAt,
        (await store.findKey('key-hash'))?.lastUsedAt,
        (await store.findClient('client_1'))?.lastUsedAt,
      ];
      assert.deepEqual(times, [NOW + 50, NOW + 50, NOW + 50]);
    });
  });
}
