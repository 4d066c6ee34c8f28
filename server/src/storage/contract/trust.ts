/**
 * The part of the storage contract about the word of others: trusted issuers, who their subjects are here, the grants that stand on them, and where our own
 * assertions may go.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NewUser, Store, TrustedIssuer } from '../store.ts';
import { alice, count, countEvents, DAY, files, freshTenant, grant, happened, NOW, type Nodes, settle, times } from './fixtures.ts';

const idp: TrustedIssuer = {
  issuer: 'https://idp.example',
  kind: 'identity',
  jwks: { keys: [{ kty: 'EC', kid: 'a' }] },
  provisioning: 'create',
  once: true,
  createdAt: NOW,
};
const ci: TrustedIssuer = { issuer: 'https://ci.example', kind: 'workload', jwksUri: 'https://ci.example/keys', once: false, createdAt: NOW };
const person = (index: number): NewUser => ({ id: `usr_${index}`, username: `person-${index}`, role: 'user', createdAt: NOW });
const asserted = (id: string, more: { scope?: string[]; expiresAt?: number; createdAt?: number } = {}) => ({
  ...grant,
  id,
  userId: 'usr_alice',
  resource: files.resource,
  expiresAt: NOW + 3600,
  ...more,
});

async function trusting(nodes: Nodes): Promise<[Store, Store]> {
  const [one, two] = freshTenant(nodes);
  await settle(one);
  await one.addIssuer(idp, happened('issuer.trusted'));
  await one.addIssuer(ci, happened('issuer.trusted'));
  return [one, two];
}

export function trustContract(nodes: () => Nodes): void {
  describe('trusted issuers', () => {
    test('an issuer is trusted once, with exactly what was said of it', async () => {
      const [one, two] = await trusting(nodes());

      assert.equal(await two.addIssuer({ ...idp, provisioning: 'linked' }, happened('issuer.trusted')), 'taken');
      assert.deepEqual(await one.listIssuers(), [ci, idp]);
      assert.deepEqual([await two.findIssuer(idp.issuer), await two.findIssuer('https://other.example')], [idp, undefined]);
      assert.equal(await countEvents(one, 'issuer.trusted'), 2);
    });

    test('[JAG-10] of parallel links of a subject one holds, and only known people of known issuers are linked', async () => {
      const [one, two] = await trusting(nodes());
      const outcomes = await times(10, (index) =>
        (index % 2 ? one : two).linkIdentity({ issuer: idp.issuer, subject: 's', userId: index % 2 ? 'usr_alice' : 'usr_bob' }, happened('identity.linked')),
      );

      assert.equal(count(outcomes, true), 1);
      const userId = outcomes.indexOf(true) % 2 ? 'usr_alice' : 'usr_bob';
      assert.equal((await two.findLinkedUser(idp.issuer, 's'))?.id, userId);
      assert.deepEqual([await one.findLinkedUser(idp.issuer, 'S'), await one.findLinkedUser(ci.issuer, 's')], [undefined, undefined]);
      for (const wrong of [{ userId: 'usr_never' }, { issuer: 'https://other.example' }])
        assert.equal(await one.linkIdentity({ issuer: idp.issuer, subject: 'new', userId: 'usr_alice', ...wrong }, happened('identity.linked')), false);
      assert.deepEqual(await one.listIdentities(idp.issuer), [{ subject: 's', userId }]);
      const unlinked = await times(4, (index) => (index % 2 ? one : two).unlinkIdentity(idp.issuer, 's', happened('identity.unlinked')));
      assert.ok(count(unlinked, true) >= 1);
      assert.equal(await one.findLinkedUser(idp.issuer, 's'), undefined);
    });

    test('[JAG-10] of parallel assertions about a new subject one makes the person, and nobody is made in vain', async () => {
      const [one, two] = await trusting(nodes());
      const before = (await one.listUsers()).length;
      const outcomes = await times(10, (index) =>
        (index % 2 ? one : two).provisionIdentity({ issuer: idp.issuer, subject: 'new', user: person(index) }, happened('identity.provisioned')),
      );

      assert.equal(count(outcomes, true), 1);
      assert.equal((await one.findLinkedUser(idp.issuer, 'new'))?.id, `usr_${outcomes.indexOf(true)}`);
      assert.equal((await one.listUsers()).length, before + 1);
      assert.equal(await countEvents(one, 'identity.provisioned'), 1);
    });

    test('[JAG-10] a taken username or e-mail never becomes a link to the person who has it', async () => {
      const [store] = await trusting(nodes());
      for (const taken of [{ username: 'ALICE' }, { email: alice.email ?? '' }])
        assert.equal(
          await store.provisionIdentity({ issuer: idp.issuer, subject: 'x', user: { ...person(1), ...taken } }, happened('identity.provisioned')),
          false,
        );

      assert.equal(await store.findLinkedUser(idp.issuer, 'x'), undefined);
      assert.deepEqual(await store.listIdentities(idp.issuer), []);
      assert.equal(await store.provisionIdentity({ issuer: idp.issuer, subject: 'x', user: person(1) }, happened('identity.provisioned')), true);
    });

    test('a workload subject acts as one client', async () => {
      const [one, two] = await trusting(nodes());
      const outcomes = await times(6, (index) =>
        (index % 2 ? one : two).addWorkload({ issuer: ci.issuer, subject: 'repo:a/*', clientId: `client-${index}` }, happened('workload.added')),
      );

      assert.equal(count(outcomes, true), 1);
      assert.deepEqual(await one.listWorkloads(ci.issuer), [{ subject: 'repo:a/*', clientId: `client-${outcomes.indexOf(true)}` }]);
      assert.equal(await one.addWorkload({ issuer: 'https://other.example', subject: 'x', clientId: 'c' }, happened('workload.added')), false);
      assert.equal(await one.removeWorkload(ci.issuer, 'repo:a/*', happened('workload.removed')), true);
      assert.equal(await one.removeWorkload(ci.issuer, 'repo:a/*', happened('workload.removed')), false);
      assert.deepEqual(await two.listWorkloads(ci.issuer), []);
    });

    test('of first assertions at once one makes the grant, and the end of their issuer leaves nothing of them', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      for (const round of [1, 2, 3]) {
        const issuer = `https://idp${round}.example`;
        await one.addIssuer({ ...idp, issuer }, happened('issuer.trusted'));
        const granted = await times(8, (index) =>
          (index % 2 ? one : two).ensureIssuerGrant({ issuer, grant: asserted(`grant_${round}${index}`) }, happened('grant.asserted')),
        );
        const living = async () => (await one.listGrants({ userId: asserted('').userId }, NOW)).map(({ id }) => id);

        assert.deepEqual(granted, Array(8).fill(granted[0]));
        assert.deepEqual(await living(), [granted[0]?.id]);
        assert.equal(await countEvents(one, 'grant.asserted'), round);
        await one.removeIssuer(issuer, happened('issuer.removed'));
        assert.deepEqual(await living(), []);
      }
    });

    test('one grant stands on the word of an issuer: prolonged, widened, begun anew when it was ended', async () => {
      const [one, two] = await trusting(nodes());
      const first = await one.ensureIssuerGrant({ issuer: idp.issuer, grant: asserted('grant_a', { scope: ['a'] }) }, happened('grant.asserted'));
      const again = await times(6, (index) =>
        (index % 2 ? one : two).ensureIssuerGrant(
          { issuer: idp.issuer, grant: asserted(`grant_${index}`, { scope: [`s${index}`], expiresAt: NOW + 4000 + index, createdAt: NOW + 1 }) },
          happened('grant.asserted'),
        ),
      );

      assert.deepEqual([first, ...again], Array(7).fill({ id: 'grant_a' }));
      const standing = await two.findGrant('grant_a');
      assert.deepEqual([standing?.expiresAt, standing?.scope.toSorted()], [NOW + 4005, ['a', 's0', 's1', 's2', 's3', 's4', 's5']]);
      assert.equal(await countEvents(one, 'grant.asserted'), 1);
      await one.revokeGrant('grant_a', 'person', happened('grant.revoked'));
      assert.deepEqual(await two.ensureIssuerGrant({ issuer: idp.issuer, grant: asserted('grant_b') }, happened('grant.asserted')), { id: 'grant_b' });
    });

    test('a grant that is over lives again with the next word of its issuer, with what is said now, and that is recorded once', async () => {
      const [one, two] = await trusting(nodes());
      await one.ensureIssuerGrant({ issuer: idp.issuer, grant: asserted('grant_a', { scope: ['a', 'b', 'c'] }) }, happened('grant.asserted'));
      await one.reduceAgent({ userId: 'usr_alice', grantId: 'grant_a', remove: ['a'] }, happened('grant.reduced'));
      const late = (index: number) => asserted(`grant_${index}`, { scope: ['a', 'b'], createdAt: NOW + DAY, expiresAt: NOW + DAY + 3600 });
      const again = await times(6, (index) =>
        (index % 2 ? one : two).ensureIssuerGrant({ issuer: idp.issuer, grant: late(index) }, happened('grant.asserted', NOW + DAY)),
      );

      assert.deepEqual(again, Array(6).fill({ id: 'grant_a', removedScope: ['a'] }));
      const { scope, expiresAt } = (await two.findGrant('grant_a')) ?? {};
      assert.deepEqual({ scope, expiresAt }, { scope: ['b'], expiresAt: NOW + DAY + 3600 });
      assert.equal(await countEvents(one, 'grant.asserted'), 2);
      const nothing = { ...late(7), scope: ['a'], createdAt: NOW + 2 * DAY, expiresAt: NOW + 3 * DAY };
      const refused = await one.ensureIssuerGrant({ issuer: idp.issuer, grant: nothing }, happened('grant.asserted', NOW + 2 * DAY));
      assert.deepEqual(refused, { id: 'grant_a', removedScope: ['a'] });
      assert.deepEqual(await two.listAgents('usr_alice', NOW + 2 * DAY), []);
    });

    test('[ACC-01] a pause and a hold outlast the silence of an issuer, are seen and can be ended', async () => {
      const [one, two] = await trusting(nodes());
      await one.addIssuer({ ...idp, issuer: 'https://second.example' }, happened('issuer.trusted'));
      const later = NOW + DAY;
      const say = (issuer = idp.issuer) =>
        two.ensureIssuerGrant({ issuer, grant: asserted('grant_b', { createdAt: later, expiresAt: later + 3600 }) }, happened('grant.asserted', later));
      await one.ensureIssuerGrant({ issuer: idp.issuer, grant: asserted('grant_a') }, happened('grant.asserted'));
      await one.pauseAgent('usr_alice', 'grant_a', happened('grant.paused'));

      assert.deepEqual(await say(), { id: 'grant_a', paused: true });
      assert.deepEqual(
        (await two.listAgents('usr_alice', later)).map(({ id, pausedAt }) => [id, pausedAt]),
        [['grant_a', NOW]],
      );
      const agent = { userId: 'usr_alice', clientId: grant.clientId, resource: files.resource };
      assert.deepEqual(await two.agentPause(agent, later), { by: 'agent', grantId: 'grant_a' });
      assert.deepEqual(await say('https://second.example'), { id: 'grant_b', paused: true }, 'another issuer');
      await two.resumeAgent('usr_alice', 'grant_a', happened('grant.resumed', later));
      assert.deepEqual(await two.listAgents('usr_alice', later + 3600), []);
      assert.equal(await one.placeHold({ id: 'inc_1', clientId: grant.clientId, createdAt: later + 3600 }, happened('grant.paused')), 2);
      assert.deepEqual(await say(), { id: 'grant_a', paused: true });
      await one.liftHold('inc_1', happened('grant.resumed'));
      assert.deepEqual(await say(), { id: 'grant_a' });
    });

    test('an issuer that is removed is believed nothing, and what stood on its word ends', async () => {
      const [one, two] = await trusting(nodes());
      await one.linkIdentity({ issuer: idp.issuer, subject: 's', userId: 'usr_alice' }, happened('identity.linked'));
      await one.ensureIssuerGrant({ issuer: idp.issuer, grant: asserted('grant_a') }, happened('grant.asserted'));
      await one.addWorkload({ issuer: ci.issuer, subject: 'job', clientId: 'c' }, happened('workload.added'));
      const outcomes = await times(4, (index) => (index % 2 ? one : two).removeIssuer(idp.issuer, happened('issuer.removed')));

      assert.equal(count(outcomes, true), 1);
      assert.equal((await two.findGrant('grant_a'))?.revokedReason, 'issuer_removed');
      assert.deepEqual([await one.findIssuer(idp.issuer), await one.findLinkedUser(idp.issuer, 's')], [undefined, undefined]);
      assert.equal((await one.listWorkloads(ci.issuer)).length, 1);
      assert.equal(await countEvents(one, 'issuer.removed'), 1);
      assert.equal(await two.ensureIssuerGrant({ issuer: idp.issuer, grant: asserted('grant_b') }, happened('grant.asserted')), undefined);
      assert.deepEqual([await one.findGrant('grant_b'), await countEvents(one, 'grant.asserted')], [undefined, 1]);
    });

    test('of assertions and the end of their issuer in one moment, the end wins', async () => {
      const [one, two] = freshTenant(nodes());
      await settle(one);
      for (const round of [1, 2, 3, 4, 5, 6]) {
        const issuer = `https://idp${round}.example`;
        await one.addIssuer({ ...idp, issuer }, happened('issuer.trusted'));
        const resources = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => `https://${name}${round}.example/mcp`);
        const asserting = resources.map((resource, index) =>
          (index % 2 ? one : two).ensureIssuerGrant({ issuer, grant: { ...asserted(`grant_${round}${index}`), resource } }, happened('grant.asserted')),
        );
        await Promise.all([...asserting.slice(0, 4), two.removeIssuer(issuer, happened('issuer.removed')), ...asserting.slice(4)]);

        assert.deepEqual(await one.listGrants({ userId: asserted('').userId }, NOW), []);
      }
    });
  });

  describe('targets of our own assertions', () => {
    test('[JAG-11] a client has one target for an audience and resource, and only what was listed', async () => {
      const [one, two] = freshTenant(nodes());
      const target = { clientId: 'client_1', audience: 'https://as.example', resource: 'https://mcp.example', clientIdThere: 'theirs', scope: ['a', 'b'] };
      const outcomes = await times(4, (index) => (index % 2 ? one : two).addAssertionTarget(target, happened('assertion_target.added')));

      assert.equal(count(outcomes, true), 1);
      assert.deepEqual(await two.listAssertionTargets('client_1'), [target]);
      assert.deepEqual(await two.listAssertionTargets('client_2'), []);
      assert.equal(await one.removeAssertionTarget(target, happened('assertion_target.removed')), true);
      assert.equal(await one.removeAssertionTarget(target, happened('assertion_target.removed')), false);
      assert.equal(await countEvents(one, 'assertion_target.removed'), 1);
    });
  });
}
