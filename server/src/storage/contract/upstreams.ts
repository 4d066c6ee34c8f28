/**
 * The part of the storage contract about upstreams: which there are, who their subjects are here, and the ways there, each of which comes back once.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NewUser, Store } from '../store.ts';
import type { Upstream, UpstreamVisit } from '../verbs/upstreams.ts';
import { alice, bob, count, countEvents, freshTenant, happened, NOW, type Nodes, settle, times } from './fixtures.ts';
import { invitation } from './one-time-links.ts';

export const upstream: Upstream = {
  id: 'acme',
  name: 'Acme',
  recipe: 'openid',
  issuer: 'https://login.acme.example',
  clientId: 'auth-agent',
  credentialSealed: 'sealed',
  scope: ['openid', 'email'],
  privateNetwork: false,
  createdAt: NOW,
};
const other: Upstream = {
  id: 'hub',
  name: 'Hub',
  recipe: 'github',
  issuer: 'https://hub.example',
  clientId: 'id',
  scope: [],
  privateNetwork: true,
  createdAt: NOW + 1,
};
export const atAcme = { issuer: upstream.issuer, subject: 's-1', upstreamId: 'acme', userId: 'usr_alice', label: 'alice@acme.example', createdAt: NOW };
export const visit: UpstreamVisit = {
  idHash: 'visit-1',
  browserHash: 'browser-1',
  stage: 'away',
  upstreamId: 'acme',
  sealed: 'sealed',
  createdAt: NOW,
  expiresAt: NOW + 600,
};
const key = { idHash: 'visit-1', browserHash: 'browser-1', stage: 'away' as const };
const person = (index: number): NewUser => ({ id: `usr_${index}`, username: `person-${index}`, role: 'user', createdAt: NOW });
const ways = { password: true, passkeys: true, upstreams: true, emailCode: true };
const verified = { email: 'new@acme.example', emailProvenAt: NOW };
const { userId: _, ...stranger } = { ...atAcme, subject: 'new' };

async function listing(nodes: Nodes): Promise<[Store, Store]> {
  const [one, two] = freshTenant(nodes);
  await settle(one);
  assert.equal(await one.addUpstream(upstream, happened('upstream.added')), 'added');
  assert.equal(await one.addUpstream(other, happened('upstream.added')), 'added');
  return [one, two];
}

export function upstreamsContract(nodes: () => Nodes): void {
  describe('upstreams', () => {
    test('an upstream is there once, by id and by issuer, with exactly what was stored', async () => {
      const [one, two] = await listing(nodes());

      for (const again of [{ issuer: 'https://new.example' }, { id: 'new' }])
        assert.equal(await two.addUpstream({ ...upstream, ...again }, happened('upstream.added')), 'taken');
      assert.deepEqual(await two.listUpstreams(), [upstream, other]);
      assert.deepEqual([await two.findUpstream('acme'), await two.findUpstream('new')], [upstream, undefined]);
      assert.equal(await countEvents(one, 'upstream.added'), 2);
    });

    test('its credential is changed, and nothing else', async () => {
      const [one, two] = await listing(nodes());

      assert.equal(await one.changeUpstreamCredential('acme', 'newer', happened('upstream.credential_changed')), true);
      assert.equal(await one.changeUpstreamCredential('new', 'newer', happened('upstream.credential_changed')), false);
      assert.deepEqual(await two.listUpstreams(), [{ ...upstream, credentialSealed: 'newer' }, other]);
      assert.equal(await countEvents(one, 'upstream.credential_changed'), 1);
    });

    test('[LOG-07] of parallel links of a subject one holds, and only known people of known upstreams are linked', async () => {
      const [one, two] = await listing(nodes());
      const outcomes = await times(10, (index) =>
        (index % 2 ? one : two).linkUpstream({ ...atAcme, userId: index % 2 ? 'usr_alice' : 'usr_bob' }, happened('upstream.linked')),
      );

      assert.equal(count(outcomes, 'linked'), 1);
      const userId = outcomes.indexOf('linked') % 2 ? 'usr_alice' : 'usr_bob';
      assert.equal((await two.findUpstreamUser(atAcme.issuer, 's-1'))?.id, userId);
      assert.deepEqual([await one.findUpstreamUser(atAcme.issuer, 'S-1'), await one.findUpstreamUser(other.issuer, 's-1')], [undefined, undefined]);
      for (const wrong of [{ userId: 'usr_never' }, { upstreamId: 'never' }])
        assert.equal(await one.linkUpstream({ ...atAcme, subject: 'x', ...wrong }, happened('upstream.linked')), 'taken');
      assert.deepEqual(await one.listUpstreamIdentities(userId), [{ ...atAcme, userId }]);
      assert.equal(await countEvents(one, 'upstream.linked'), 1);
    });

    test('[LOG-07] of parallel arrivals of a new subject one makes the person, and nobody is made in vain', async () => {
      const [one, two] = await listing(nodes());
      const before = (await one.listUsers()).length;
      const outcomes = await times(10, (index) =>
        (index % 2 ? one : two).signUpByUpstream(stranger, { ...person(index), ...verified }, happened('upstream.signed_up')),
      );

      assert.equal(count(outcomes, 'added'), 1);
      const made = await one.findUpstreamUser(stranger.issuer, 'new');
      assert.deepEqual([made?.id, made?.emailProvenAt], [`usr_${outcomes.indexOf('added')}`, NOW]);
      assert.equal((await one.listUsers()).length, before + 1);
      assert.equal(await countEvents(one, 'upstream.signed_up'), 1);
    });

    test('[LOG-07] a taken username or e-mail never becomes a link to the person who has it', async () => {
      const [store] = await listing(nodes());
      for (const taken of [{ username: 'ALICE' }, { email: 'alice@example.com' }, { username: 'new', email: 'Bob' }])
        assert.equal(await store.signUpByUpstream(stranger, { ...person(1), ...taken }, happened('upstream.signed_up')), 'taken');

      assert.equal(await store.findUpstreamUser(stranger.issuer, 'new'), undefined);
      assert.deepEqual([await store.listUpstreamIdentities('usr_alice'), await countEvents(store, 'upstream.signed_up')], [[], 0]);
      assert.equal((await store.listUsers()).length, [alice, bob].length);
    });

    test('[LOG-07] of parallel acceptances of an invitation with accounts elsewhere one makes the person with their link', async () => {
      const [one, two] = await listing(nodes());
      await one.addLink(invitation, { replaces: false }, happened('user.invited'));
      const before = (await one.listUsers()).length;
      const outcomes = await times(8, (index) =>
        (index % 2 ? one : two).acceptLink('lnk_invited', person(index), happened('user.signed_up'), { ...stranger, subject: `s-${index}` }),
      );

      assert.deepEqual([count(outcomes, 'done'), count(outcomes, 'used')], [1, 7]);
      const winner = outcomes.indexOf('done');
      assert.deepEqual(
        await Promise.all(outcomes.map((_, index) => one.findUpstreamUser(stranger.issuer, `s-${index}`).then((user) => user?.id))),
        outcomes.map((_, index) => (index === winner ? `usr_${winner}` : undefined)),
      );
      assert.deepEqual([(await one.listUsers()).length, await countEvents(one, 'user.signed_up')], [before + 1, 1]);
    });

    test('[LOG-07] a subject, name or address that is somebody’s, or an upstream that is gone, gives the invitation back and links nothing', async () => {
      const [store] = await listing(nodes());
      await store.linkUpstream(atAcme, happened('upstream.linked'));
      await store.addLink(invitation, { replaces: false }, happened('user.invited'));
      const before = (await store.listUsers()).length;
      const accept = (user: Partial<NewUser>, identity: Partial<typeof stranger>) =>
        store.acceptLink('lnk_invited', { ...person(1), ...user }, happened('user.signed_up'), { ...stranger, ...identity });

      assert.equal(await accept({}, { subject: atAcme.subject }), 'taken');
      assert.equal(await accept({ username: 'ALICE' }, {}), 'taken');
      assert.equal(await accept({ email: 'alice@example.com' }, {}), 'taken');
      assert.equal(await accept({}, { upstreamId: 'gone' }), 'taken');
      assert.deepEqual(
        [(await store.findUpstreamUser(atAcme.issuer, atAcme.subject))?.id, await store.findUpstreamUser(stranger.issuer, 'new')],
        ['usr_alice', undefined],
      );
      assert.deepEqual([(await store.listUsers()).length, await countEvents(store, 'user.signed_up')], [before, 0]);
      assert.equal(await accept({}, {}), 'done');
    });

    test('a link is ended by its person only, once', async () => {
      const [one, two] = await listing(nodes());
      await one.linkUpstream(atAcme, happened('upstream.linked'));

      assert.equal(await two.unlinkUpstream({ ...atAcme, userId: 'usr_bob', ways }, happened('upstream.unlinked')), 'gone');
      const outcomes = await times(6, (index) => (index % 2 ? one : two).unlinkUpstream({ ...atAcme, ways }, happened('upstream.unlinked')));
      assert.deepEqual([count(outcomes, 'unlinked'), count(outcomes, 'gone')], [1, 5]);
      assert.deepEqual([await one.findUpstreamUser(atAcme.issuer, 's-1'), await countEvents(one, 'upstream.unlinked')], [undefined, 1]);
    });

    test('of a person who has upstreams only, one stays however many go at once', async () => {
      const [one, two] = await listing(nodes());
      const links = ['s-1', 's-2', 's-3'].map((subject) => ({ ...atAcme, subject }));
      for (const link of links) await one.linkUpstream(link, happened('upstream.linked'));
      const only = { ...ways, password: false };
      assert.deepEqual([await one.countWaysIn('usr_alice', only), await one.countWaysIn('usr_alice', { ...ways, upstreams: false })], [3, 1]);

      const outcomes = await Promise.all(
        links.map((link, index) => (index % 2 ? one : two).unlinkUpstream({ ...link, ways: only }, happened('upstream.unlinked'))),
      );
      assert.deepEqual([count(outcomes, 'unlinked'), count(outcomes, 'last')], [2, 1]);
      assert.equal((await one.listUpstreamIdentities('usr_alice')).length, 1);
    });

    test('an upstream that is removed takes its links with it, and no others', async () => {
      const [one, two] = await listing(nodes());
      await one.linkUpstream(atAcme, happened('upstream.linked'));
      await one.linkUpstream({ ...atAcme, issuer: other.issuer, upstreamId: 'hub' }, happened('upstream.linked'));

      assert.equal(await two.removeUpstream('acme', happened('upstream.removed')), true);
      assert.equal(await two.removeUpstream('acme', happened('upstream.removed')), false);
      assert.deepEqual(await one.listUpstreams(), [other]);
      assert.equal(await one.findUpstreamUser(atAcme.issuer, 's-1'), undefined);
      assert.equal((await one.findUpstreamUser(other.issuer, 's-1'))?.id, 'usr_alice');
      assert.equal(await countEvents(one, 'upstream.removed'), 1);
    });

    test('[LOG-07] a visit is handed over once, to its browser, in its stage, in time', async () => {
      const [one, two] = await listing(nodes());
      await one.beginUpstreamVisit(visit);

      for (const wrong of [{ browserHash: 'browser-2' }, { stage: 'back' as const }, { idHash: 'visit-2' }]) {
        assert.equal(await two.findUpstreamVisit({ ...key, ...wrong }, NOW), undefined);
        assert.equal(await two.takeUpstreamVisit({ ...key, ...wrong }, NOW), undefined);
      }
      assert.equal(await two.takeUpstreamVisit(key, NOW + 600), undefined);
      assert.deepEqual(await two.findUpstreamVisit(key, NOW + 599), visit);
      const taken = await times(8, (index) => (index % 2 ? one : two).takeUpstreamVisit(key, NOW));
      assert.deepEqual(
        taken.filter((found) => found !== undefined),
        [visit],
      );
    });

    test('a visit that is over is swept', async () => {
      const [store] = await listing(nodes());
      await store.beginUpstreamVisit(visit);
      await nodes().one.sweep(NOW + 599, 100);
      assert.ok(await store.findUpstreamVisit(key, NOW));
      await nodes().one.sweep(NOW + 600, 100);
      assert.equal(await store.findUpstreamVisit(key, NOW), undefined);
    });
  });
}
