/**
 * Tenants over their life: added, changed and removed while nodes serve, with settings of their own. What one tenant cannot do to another is in isolation.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../../src/app.ts';
import { auditEvent } from '../../src/audit/event.ts';
import { sealEvents } from '../../src/audit/seal.ts';
import type { ServerOptions } from '../../src/options.ts';
import { type Driver, StorageUnavailable } from '../../src/storage/driver.ts';
import { openNodeSqlite } from '../../src/storage/drivers/node-sqlite.ts';
import { openBrowser } from '../browser.ts';
import { issuer, type TestServer, testServer } from '../harness.ts';

const document = '/.well-known/oauth-authorization-server/t/acme';
const named = (about: object) => ({ tenant: 'acme', name: 'Acme', createdAt: 0, settings: JSON.stringify(about) });
const told = (type: 'tenant.changed' | 'tenant.removed') => auditEvent(type, 0, 'test', { detail: { tenant: 'acme' } });

/** Two nodes on one database. */
async function nodes(options: Partial<ServerOptions> = {}): Promise<[TestServer, TestServer]> {
  const driver = options.driver ?? openNodeSqlite(':memory:');
  return [await testServer({ ...options, driver }), await testServer({ ...options, driver })];
}

async function metadataOf({ request }: TestServer): Promise<Record<string, unknown>> {
  return (await (await request(document)).json()) as Record<string, unknown>;
}

test('[META-06] a tenant that one node adds, changes or removes is so on every node, without restart', async () => {
  const [here, there] = await nodes();
  assert.equal((await there.request(document)).status, 404);

  await here.server.storage.addTenant(named({}));
  assert.equal((await there.request(document)).status, 200);
  assert.ok('registration_endpoint' in (await metadataOf(there)));

  await here.server.storage.changeTenant(named({ clients: { registration: 'closed' }, serviceName: 'Acme Ltd' }), told('tenant.changed'));
  await there.server.flush();
  assert.equal((await metadataOf(there)).registration_endpoint, undefined);
  assert.equal((await there.request('/t/acme/register', { method: 'POST', body: '{}' })).status, 404);
  assert.match(await (await there.request('/t/acme/login')).text(), /Acme Ltd/);

  await here.server.storage.removeTenant('acme', told('tenant.removed'));
  await there.server.flush();
  for (const path of [document, '/t/acme/login', '/t/acme/.well-known/jwks.json', '/t/acme/token']) assert.equal((await there.request(path)).status, 404, path);
  await here.close();
});

test('a setting of a tenant is nobody else’s, and what it does not set is the server’s, lists whole', async () => {
  const { server, context, request } = await testServer({ contact: 'root@example.com', clients: { trustedHosts: ['root.example'], maxUnconsented: 7 } });
  await server.storage.addTenant(
    named({ serviceName: 'Acme', accentColor: '#1A73E8', clients: { trustedHosts: ['acme.example'] }, limits: ['register=1/1h'] }),
  );
  const acme = await server.context('acme');

  assert.deepEqual(acme?.options.clients.trustedHosts, ['acme.example']);
  assert.deepEqual([acme?.options.clients.maxUnconsented, acme?.options.contact, acme?.options.serviceName], [7, 'root@example.com', 'Acme']);
  const page = await (await request('/t/acme/docs/errors')).text();
  const [colour = ''] = /\/t\/acme\/assets\/accent\/1a73e8/.exec(page) ?? [];
  assert.match(await (await request(colour)).text(), /--accent: #[0-9a-f]{6};/);
  assert.doesNotMatch(await (await request('/docs/errors')).text(), /assets\/accent/);
  assert.deepEqual([(await request('/assets/accent/red')).status, (await request('/assets/accent/1A73E8')).status], [404, 404]);
  assert.deepEqual([context.options.serviceName, context.options.clients.trustedHosts], ['Auth-Agent', ['root.example']]);
  const register = (base: string) =>
    request(`${base}/register`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"redirect_uris":["http://localhost/cb"],"token_endpoint_auth_method":"none"}',
    });
  assert.deepEqual([(await register('/t/acme')).status, (await register('/t/acme')).status], [201, 429]);
  assert.deepEqual([(await register('')).status, (await register('')).status], [201, 201]);
  await server.close();
});

test('of a removed tenant nothing is left, its sealed events too; a late node makes no key and no client that would come back with the name', async () => {
  const [here, there] = await nodes();
  await here.server.storage.addTenant(named({}));
  const acme = await there.server.context('acme');
  assert.ok(acme);
  const stale = await here.server.context('acme');
  assert.ok(stale);
  await stale.store.addUser({ id: 'usr_1', username: 'ada', role: 'user', createdAt: 0 }, auditEvent('user.added', here.clock.now(), 'test'));
  await sealEvents(stale);
  assert.equal((await here.server.storage.countRowsOf('acme'))['audit_chains'], 1);

  await here.server.storage.removeTenant('acme', auditEvent('tenant.removed', here.clock.now(), 'test', { detail: { tenant: 'acme' } }));
  // This node has not heard of it yet.
  assert.equal((await there.request('/t/acme/.well-known/jwks.json')).status, 200);
  await here.server.maintain();

  assert.deepEqual(await here.server.storage.countRowsOf('acme'), {});
  assert.equal((await here.request('/t/acme/login')).status, 404);
  here.clock.advance(86_400);
  await here.server.maintain();
  assert.equal(await here.server.storage.addTenant({ ...named({}), createdAt: here.clock.now() }), 'added');
  await there.server.flush();
  const again = await there.server.context('acme');
  assert.ok(again && again !== acme, 'the context of the old tenant is gone');
  assert.deepEqual(await here.server.storage.countRowsOf('acme'), {});
  await here.close();
});

