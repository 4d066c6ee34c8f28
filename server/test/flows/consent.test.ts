/**
 * The decision: what the person is shown, what a form can and cannot say, what is remembered, and how the browser gets back to the client.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256At } from '../../src/crypto/hash.ts';
import type { DocumentFetcher } from '../../src/options.ts';
import { type Browser, boxes, hasButton, type Page, signInAndDecide } from '../browser.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, loopback, password, type Stage, stage, webRedirect } from './authorize-stage.ts';

const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
const field = (page: Page, name: string) => page.forms[0]?.fields.find((one) => one.name === name)?.value ?? '';
const documentUrl = 'https://agent.example/client.json';

/** Serves one metadata document that a test may change. */
function publisher() {
  const document: Record<string, unknown> = {
    client_id: documentUrl,
    client_name: 'Agent of Example',
    redirect_uris: ['http://127.0.0.1/callback', 'https://agent.example/cb'],
  };
  const fetchDocument: DocumentFetcher = () =>
    Promise.resolve({
      status: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'max-age=60' },
      body: Buffer.from(JSON.stringify(document)),
    });
  return { document, fetchDocument };
}

async function grantOf(on: Stage, answer: string | undefined) {
  const found = await on.store.findCode(sha256At(answerOf(answer)['code'] ?? ''), on.clock.now());
  assert.ok(found, `no code in ${answer}`);
  return found;
}

