/**
 * A database that is away: every route says so and when to come back, nobody is sent to sign in again, and all is well when it is back. Not here: too many requests
 * at once (runtimes/node-http.test.ts).
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { routes } from '../../src/server.ts';
import { newOwnerToken } from '../../src/servers/owner-token.ts';
import { openBrowser } from '../browser.ts';
import { type DooredDatabase, dooredDatabase } from '../doored-database.ts';
import { form, issuer } from '../harness.ts';
import { password, signInOn } from './authorize-stage.ts';
import { basic, bearer, type Stage, stage } from './token-stage.ts';

type Caller = { who: string; headers: Record<string, string>; base: string };

/** Everybody who can prove something here, and a stranger at a tenant. */
async function callers(on: Stage): Promise<Caller[]> {
  const { value, row } = newOwnerToken((await on.addUser({ username: 'owner', role: 'owner' })).id, 'test', on.clock.now());
  await on.store.addOwnerToken(row, auditEvent('owner_token.created', on.clock.now(), 'test'));
  await on.addClient({ id: 'client_web', secret: 'a secret' });
  await on.addUser({ username: 'bob', password });
  const browser = openBrowser((url, init) => on.request(url, init), issuer);
  assert.equal((await signInOn(browser, await browser.open('/login'), 'bob')).status, 200);
  return [
    { who: 'a tenant', headers: {}, base: '/t/acme' },
    { who: 'a person', headers: { Cookie: [...browser.cookies].map((pair) => pair.join('=')).join('; '), Accept: 'text/html' }, base: '' },
    { who: 'an owner', headers: bearer(value), base: '' },
    { who: 'a server', headers: bearer((await on.keyOf()).secret), base: '' },
    { who: 'an agent', headers: bearer((await on.tokens()).access_token), base: '' },
    { who: 'a client', headers: basic('client_web', 'a secret'), base: '' },
  ];
}

/** What must be refused while the database is away, among others. */
const expected = [
  ...['POST /token by a client', 'POST /introspect by a server', 'POST /revoke by a server', 'GET /userinfo by an agent', 'GET /account by a person'],
  ...[
    'GET /account/agents by a person',
    'GET /api/servers by an owner',
    'GET /health/ready by a person',
    'POST /token by a tenant',
    'GET /account by a tenant',
  ],
];

type Outcome = { status: number; text: string; headers: Headers; location: string };

/** Every route of the table, with every method it has, by everybody. */
async function asked(on: Stage, everybody: Caller[]): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const body = { token: 'x.y.z', grant_type: 'refresh_token', refresh_token: 'rt_x', client_id: 'client_web' };
  for (const { path, methods } of routes) {
    for (const method of Object.keys(methods)) {
      for (const { who, headers, base } of everybody) {
        const sent = method === 'GET' ? { headers } : { ...form(body, headers), method };
        const response = await on.request(base + path.replace(/:(\w+)/g, 'srv_abcdefgh'), sent);
        const location = response.headers.get('location') ?? '';
        outcomes.set(`${method} ${path} by ${who}`, { status: response.status, text: await response.text(), headers: response.headers, location });
      }
    }
  }
  return outcomes;
}

describe('a database that is away', () => {
  let database: DooredDatabase;
  let on: Stage;
  before(async () => {
    database = await dooredDatabase();
    on = await stage({ driver: database.driver });
  });
  after(() => on.close());

  test('[OPS-02] no route answers 500 or tells anybody to sign in; what needs the database is 503 with Retry-After', async () => {
    const everybody = await callers(on);
    on.clock.advance(31);
    database.away();
    const away = await asked(on, everybody);
    database.back();
    const back = await asked(on, everybody);

    for (const [name, { status, text, headers, location }] of away) {
      assert.ok(status < 500 || status === 503, `${name}: ${status}`);
      assert.doesNotMatch(text, /canary/, name);
      if (status === 503) assert.match(headers.get('retry-after') ?? '', /^\d+$/, name);
      const usual = back.get(name);
      if (status === 401) assert.equal(usual?.status, 401, name);
      if (location.includes('/login')) assert.ok(usual?.location.includes('/login'), name);
    }
    const unavailable = [...away].filter(([, { status }]) => status === 503).map(([name]) => name);
    for (const name of expected) assert.ok(unavailable.includes(name), name);
  });

  test('[OPS-02] readiness says which part is away and nothing else, liveness goes on, and all comes back by itself', async () => {
    const tokens = await on.tokens();
    database.away();
    on.clock.advance(31);
    const away = await on.request('/health/ready');
    const alive = await on.request('/health');
    const refused = await on.refresh(tokens.refresh_token);
    const asked = await on.request('/account', { headers: { Accept: 'text/html', Cookie: '__Host-session=x' } });

    database.back();
    // An answer about readiness is good for a second.
    on.clock.advance(1);

    assert.equal(away.status, 503);
    assert.deepEqual(await away.json(), { status: 'not ready', checks: { database: 'failed', migrations: 'failed', keys: 'failed' } });
    assert.deepEqual([alive.status, await alive.json()], [200, { status: 'ok' }]);
    assert.deepEqual([refused.status, ((await refused.json()) as { error: string }).error], [503, 'temporarily_unavailable']);
    assert.notEqual(asked.status, 401);
    assert.deepEqual([(await on.request('/health/ready')).status, (await on.request('/readyz')).status, (await on.request('/livez')).status], [200, 200, 200]);
    assert.equal((await on.refresh(tokens.refresh_token)).status, 200);
  });
});