test('while the database is away a tenant that was not asked for yet answers 503, as every other address does', async () => {
  const real = openNodeSqlite(':memory:');
  let away = false;
  const driver: Driver = { ...real, read: async (statement) => (away ? Promise.reject(new StorageUnavailable('away')) : real.read(statement)) };
  const { server, request } = await testServer({ driver });
  await server.storage.addTenant(named({}));
  away = true;

  for (const [path, init, type] of [
    [document, {}, 'application/json'],
    ['/t/acme/token', { method: 'POST' }, 'application/json'],
    ['/t/acme/login', { headers: { Accept: 'text/html' } }, 'text/html; charset=utf-8'],
  ] as const) {
    const response = await request(path, init);
    assert.deepEqual([response.status, response.headers.get('retry-after'), response.headers.get('content-type')], [503, '2', type], path);
  }
  away = false;
  assert.equal((await request(document)).status, 200);
  await server.close();
});

test('a tenant whose settings this version cannot read answers 500 and is logged; the others go on', async () => {
  const scene = await testServer();
  await scene.server.storage.addTenant(named({ optionOfTomorrow: true }));
  await scene.server.storage.addTenant({ tenant: 'beta', name: 'Beta', createdAt: 0, settings: 'no json' });
  await scene.server.storage.addTenant({ tenant: 'gamma', name: 'Gamma', createdAt: 0 });

  assert.deepEqual(await Promise.all(['acme', 'beta', 'gamma'].map(async (slug) => (await scene.request(`/t/${slug}/docs/errors`)).status)), [500, 500, 200]);
  await scene.server.maintain();
  assert.equal(scene.logged.filter((line) => line.startsWith('error tenant.unreadable')).length, 2);
  await scene.close();
});

test('housekeeping that fails in one tenant is done in the others, and is told', async () => {
  const driver = openNodeSqlite(':memory:');
  const scene = await testServer({ driver });
  for (const slug of ['acme', 'beta']) {
    await scene.server.storage.addTenant({ tenant: slug, name: slug, createdAt: 0 });
    await scene.request(`/t/${slug}/.well-known/jwks.json`);
  }
  const keysOf = async (slug: string) => (await scene.server.storage.forTenant(slug).listSigningKeys(scene.clock.now())).length;
  const earlier = await keysOf('beta');
  // Sealed under a secret that nobody has: no node can open the keys of acme.
  await driver.write([{ text: "update signing_keys set private_sealed = 'AAAA', kid = kid || 'x' where tenant = 'acme'", values: [] }]);
  scene.clock.advance(91 * 86_400);

  await assert.rejects(scene.server.maintain());

  assert.ok((await keysOf('beta')) > earlier, 'beta, after acme in the list, has its new keys');
  await scene.close();
});

test('a chore that fails keeps no other from being done, and is told', async () => {
  const { context, close } = await testServer();
  const done: string[] = [];
  const fails = () => Promise.reject(new Error('this chore'));
  const noted = async () => void done.push('the next');
  const node = createApp([], [fails, noted], context.options);
  const kept = async () => (await context.store.listSigningKeys(context.now())).length;
  assert.equal(await kept(), 0);

  await assert.rejects(node.maintain(), /this chore/);
  assert.deepEqual([done, (await kept()) > 0], [['the next'], true]);
  await close();
});

test('two requests that meet a new tenant at once are answered by one context', async () => {
  const { server } = await testServer();
  await server.storage.addTenant(named({}));

  const [one, two] = await Promise.all([server.context('acme'), server.context('acme')]);
  assert.equal(one, two);
  await server.close();
});

test('[LOG-01] two tenants and the root in one browser do not disturb each other: each has its cookies, its session, its sign-out', async () => {
  const scene = await testServer();
  const places = ['', '/t/acme', '/t/beta'];
  for (const slug of ['acme', 'beta']) await scene.server.storage.addTenant({ tenant: slug, name: slug, createdAt: 0 });
  const { hashPassword } = await import('../../src/crypto/password.ts');
  const passwordHash = await hashPassword('correct horse battery staple');
  for (const slug of [undefined, 'acme', 'beta']) {
    const context = await scene.server.context(slug);
    const name = `Ada of ${slug ?? 'root'}`;
    await context?.store.addUser(
      { id: `usr_${slug ?? 'root'}`, username: 'ada', name, role: 'user', createdAt: 0, passwordHash },
      auditEvent('user.added', scene.clock.now(), 'test'),
    );
  }
  const browser = openBrowser((url, init) => scene.request(url, init), issuer);
  const shown = async () => Promise.all(places.map(async (base) => /Ada of (\w+)/.exec((await browser.open(`${base}/account/profile`)).html)?.[1]));
  const signIn = async (base: string) => browser.submit(await browser.open(`${base}/login`), { username: 'ada', password: 'correct horse battery staple' });
  for (const base of places) await signIn(base);

  assert.deepEqual(await shown(), ['root', 'acme', 'beta']);
  assert.deepEqual([...browser.cookies.keys()].filter((name) => name.includes('session')).toSorted(), [
    '__Host-aa_session',
    '__Host-aa_session_acme',
    '__Host-aa_session_beta',
  ]);
  for (const line of browser.setCookies) assert.match(line, /^__Host-aa_\w+(_acme|_beta)?=[^;]*; Path=\/; HttpOnly; SameSite=Lax; Secure/);
  await browser.submit(await browser.open('/t/acme/logout'), {});
  assert.deepEqual(await shown(), ['root', undefined, 'beta']);
  await signIn('/t/acme');
  await browser.submit(await browser.open('/logout'), {});
  assert.deepEqual(await shown(), [undefined, 'acme', 'beta']);
  await scene.close();
});
