/** What a restored backup brings back, and what it must not (OPS-04). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeInvitation, makeResetLink } from '../../src/account/operator-links.ts';
import type { AuthServer } from '../../src/app.ts';
import { auditEvent, type EventType } from '../../src/audit/event.ts';
import { newRegistrationToken } from '../../src/clients/registration-token.ts';
import type { Context } from '../../src/context.ts';
import { hashPassword } from '../../src/crypto/password.ts';
import { createServer } from '../../src/server.ts';
import { newKey } from '../../src/servers/key-value.ts';
import { backupLines, restoreLines } from '../../src/storage/backup.ts';
import { collected } from '../../src/storage/contract/made-rows.ts';
import { openNodeSqlite } from '../../src/storage/drivers/node-sqlite.ts';
import { type ClientMetadata, ROOT_TENANT, type User } from '../../src/storage/store.ts';
import { hasButton, hasField, openBrowser, signInAndDecide } from '../browser.ts';
import { form, issuer, pkce, testServer } from '../harness.ts';
import { bearer, redemption, type Stage, stage } from './token-stage.ts';

async function* each(lines: Iterable<string>): AsyncGenerator<string> {
  yield* lines;
}

/** A server on the restored backup, and short ways to ask it. */
async function restored(lines: Iterable<string>, scene: Stage, keepAccess: boolean) {
  const driver = openNodeSqlite(':memory:');
  const { ended } = await restoreLines(driver, each(lines), { now: scene.clock.now(), keepAccess });
  const server = createServer({ ...scene.context.options, driver });
  const post = async (path: string, values: Record<string, string>, headers: Record<string, string> = {}) => {
    const init = { method: 'POST', body: new URLSearchParams(values), headers };
    const response = await server.fetch(new Request(`${scene.context.issuer}${path}`, init), { address: '203.0.113.9' });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const refresh = (token: string) => post('/token', { grant_type: 'refresh_token', refresh_token: token, client_id: scene.client.id });
  return { server, ended, post, refresh, store: server.storage.forTenant(scene.store.tenant) };
}

async function scene() {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-restore-'));
  const live = await stage({ driver: openNodeSqlite(join(folder, 'live.db')) });
  const kept = await live.tokens();
  const { code } = await live.code();
  const { secret } = await live.keyOf();
  const lines = await collected(backupLines(live.context.options.driver, live.clock.now()));
  live.clock.advance(1);
  return { live, folder, kept, code, key: bearer(secret), lines };
}

test('[OPS-04] after a restore no token, code, grant or session of before is good, and the event says so', async () => {
  const { live, folder, kept, code, key, lines } = await scene();
  // After the backup: rotated, as an attacker who kept the older token hopes that nobody remembers.
  assert.equal((await live.refresh(kept.refresh_token)).status, 200);

  const { post, refresh, store, ended } = await restored(lines, live, false);

  assert.deepEqual(ended, { grants: 2, sessions: 0 });
  assert.deepEqual([(await refresh(kept.refresh_token)).status, (await refresh(kept.refresh_token)).body.error], [400, 'invalid_grant']);
  assert.deepEqual((await post('/introspect', { token: kept.access_token }, key)).body, { active: false });
  assert.equal((await post('/token', redemption(live.client, code))).body.error, 'invalid_grant');
  assert.deepEqual(await store.listAgents(live.user.id, live.clock.now()), []);
  const [event] = await store.listEvents({ type: 'database.restored', limit: 2 });
  assert.deepEqual(event?.detail, { made_at: live.clock.now() - 1 });
  await live.close();
  rmSync(folder, { recursive: true });
});

test('[OPS-04] who says that no server ran since keeps everything as it was', async () => {
  const { live, folder, kept, code, key, lines } = await scene();

  const { post, refresh, ended } = await restored(lines, live, true);

  assert.equal(ended, undefined);
  assert.equal((await post('/introspect', { token: kept.access_token }, key)).body.active, true);
  assert.equal((await refresh(kept.refresh_token)).status, 200);
  assert.equal((await post('/token', redemption(live.client, code))).status, 200);
  await live.close();
  rmSync(folder, { recursive: true });
});

const slugs = ['', 'one', 'two'];
const password = 'correct horse battery staple';
const redirectUri = 'http://localhost:4711/callback';
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const asked = { response_type: 'code', redirect_uri: redirectUri, code_challenge: pkce.challenge, code_challenge_method: 'S256', scope: 'files:read openid' };
const mcp = 'https://mcp.example.com/mcp';

type Site = { base: string; fetch: (path: string, init?: RequestInit) => Promise<Response> };
const siteOf = (server: AuthServer, slug: string): Site => ({
  base: slug === '' ? '' : `/t/${slug}`,
  fetch: (path, init) => server.fetch(new Request(new URL(path, issuer), { redirect: 'manual', ...init }), { address: '203.0.113.9' }),
});
const sendJson = (method: string, body: object, headers = {}) => ({
  method,
  body: JSON.stringify(body),
  headers: { 'Content-Type': 'application/json', ...headers },
});
async function good(answer: Promise<Response>): Promise<Record<string, string>> {
  const response = await answer;
  const text = await response.text();
  assert.ok(response.ok, text);
  return JSON.parse(text);
}

/** A person with a session, an agent with a grant, and one of everything that can be used once; all of it good. */
async function lived(server: AuthServer, slug: string, now: number) {
  const site = siteOf(server, slug);
  const context = (await server.context(slug || undefined)) as Context;
  const { store } = context;
  const event = (type: EventType) => auditEvent(type, now, 'test');
  const user = { id: 'usr_ada', username: 'ada', email: 'ada@example.com', role: 'operator' as const, createdAt: now };
  await store.addUser({ ...user, passwordHash: await hashPassword(password) }, event('user.added'));
  const scopes = [{ name: 'files:read' }];
  await store.addServer(
    { id: 'srv_files', ownerId: user.id, resource: mcp, serverUrl: mcp, name: 'Files', scopes, createdAt: now, updatedAt: now },
    event('server.added'),
  );
  const key = newKey();
  await store.addKey({ id: key.id, serverId: 'srv_files', name: 'k', secretHash: key.hash, createdAt: now, expiresAt: now + 86_400 }, event('key.created'));
  const grantTypes = ['authorization_code', 'refresh_token', deviceGrant];
  const metadata: ClientMetadata = { clientName: 'Agent', redirectUris: [redirectUri], grantTypes, responseTypes: ['code'], tokenEndpointAuthMethod: 'none' };
  await store.addClient({ id: 'client_agent', registration: 'manual', metadata, createdAt: now, lastUsedAt: now }, event('client.registered'));
  const initial = newRegistrationToken({ name: 'r', uses: 5, lifetimeSeconds: 86_400 }, now);
  await store.addRegistrationToken(initial.row, event('registration_token.created'));

  const browser = openBrowser(site.fetch, issuer);
  await browser.submit(await browser.open(`${site.base}/login`), { username: 'ada', password });
  const post = (path: string, values: Record<string, string>) => site.fetch(site.base + path, form({ client_id: 'client_agent', ...values }));
  const authorize = (more: Record<string, string>) => browser.open(`${site.base}/authorize?${new URLSearchParams({ ...asked, resource: mcp, ...more })}`);
  const allowed = async () => {
    const page = await authorize({ client_id: 'client_agent', prompt: 'consent' });
    return new URL((await browser.submit(page, {}, 'allow')).refresh ?? '').searchParams.get('code') ?? '';
  };
  const redeemed = (code: string) => post('/token', { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: pkce.verifier });
  const tokens = await good(redeemed(await allowed()));
  const code = await allowed();
  const device = await good(post('/device_authorization', { resource: mcp, scope: 'files:read' }));
  const compared = await browser.submit(await browser.open(`${site.base}/device`), { user_code: device.user_code ?? '' });
  await browser.submit(compared, { user_code: device.user_code ?? '' }, 'allow');
  const pushed = await good(post('/par', { ...asked, resource: mcp }));
  const waiting = await authorize({ client_id: 'client_agent', prompt: 'consent' });
  const registration = { client_name: 'Own', redirect_uris: [redirectUri], grant_types: ['authorization_code', 'refresh_token'] };
  const own = await good(site.fetch(`${site.base}/register`, sendJson('POST', registration, bearer(initial.value))));
  const links = [
    await makeInvitation({ email: 'guest@example.com', role: 'user' }, context),
    await makeResetLink((await store.findUser(user.id)) as User, context),
  ];
  return { slug, browser, tokens, code, device, pushed, waiting, own, initial: initial.value, links, key: key.secret };
}

type Lived = Awaited<ReturnType<typeof lived>>;

/** How many of the things that were good are still: of a server on a restored database, for somebody who kept all of them. */
async function stillGood(server: AuthServer, { slug, browser: before, tokens, code, device, pushed, waiting, own, initial, links, key }: Lived) {
  const site = siteOf(server, slug);
  const browser = openBrowser(site.fetch, issuer);
  for (const [name, value] of before.cookies) browser.cookies.set(name, value);
  const post = (path: string, values: Record<string, string>, headers = {}) =>
    site.fetch(site.base + path, form({ client_id: 'client_agent', ...values }, headers));
  const ok = async (answer: Promise<Response>) => (await answer).ok;
  const introspected = await good(site.fetch(`${site.base}/introspect`, form({ token: tokens.access_token ?? '' }, bearer(key))));
  const openedLinks = await Promise.all(links.map(async (link) => hasField(await openBrowser(site.fetch, issuer).open(link), 'password')));
  const secretOfOwn = { Authorization: `Basic ${Buffer.from(`${own.client_id}:${own.client_secret}`).toString('base64')}` };
  const ownAnswer = await site.fetch(`${site.base}/token`, form({ grant_type: 'refresh_token', refresh_token: 'rt_none' }, secretOfOwn));
  const ownAddress = `${site.base}/register/${own.client_id}`;
  return {
    session: !(await browser.open(`${site.base}/account`)).url.includes('/login'),
    answer: await browser.submit(waiting, {}, 'allow').then(({ refresh = '', url, status }) => status < 400 && `${refresh}${url}`.includes('code=')),
    pushed: hasButton(
      await browser.open(`${site.base}/authorize?${new URLSearchParams({ client_id: 'client_agent', request_uri: pushed.request_uri ?? '' })}`),
      'decision',
    ),
    invitation: openedLinks[0],
    reset: openedLinks[1],
    access: Boolean(introspected.active),
    userinfo: await ok(site.fetch(`${site.base}/userinfo`, { headers: bearer(tokens.access_token ?? '') })),
    refresh: await ok(post('/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' })),
    code: await ok(post('/token', { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: pkce.verifier })),
    device: await ok(post('/token', { grant_type: deviceGrant, device_code: device.device_code ?? '' })),
    registered: ownAnswer.status !== 401,
    management: await ok(site.fetch(ownAddress, { headers: bearer(own.registration_access_token ?? '') })),
    initial: await ok(site.fetch(`${site.base}/register`, sendJson('POST', { redirect_uris: [redirectUri] }, bearer(initial)))),
  };
}