describe('the consent page', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());

  test('[CON-01] it shows who asks, where it returns, for which server, which scopes, for how long, and which account', async () => {
    const browser = await on.signedIn();
    const page = await browser.open(on.dynamicUrl({ scope: 'files:read files:delete not:offered', redirect_uri: webRedirect }));

    for (const shown of [
      'Unverified app',
      'Unknown Agent',
      'app.example.org',
      webRedirect,
      'My File Server',
      'mcp.example.com',
      'files:read',
      'files:delete',
      'Delete files',
      'not:offered',
      'ada@example.com',
      'Switch account',
      'until',
      'client_dynamic',
    ])
      assert.ok(page.html.toLowerCase().includes(shown.toLowerCase()), shown);
    assert.doesNotMatch(page.html, /\bverified (app|publisher)/);
    assert.match(page.html, /Not offered by this server/);
  });

  test('[AZ-19] of scopes that nobody offers a page tells ten, and keeps no more', async () => {
    const browser = await on.signedIn();
    const unknown = Array.from({ length: 500 }, (_, index) => `x${index}`);

    const { html } = await browser.open(on.url({ scope: ['files:read', ...unknown].join(' ') }));

    assert.equal(html.match(/<code>x\d+<\/code>/g)?.length, 10);
  });

  test('[CON-02] a redirect to loopback says that any program on this computer could ask', async () => {
    const browser = await on.signedIn();

    assert.match((await browser.open(on.url())).html, /Any program on this computer could be asking/);
    assert.doesNotMatch((await browser.open(on.dynamicUrl())).html, /Any program on this computer/);
  });

  test('Deny comes first, so that Enter never approves', async () => {
    const browser = await on.signedIn();
    const page = await browser.open(on.url());

    assert.deepEqual(
      page.forms[0]?.buttons.map((button) => button.value),
      ['deny', 'allow'],
    );
    assert.match((await browser.submit(page)).title, /^Nothing was shared/);
  });

  test('[AZ-15] [AZ-14] [AZ-27] Allow answers 303 to our return page, which leads on to the client with code, state and iss', async () => {
    const browser = await on.signedIn();
    const page = await browser.open(on.url({ state: 'a b&c=%/+"é'.replace('é', '~') }));
    const response = await on.request('/consent', form({ tx: field(page, 'tx'), csrf: field(page, 'csrf'), decision: 'allow' }, { Cookie: cookieOf(browser) }));

    assert.equal(response.status, 303);
    assert.match(response.headers.get('location') ?? '', /^\/authorize\/return\?tx=/);
    const back = await browser.open(response.headers.get('location') ?? '');
    assert.equal(back.status, 200);
    assert.ok(back.refresh?.startsWith(`${loopback}?`));
    const answer = answerOf(back.refresh);
    assert.deepEqual(Object.keys(answer).sort(), ['code', 'iss', 'state']);
    assert.deepEqual([answer['state'], answer['iss']], ['a b&c=%/+"~', issuer]);
    assert.ok(back.html.includes(`href="${back.refresh?.replaceAll('&', '&amp;')}"`));
  });

  test('[AZ-30] the code is 256 random bits, stored hashed, lives a minute, and is bound to what was asked', async () => {
    const answer = await signInAndDecide(
      on.url({ redirect_uri: 'http://localhost:50001/callback', nonce: 'n-1', scope: 'openid files:read' }),
      { username: 'ada', password, decision: 'allow' },
      { browser: await on.signedIn() },
    );
    const { code, grant } = await grantOf(on, answer);

    assert.match(answerOf(answer)['code'] ?? '', /^ac_[A-Za-z0-9_-]{51}$/);
    assert.equal(await on.store.findCode(answerOf(answer)['code'] ?? '', on.clock.now()), undefined);
    assert.equal(code.expiresAt - code.createdAt, 60);
    assert.deepEqual(
      { clientId: code.clientId, redirectUri: code.redirectUri, codeChallenge: code.codeChallenge, nonce: code.nonce, authTime: code.authTime },
      { clientId: 'client_known', redirectUri: 'http://localhost:50001/callback', codeChallenge: pkce.challenge, nonce: 'n-1', authTime: on.clock.now() },
    );
    assert.deepEqual([grant.resource, grant.scope, grant.userId], [on.mcp.resource, ['openid', 'files:read'], on.user.id]);
  });

  test('[AZ-08] the port of this request is what the code is sent to', async () => {
    const answer = await signInAndDecide(
      on.url({ redirect_uri: 'http://localhost:50002/callback' }),
      { username: 'ada', password, decision: 'allow' },
      { browser: await on.signedIn() },
    );

    assert.equal(new URL(answer).host, 'localhost:50002');
  });

  test('[AZ-32] Deny answers access_denied through the same way back, and shares nothing', async () => {
    const browser = await on.signedIn();
    const grants = (await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length;

    const back = await browser.submit(await browser.open(on.dynamicUrl()), {}, 'deny');

    assert.match(back.title, /^Nothing was shared/);
    assert.ok(back.refresh?.startsWith(`${webRedirect}?error=access_denied&`));
    assert.deepEqual([answerOf(back.refresh)['state'], answerOf(back.refresh)['iss']], ['xyz', issuer]);
    assert.equal((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length, grants);
  });

  test('[AZ-20] [CON-05] optional scopes start unticked, what is left out is not granted, and the token says so', async () => {
    const server = await on.addServer({
      resource: 'https://optional.example/mcp',
      scopes: [{ name: 'files:read' }, { name: 'files:write', optional: true }, { name: 'files:delete', optional: true }],
    });
    const browser = await on.signedIn();
    const page = await browser.open(on.url({ resource: server.resource, scope: 'files:read files:write files:delete' }));
    assert.deepEqual(boxes(page), ['files:write', 'files:delete']);
    assert.ok(page.forms[0]?.fields.every((one) => one.radio || one.radio || one.ticked !== true));

    const back = await browser.submit(page, { scope: ['files:write'] }, 'allow');
    const { code } = answerOf(back.refresh);
    const response = await on.request(
      '/token',
      form({ grant_type: 'authorization_code', client_id: 'client_known', code: code ?? '', redirect_uri: loopback, code_verifier: pkce.verifier }),
    );

    assert.equal(((await response.json()) as { scope: string }).scope, 'files:read files:write');
  });

  test('[CON-05] a form that adds scopes, a resource or a client has no effect beyond the request', async () => {
    const browser = await on.signedIn();
    const page = await browser.open(on.url({ scope: 'files:read' }));
    const body = new URLSearchParams({
      tx: field(page, 'tx'),
      csrf: field(page, 'csrf'),
      decision: 'allow',
      resource: 'https://evil.example',
      client_id: 'client_dynamic',
      redirect_uri: 'https://evil.example/cb',
      user: 'usr_other',
    });
    for (const scope of ['files:read', 'files:write', 'files:delete', 'admin:all']) body.append('scope', scope);

    const response = await on.request('/consent', {
      method: 'POST',
      body: body.toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: cookieOf(browser) },
    });
    const back = await browser.open(response.headers.get('location') ?? '');

    const { grant } = await grantOf(on, back.refresh);
    assert.deepEqual(
      [grant.scope, grant.resource, grant.clientId, new URL(back.refresh ?? '').host],
      [['files:read'], on.mcp.resource, 'client_known', 'localhost:4711'],
    );
  });

  test('[CON-05] [LOG-02] a consent form works once, with its own token, for its own transaction and session, from this site', async () => {
    const browser = await on.signedIn();
    const page = await browser.open(on.url());
    const another = await browser.open(on.url());
    const stranger = await on.signedIn();
    const fields = { tx: field(page, 'tx'), csrf: field(page, 'csrf'), decision: 'allow' };
    const cookie = cookieOf(browser);
    const grants = (await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length;
    const refused: [string, RequestInit, number][] = [
      ['no token', form({ tx: fields.tx, decision: 'allow' }, { Cookie: cookie }), 403],
      ['the token of another transaction', form({ ...fields, csrf: field(another, 'csrf') }, { Cookie: cookie }), 403],
      ['another site', form(fields, { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }), 403],
      ['another browser', form(fields, { Cookie: cookieOf(stranger) }), 400],
      ['no browser', form(fields), 400],
      ['no decision', form({ tx: fields.tx, csrf: fields.csrf }, { Cookie: cookie }), 400],
      ['two decisions', { ...form(fields, { Cookie: cookie }), body: `${new URLSearchParams(fields)}&decision=deny` }, 400],
      ['another decision', form({ ...fields, decision: 'ALLOW' }, { Cookie: cookie }), 400],
    ];

    for (const [name, init, status] of refused) assert.equal((await on.request('/consent', init)).status, status, name);
    assert.equal((await on.request('/consent', { headers: { Cookie: cookie } })).status, 405);
    assert.equal((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length, grants);
    assert.equal((await on.request('/consent', form(fields, { Cookie: cookie, Origin: 'null' }))).status, 303);
  });

  test('[LOG-02] a page made for one session is worth nothing to the next person in this browser', async () => {
    await on.addUser({ username: 'grace', password });
    const browser = await on.signedIn();
    const page = await browser.open(on.url());
    const signIn = await browser.open(`/login?tx=${field(page, 'tx')}&switch=1`);
    await browser.submit(signIn, { username: 'grace', password });

    assert.equal((await browser.submit(page, {}, 'allow')).status, 403);
  });

  test('[CON-05] when the same agent was allowed on another page meanwhile, Allow shows the question as it is now, and Deny stays a no', async () => {
    const server = await on.addServer({
      id: 'srv_twice',
      resource: 'https://twice.example.com',
      scopes: [{ name: 'files:read' }, { name: 'files:write', optional: true }],
    });
    const browser = await on.signedIn();
    const url = on.url({ resource: server.resource, scope: 'files:read files:write' });
    const [first, second, third] = [await browser.open(url), await browser.open(url), await browser.open(url)];
    const decided = await browser.submit(first, { scope: ['files:write'] }, 'allow');

    const again = await browser.submit(second, { scope: ['files:write'] }, 'allow');
    const denied = await browser.submit(third, {}, 'deny');

    assert.ok(answerOf(decided.refresh).code);
    assert.equal(again.status, 200);
    assert.equal(field(again, 'tx'), field(second, 'tx'));
    assert.equal(again.refresh, undefined);
    assert.ok(answerOf((await browser.submit(again, {}, 'allow')).refresh).code);
    assert.equal(answerOf(denied.refresh).error, 'access_denied');
  });

  test('[CON-06] a second answer to one request is a page and no second code', async () => {
    const browser = await on.signedIn();
    const page = await browser.open(on.url());
    const fields = form({ tx: field(page, 'tx'), csrf: field(page, 'csrf'), decision: 'allow' }, { Cookie: cookieOf(browser) });
    const grants = (await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length;

    const answers = await Promise.all(Array.from({ length: 5 }, () => on.request('/consent', fields)));
    const late = await browser.submit(page, {}, 'allow');
    const denied = await browser.submit(page, {}, 'deny');
    const reopened = await browser.open(page.url);

    assert.equal(answers.filter((answer) => answer.status === 303).length, 1);
    assert.equal((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length, grants + 1);
    for (const again of [late, denied, reopened]) {
      assert.equal(again.status, 400);
      assert.match(again.title, /^Already decided/);
      assert.equal(again.refresh, undefined);
    }
  });

  test('[LOG-03] the way back can be shown again to this browser while the code lives, and to no other', async () => {
    const browser = await on.signedIn();
    const back = await browser.submit(await browser.open(on.url()), {}, 'allow');

    on.clock.advance(59);
    assert.equal((await browser.open(back.url)).refresh, back.refresh);
    assert.equal((await (await on.signedIn()).open(back.url)).status, 400);
    on.clock.advance(1);
    const late = await browser.open(back.url);
    assert.deepEqual([late.status, late.refresh], [400, undefined]);
    assert.match(late.html, /connect again/);
  });

  test('the answer lies in the database sealed under the cookie of the browser', async () => {
    const browser = await on.signedIn();
    const back = await browser.submit(await browser.open(on.url()), {}, 'allow');
    const tx = new URL(back.url).searchParams.get('tx') ?? '';
    const parked = await on.store.findRequest(sha256At(tx), on.clock.now());

    assert.ok(parked?.answer);
    assert.doesNotMatch(Buffer.from(parked.answer, 'base64url').toString('latin1'), /ac_|localhost/);
  });

  test('[CON-09] a redirect to an app of its own leaves a page with a link', async () => {
    await on.addClient({ id: 'client_cursor', registration: 'dynamic', metadata: { redirectUris: ['cursor://anysphere.cursor-mcp/oauth/callback'] } });
    const browser = await on.signedIn();
    const page = await browser.open(on.url({ client_id: 'client_cursor', redirect_uri: 'cursor://anysphere.cursor-mcp/oauth/callback' }));
    assert.match(page.html, /cursor:\/\//);
    assert.match(page.html, /Any program on this computer/);

    const back = await browser.submit(page, {}, 'allow');
    assert.match(back.html, /<a [^>]*href="cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?code=ac_/);
  });

  test('[LOG-10] a hostile name is text on every page it reaches', async () => {
    const name = '<script>alert(1)</script>"onmouseover=x';
    await on.addClient({ id: 'client_hostile', registration: 'dynamic', metadata: { clientName: name, redirectUris: [webRedirect] } });
    const browser = on.browser();
    const signIn = await browser.open(on.dynamicUrl({ client_id: 'client_hostile' }));
    const consent = await browser.submit(signIn, { username: 'ada', password });
    const back = await browser.submit(consent, {}, 'allow');

    for (const page of [signIn, consent, back, await browser.open('/account/agents')]) {
      assert.doesNotMatch(page.html, /<script>alert|"onmouseover=x[^&]*>/);
      assert.match(page.html, /&lt;script&gt;/);
    }
  });

  test('the receipt keeps what was shown, in the words it was shown in, and what came of it', async () => {
    const server = await on.addServer({
      resource: 'https://receipt.example/mcp',
      name: 'Receipts',
      scopes: [
        { name: 'a:read', description: 'Read the A' },
        { name: 'a:write', description: 'Write the A', optional: true },
      ],
    });
    const answer = await signInAndDecide(
      on.dynamicUrl({ resource: server.resource, scope: 'a:read a:write gone:x' }),
      { username: 'ada', password, decision: 'allow', scopes: [] },
      { browser: await on.signedIn() },
    );
    const { grant } = await grantOf(on, answer);

    const receipt = JSON.parse((await on.store.findReceipt(grant.userId ?? '', grant.id)) ?? '{}');
    assert.deepEqual(
      [receipt.v, receipt.asked, receipt.language, receipt.client.tier, receipt.returns_to.place],
      [2, true, 'en', 'dynamic', 'app.example.org'],
    );
    assert.deepEqual(
      receipt.scopes.map((scope: { name: string; text: string; granted: boolean }) => [scope.name, scope.text, scope.granted]),
      [
        ['a:read', 'Read the A', true],
        ['a:write', 'Write the A', false],
        ['gone:x', receipt.scopes[2].text, false],
      ],
    );
    const [event] = await on.store.listEvents({ grantId: grant.id, limit: 1 });
    assert.deepEqual([event?.type, event?.actor, event?.detail?.['scope']], ['grant.approved', `user:${on.user.id}`, ['a:read']]);
  });

  test('[AZ-37] what a person may not reach is answered after sign-in, not before', async () => {
    const doomed = await on.addServer({ resource: 'https://doomed.example/mcp' });
    const browser = on.browser();
    const signIn = await browser.open(on.dynamicUrl({ resource: doomed.resource }));
    await on.store.removeServer(doomed.id, auditEvent('server.removed', on.clock.now(), 'test'));
    const tx = field(signIn, 'tx');

    assert.equal(new URL((await browser.open(`/authorize/consent?tx=${tx}`)).url).pathname, '/login');
    const back = await browser.submit(signIn, { username: 'ada', password });
    assert.equal(answerOf(back.refresh)['error'], 'invalid_target');
  });

  test('a client that was removed while the person read gets unauthorized_client and no code', async () => {
    await on.addClient({ id: 'client_brief' });
    const browser = await on.signedIn();
    const page = await browser.open(on.url({ client_id: 'client_brief' }));
    await on.store.removeClient('client_brief', auditEvent('client.removed', on.clock.now(), 'test'));

    const back = await browser.submit(page, {}, 'allow');
    assert.equal(answerOf(back.refresh)['error'], 'unauthorized_client');
  });
});

describe('remembered consent', () => {
  const trusted = { clients: { trustedHosts: ['app.example.org'] } };
  const allow = { username: 'ada', password, decision: 'allow' } as const;

  test('[CON-03] [D13] on loopback nothing is ever silent: the same request is a reconnect page, whatever the port', async () => {
    const on = await stage({ clients: { trustedHosts: ['localhost', 'localhost:4711', 'localhost:50099', 'anysphere.cursor-mcp'] } });
    const cursor = { client_id: 'client_cursor', redirect_uri: 'cursor://anysphere.cursor-mcp/oauth/callback' };
    await on.addClient({ id: 'client_cursor', metadata: { redirectUris: [cursor.redirect_uri] } });
    const browser = await on.signedIn();
    await signInAndDecide(on.url(), allow, { browser });
    await signInAndDecide(on.url(cursor), allow, { browser });

    assert.match((await browser.open(on.url(cursor))).title, /^Reconnect/);
    const page = await browser.open(on.url({ redirect_uri: 'http://localhost:50099/callback' }));
    assert.match(page.title, /^Reconnect Claude Code\?/);
    assert.ok(hasButton(page, 'decision'));
    await on.close();
  });

  test('[CON-03] [D13] an https redirect is answered silently only where the operator trusts the host', async () => {
    const [open, closed] = [await stage(trusted), await stage()];
    for (const [on, silent] of [
      [open, true],
      [closed, false],
    ] as const) {
      const browser = await on.signedIn();
      await signInAndDecide(on.dynamicUrl(), allow, { browser });

      const page = await browser.open(on.dynamicUrl());
      assert.equal(page.left, silent);
      if (silent) {
        const { grant } = await grantOf(on, page.url);
        assert.equal(JSON.parse((await on.store.findReceipt(grant.userId ?? '', grant.id)) ?? '{}').asked, false);
      } else assert.match(page.title, /^Reconnect/);
      await on.close();
    }
  });

  test('[CON-03] [AZ-21] a new scope, resource, redirect URI, person, prompt or revocation asks again', async () => {
    const on = await stage(trusted);
    await on.addClient({ id: 'client_two', registration: 'dynamic', metadata: { clientName: 'Two', redirectUris: [webRedirect, `${webRedirect}/two`] } });
    await on.addServer({ resource: 'https://other.example/mcp' });
    await on.addUser({ username: 'grace', password });
    const browser = await on.signedIn();
    const url = (more = {}) => on.dynamicUrl({ client_id: 'client_two', ...more });
    await signInAndDecide(url({ scope: 'files:read files:write' }), allow, { browser });

    assert.equal((await browser.open(url({ scope: 'files:write' }))).left, true);
    const asked: [Record<string, string>, RegExp][] = [
      [{ scope: 'files:read files:delete' }, /^Two asks for more/],
      [{ resource: 'https://other.example/mcp' }, /^Allow Two/],
      [{ redirect_uri: `${webRedirect}/two` }, /^Allow Two/],
      [{ prompt: 'consent' }, /^Allow Two/],
      [{ prompt: 'select_account' }, /^Allow Two/],
    ];
    for (const [more, title] of asked) assert.match((await browser.open(url(more))).title, title, JSON.stringify(more));

    const grace = on.browser();
    const page = await grace.submit(await grace.open(url()), { username: 'grace', password });
    assert.match(page.title, /^Allow Two/);

    for (const grant of await on.store.listGrants({ userId: on.user.id }, on.clock.now()))
      await on.store.revokeGrant(grant.id, 'test', auditEvent('grant.revoked', on.clock.now(), 'test'));
    assert.match((await browser.open(url())).title, /^Allow Two/);
    await on.close();
  });

  test('[CON-03] a metadata document that changed voids what was remembered', async () => {
    const { document, fetchDocument } = publisher();
    const on = await stage({ fetchDocument, clients: { trustedHosts: ['agent.example'] } });
    const browser = await on.signedIn();
    const url = on.url({ client_id: documentUrl, redirect_uri: 'https://agent.example/cb' });
    const first = await browser.open(url);
    assert.match(first.html, /agent\.example/);
    await browser.submit(first, {}, 'allow');
    assert.equal((await browser.open(url)).left, true);

    document['client_name'] = 'Somebody Else';
    on.clock.advance(3600);
    const page = await browser.open(url);

    assert.equal(page.left, false);
    assert.match(page.title, /^Allow Somebody Else/);
    await on.close();
  });

  test('[CON-03] what another description of the client was allowed does not soften a later question of the new one', async () => {
    const { document, fetchDocument } = publisher();
    const on = await stage({ fetchDocument });
    const browser = await on.signedIn();
    const url = (scope: string) => on.url({ client_id: documentUrl, redirect_uri: 'https://agent.example/cb', scope });
    await browser.submit(await browser.open(url('files:read files:delete')), {}, 'allow');
    document['client_name'] = 'Somebody Else';
    on.clock.advance(3600);
    await browser.submit(await browser.open(url('files:read')), {}, 'allow');

    const page = await browser.open(url('files:read files:delete'));

    assert.match(page.title, /^Confirm it's you/);
    await on.close();
  });

  test('a step-up shows what is new and keeps what was allowed; nothing but the addition is asked', async () => {
    const on = await stage();
    const browser = await on.signedIn();
    await signInAndDecide(on.url({ scope: 'files:read' }), allow, { browser });

    const page = await browser.open(on.url({ scope: 'files:read files:write' }));
    assert.match(page.title, /asks for more/);
    assert.match(page.html, /Already allowed/);
    const kept = await browser.submit(page, {}, 'deny');
    assert.equal(answerOf(kept.refresh)['error'], 'access_denied');
    assert.equal((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length, 1);

    const answer = await signInAndDecide(on.url({ scope: 'files:read files:write' }), allow, { browser });
    assert.deepEqual((await grantOf(on, answer)).grant.scope, ['files:read', 'files:write']);
    await on.close();
  });

  test('[AZ-22] prompt=none never shows a page: it answers or says which of the three it lacks', async () => {
    const on = await stage(trusted);
    const stranger = on.browser();
    const browser = await on.signedIn();
    const errorOf = async (who: Browser, url: string) => {
      const page = await who.open(url);
      assert.equal(page.left, true, page.title);
      return answerOf(page.url)['error'];
    };

    assert.equal(await errorOf(stranger, on.url({ prompt: 'none' })), 'login_required');
    assert.equal(await errorOf(browser, on.url({ prompt: 'none' })), 'consent_required');
    on.clock.advance(10);
    assert.equal(await errorOf(browser, on.url({ prompt: 'none', max_age: '5' })), 'login_required');
    await signInAndDecide(on.url(), allow, { browser });
    assert.equal(await errorOf(browser, on.url({ prompt: 'none' })), 'interaction_required');
    await signInAndDecide(on.dynamicUrl(), allow, { browser });
    assert.equal(await errorOf(browser, on.dynamicUrl({ prompt: 'none' })), undefined);
    await on.close();
  });
});

test('[AZ-15] [LOG-03] a tenant answers in its own name, and its requests are nothing to another tenant', async () => {
  const on = await stage();
  await on.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: on.clock.now() });
  const acme = await on.server.context('acme');
  assert.ok(acme);
  const found = await on.store.findUserByLogin('ada');
  assert.ok(found);
  await acme.store.addUser({ ...found.user, passwordHash: found.passwordHash ?? '' }, auditEvent('user.added', on.clock.now(), 'test'));
  await acme.store.addClient(on.client, auditEvent('client.registered', on.clock.now(), 'test'));
  await acme.store.addServer(on.mcp, auditEvent('server.added', on.clock.now(), 'test'));
  const url = on.url().replace('/authorize?', '/t/acme/authorize?');
  const browser = on.browser();

  const waiting = await browser.open(url);
  assert.equal((await browser.open(`/login?tx=${field(waiting, 'tx')}`)).status, 400);
  const answer = await signInAndDecide(url, { username: 'ada', password, decision: 'allow' }, { browser });

  assert.equal(answerOf(answer)['iss'], `${issuer}/t/acme`);
  assert.equal(await on.store.findCode(sha256At(answerOf(answer)['code'] ?? ''), on.clock.now()), undefined);
  assert.equal((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length, 0);
  await on.close();
});
