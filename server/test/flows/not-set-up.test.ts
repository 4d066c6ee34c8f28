/**
 * Before anybody has an account people read that the service is not set up, what its operator does, and never the setup link; machines notice nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeSetupLink } from '../../src/account/setup.ts';
import { auditEvent } from '../../src/audit/event.ts';
import type { ServerOptions } from '../../src/options.ts';
import { openBrowser, textOf } from '../browser.ts';
import { issuer, pkce, testServer } from '../harness.ts';

const client = { id: 'client_1', metadata: { clientName: 'Agent', redirectUris: ['http://localhost:3000/callback'], grantTypes: ['authorization_code'] } };
const request = `/authorize?${new URLSearchParams({
  response_type: 'code',
  client_id: 'client_1',
  redirect_uri: 'http://localhost:3000/callback',
  resource: 'https://mcp.example.com/mcp',
  scope: 'files:read',
  code_challenge: pkce.challenge,
  code_challenge_method: 'S256',
})}`;

test('the front page, the sign-in page and an agent’s request lead to one page that names the command and no link', async () => {
  const on = await testServer();
  await on.addServer();
  await on.addClient(client);
  const link = await makeSetupLink(on.context);
  const token = new URL(link).searchParams.get('token') ?? assert.fail();

  for (const path of ['/', '/login', '/account', '/account/agents', '/device', request]) {
    const shown = await openBrowser(on.request, issuer).open(path);
    assert.equal(shown.status, 503, path);
    assert.match(shown.title, /^This service isn(&#39;|')t set up yet/, path);
    assert.ok(textOf(shown).includes('auth-agent setup-link') && !shown.html.includes(token) && !shown.html.includes('st_'), path);
  }
  for (const path of ['/health', '/.well-known/oauth-authorization-server', '/.well-known/jwks.json', '/docs/errors'])
    assert.equal((await on.request(path)).status, 200, path);
  assert.equal((await on.request(new URL(link).pathname + new URL(link).search)).status, 200);
  await on.close();
});

test('with the first account the pages are there, and stay', async () => {
  const on = await testServer();
  assert.equal((await on.request('/')).status, 503);
  await on.addUser();

  for (const path of ['/', '/login']) assert.equal((await on.request(path)).status, 200);
  await on.close();
});

test('where anybody may make an account, nobody waits for an operator', async () => {
  const on = await testServer({ signIn: { signUp: 'open' }, sendMail: async () => 'sent' });

  for (const path of ['/', '/login']) assert.equal((await on.request(path)).status, 200);
  await on.close();
});

test('open without mail is open to nobody: the page stays until there is an account, or an upstream to come from', async () => {
  const nobody: ServerOptions['fetchUpstream'] = () => Promise.reject(new TypeError('nobody is there'));
  const closed: Partial<ServerOptions>[] = [
    { signIn: { signUp: 'open' } },
    // Mail makes no account where the person could not come back with it.
    { signIn: { signUp: 'open', password: false }, sendMail: async () => 'sent', fetchUpstream: nobody },
  ];
  for (const options of closed) {
    const on = await testServer(options);
    for (const path of ['/', '/login']) assert.equal((await on.request(path)).status, 503, `${path} ${JSON.stringify(options)}`);
    await on.addUser();
    assert.equal((await on.request('/login')).status, 200);
    await on.close();
  }

  for (const [signUp, status] of [
    ['open', 200],
    ['invitation', 503],
  ] as const) {
    const on = await testServer({ signIn: { signUp }, fetchUpstream: nobody });
    assert.equal((await on.request('/login')).status, 503);
    const acme = { id: 'acme', name: 'Acme', recipe: 'openid' as const, issuer: 'https://login.acme.example', clientId: 'us', scope: ['openid'] };
    const row = { ...acme, privateNetwork: false, createdAt: on.clock.now() };
    await on.store.addUpstream(row, auditEvent('upstream.added', on.clock.now(), 'test'));

    assert.equal((await on.request('/login')).status, status, signUp);
    await on.close();
  }
});