for (const keepAccess of [false, true]) {
  const title = keepAccess ? 'with --keep-access everything of every tenant goes on' : 'of several tenants nothing that was good before revives in any';
  test(`[OPS-04] [DCM-04] a backup is restored: ${title}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'auth-agent-restore-'));
    const driver = openNodeSqlite(join(folder, 'live.db'));
    const on = await testServer({ driver, clients: { registration: 'token' }, signIn: { signUp: 'invitation' } });
    for (const tenant of slugs.slice(1)) await on.server.storage.addTenant({ tenant, name: tenant, createdAt: on.clock.now() });
    const lives: Lived[] = [];
    for (const slug of slugs) lives.push(await lived(on.server, slug, on.clock.now()));
    const lines = await collected(backupLines(driver, on.clock.now()));
    on.clock.advance(1);
    const target = openNodeSqlite(':memory:');
    const { ended } = await restoreLines(target, each(lines), { now: on.clock.now(), keepAccess });
    const server = createServer({ ...on.context.options, driver: target });

    assert.deepEqual(ended, keepAccess ? undefined : { grants: 9, sessions: 3 });
    for (const life of lives) {
      const { registered, ...found } = await stillGood(server, life);
      assert.equal(registered, true);
      assert.deepEqual(found, Object.fromEntries(Object.keys(found).map((name) => [name, keepAccess])), `in ${life.slug || 'the root'}`);
    }
    // The same person and the same agent begin anew.
    const again = openBrowser(siteOf(server, 'one').fetch, issuer);
    const url = `${issuer}/t/one/authorize?${new URLSearchParams({ ...asked, resource: mcp, client_id: 'client_agent' })}`;
    const back = await signInAndDecide(url, { username: 'ada', password, decision: 'allow' }, { browser: again });
    assert.match(back, /code=ac_/);
    for (const slug of slugs) {
      const events = await server.storage.forTenant(slug === '' ? ROOT_TENANT : slug).listEvents({ type: 'database.restored', limit: 5 });
      assert.equal(events.length, keepAccess ? 0 : 1);
    }
    await on.close();
    rmSync(folder, { recursive: true });
  });
}
