/**
 * A life in a tenant: everything that people, clients, servers and operators do there, so that each kind of id, secret, cookie and link exists once and each route
 * is asked. Pages and forms are not listed: every page is opened and every form pressed. Two lives are the same step by step, with other secrets.
 */
import assert from 'node:assert/strict';
import { makeInvitation, makeResetLink } from '../../src/account/operator-links.ts';
import { newRecoveryCodes, sealSecret } from '../../src/account/second-factor.ts';
import { makeSetupLink } from '../../src/account/setup.ts';
import { auditEvent, type EventType } from '../../src/audit/event.ts';
import { newRegistrationToken } from '../../src/clients/registration-token.ts';
import type { Context } from '../../src/context.ts';
import { codeOfStep } from '../../src/crypto/totp.ts';
import { limitNames } from '../../src/limits/policies.ts';
import type { OutgoingMail, ServerOptions } from '../../src/options.ts';
import { isForPeople, type Method } from '../../src/route.ts';
import { routes } from '../../src/server.ts';
import { newKey } from '../../src/servers/key-value.ts';
import { newOwnerToken } from '../../src/servers/owner-token.ts';
import { authenticator } from '../authenticator.ts';
import { type Browser, openBrowser, type Page, type PageForm } from '../browser.ts';
import { form, issuer, pkce, type TestServer, testServer } from '../harness.ts';
import { type Provider, upstreamProvider } from '../upstream-provider.ts';
import { type Recorded, type RewindableDriver, rewindable, routeOf } from './recorder.ts';

export const password = 'correct horse battery staple';
const redirectUri = 'http://localhost:4711/callback';
const totpSecret = Buffer.from('12345678901234567890');

export type World = TestServer & { driver: RewindableDriver; provider: Provider; sent: OutgoingMail[] };

/** A server on which everything is switched on and nothing is limited, without the guards that keep audit events where they are. */
export async function world(options: Partial<ServerOptions> = {}): Promise<World> {
  const driver = rewindable();
  const sent: OutgoingMail[] = [];
  let time = () => 0;
  const provider = upstreamProvider('https://login.elsewhere.example', () => time());
  const server = await testServer({
    driver,
    limits: limitNames.map((name) => `${name}=off`),
    signIn: { emailCode: true, signUp: 'open' },
    clients: { registration: 'token' },
    fetchUpstream: (url, request) => provider.fetch(url, request),
    sendMail: async (mail) => {
      sent.push(mail);
      return 'sent';
    },
    ...options,
  });
  time = server.clock.now;
  for (const { name } of await driver.read({ text: "select name from sqlite_master where type = 'trigger'", values: [] }))
    await driver.write([{ text: `drop trigger ${name}`, values: [] }]);
  return { ...server, driver, provider, sent };
}

/** `mark` stands in every name, so that it would be seen elsewhere. With `sameIds` people, servers and clients have the same ids in every tenant. */
export type Tenancy = { slug: string; mark: string; sameIds: boolean };

/** Lives once. Resolves to every request, in order. */
export async function live(on: World, { slug, mark, sameIds }: Tenancy): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  await on.server.storage.addTenant({ tenant: slug, name: mark, createdAt: on.clock.now(), settings: JSON.stringify({ serviceName: `Service ${mark}` }) });
  const context = (await on.server.context(slug)) as Context;
  const { store, base } = context;
  const now = on.clock.now();
  const event = (type: EventType) => auditEvent(type, now, 'test');

  /** Sends a request and keeps it. */
  async function ask(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname, search } = new URL(url, issuer);
    // Well-known documents have the tenant at their end.
    const path = pathname.startsWith(`${base}/`) || pathname === base ? pathname.slice(base.length) || '/' : pathname.replace(base, '');
    const route = routeOf(path);
    assert.ok(route, `no route for ${path}`);
    const headers = Object.fromEntries([...new Headers(init.headers)]);
    recorded.push({
      method: init.method ?? 'GET',
      route,
      path,
      query: search.slice(1),
      headers,
      body: init.body as string | undefined,
      before: await on.driver.rowsOf(slug),
    });
    return on.request(`${base}${path}${search}`, init);
  }
  const browsers: Browser[] = [];
  const visitor = (): Browser => {
    const browser = openBrowser((url, init) => ask(url, init), issuer);
    browsers.push(browser);
    return browser;
  };
  const open = (browser: Browser, path: string) => browser.open(path.startsWith('http') ? path : base + path);
  const json = async (response: Response, status = 200) => {
    const text = await response.text();
    assert.equal(response.status, status, text);
    return JSON.parse(text) as Record<string, string>;
  };
  const basic = (id: string, secret: string) => ({ Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` });
  const bearer = (token: string | undefined) => ({ Authorization: `Bearer ${token}` });
  /** What is asked here leaves no trace in the life. */
  async function aside<Value>(act: () => Promise<Value>): Promise<Value> {
    const rows = await on.driver.rowsOf(slug);
    const jars = browsers.map(({ cookies }) => [cookies, [...cookies]] as const);
    const answer = await act();
    await on.driver.rewind(slug, rows);
    for (const [cookies, earlier] of jars) {
      cookies.clear();
      for (const [name, value] of earlier) cookies.set(name, value);
    }
    return answer;
  }
  const mailTo = async (address: string, from: number) => {
    await on.server.flush();
    await context.mail.idle();
    const found = on.sent.slice(from).findLast(({ to }) => to === address);
    assert.ok(found, `no mail to ${address}`);
    return { code: /^ +(\d{4} \d{4})$/m.exec(found.text)?.[1] ?? '', link: /^https:\/\/\S+$/m.exec(found.text)?.[0] ?? '' };
  };

  // The first operator comes by a link.
  await aside(async () => {
    const operator = visitor();
    await operator.submit(await operator.open(await makeSetupLink(context)), { username: 'boss', email: `boss@${mark}.example`, password });
  });

  // Who and what there is.
  const named = (id: string) => (sameIds ? id : `${id}${mark}`);
  const personId = (name: string) => named(`usr_${name}`);
  const [publicClient, secretClient] = [named('client_public'), named('client_secret')];
  const { hashPassword } = await import('../../src/crypto/password.ts');
  const passwordHash = await hashPassword(password);
  for (const [name, role] of [
    ['ada', 'operator'],
    ['bob', 'user'],
  ] as const) {
    const person = { id: personId(name), username: name, email: `${name}@example.com`, name: `${name} ${mark}`, role, createdAt: now, passwordHash };
    await store.addUser(person, event('user.added'));
  }
  const server = { id: named('srv_files'), resource: 'https://files.example/mcp', serverUrl: 'https://files.example/mcp' };
  await store.addServer(
    { ...server, ownerId: personId('ada'), name: `Files ${mark}`, scopes: [{ name: 'files:read' }, { name: 'files:write' }], createdAt: now, updatedAt: now },
    event('server.added'),
  );
  const key = newKey();
  await store.addKey(
    { id: key.id, serverId: server.id, name: `Key ${mark}`, secretHash: key.hash, createdAt: now, expiresAt: now + 86_400 },
    event('key.created'),
  );
  const owner = newOwnerToken(personId('ada'), `Token ${mark}`, now);
  await store.addOwnerToken(owner.row, event('owner_token.created'));
  const initial = newRegistrationToken({ name: `Registrations ${mark}`, uses: 100, lifetimeSeconds: 3600 }, now);
  await store.addRegistrationToken(initial.row, event('registration_token.created'));
  const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'];
  const secretOfClient = `secret-of-the-client-${slug}-4711`;
  for (const [id, secret] of [
    [publicClient, undefined],
    [secretClient, secretOfClient],
  ] as const) {
    await store.addClient(
      {
        id,
        registration: 'manual',
        metadata: {
          clientName: `Client ${mark}`,
          redirectUris: [redirectUri],
          grantTypes,
          responseTypes: ['code'],
          tokenEndpointAuthMethod: secret ? 'client_secret_basic' : 'none',
          scope: 'files:read',
          postLogoutRedirectUris: ['http://localhost:4711/bye'],
        },
        secretHash: secret && context.instance.mac('client-secret', id, secret),
        createdAt: now,
        lastUsedAt: now,
      },
      event('client.registered'),
    );
  }
  const { sealCredential } = await import('../../src/upstream/client.ts');
  await store.addUpstream(
    {
      id: 'elsewhere',
      name: `Elsewhere ${mark}`,
      recipe: 'openid',
      issuer: on.provider.issuer,
      clientId: on.provider.clientId,
      credentialSealed: sealCredential('elsewhere', { secret: on.provider.secret }, context),
      scope: ['openid', 'profile', 'email'],
      privateNetwork: false,
      createdAt: now,
    },
    event('upstream.added'),
  );

  // Ada signs in and lets an agent in.
  const ada = visitor();
  await ada.submit(await open(ada, '/login'), { username: 'ada', password });
  assert.match((await open(ada, '/account')).html, new RegExp(`ada ${mark}`));
  const asked = {
    response_type: 'code',
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    resource: server.resource,
    scope: 'files:read openid',
    state: 'xyz',
  };
  const authorizeUrl = (more: Record<string, string>) => `/authorize?${new URLSearchParams({ ...more })}`;
  const decided = await ada.submit(await open(ada, authorizeUrl({ client_id: publicClient, redirect_uri: redirectUri, ...asked })), {}, 'allow');
  const code = new URL(decided.refresh ?? 'about:blank').searchParams.get('code') ?? '';
  assert.match(code, /^ac_/);
  const tokens = await json(
    await ask(
      `${base}/token`,
      form({ grant_type: 'authorization_code', code, client_id: publicClient, redirect_uri: redirectUri, code_verifier: pkce.verifier }),
    ),
  );
  const renewed = await json(
    await ask(`${base}/token`, form({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '', client_id: publicClient })),
  );
  const { access_token: access = '', refresh_token: refresh = '' } = renewed;
  const machine = await json(
    await ask(`${base}/token`, form({ grant_type: 'client_credentials', resource: server.resource, scope: 'files:read' }, basic(secretClient, secretOfClient))),
  );
  const introspected = await json(await ask(`${base}/introspect`, form({ token: access }, bearer(key.secret))));
  assert.equal(String(introspected.active), 'true');
  await json(await ask(`${base}/introspect`, form({ token: machine.access_token ?? '' }, basic(secretClient, secretOfClient))));
  const report = { token: access, actions: [{ action: 'read', outcome: 'allowed' }] };
  await ask(`${base}/report`, { method: 'POST', body: JSON.stringify(report), headers: { 'Content-Type': 'application/json', ...bearer(key.secret) } });
  await on.server.flush();
  for (const method of ['GET', 'POST']) await ask(`${base}/userinfo`, { method, headers: bearer(access) });
  for (const token of [access, refresh]) await aside(() => ask(`${base}/revoke`, form({ token, client_id: publicClient })));
  await aside(() => ask(`${base}/revoke`, form({ token: access }, bearer(key.secret))));

  // A request that was pushed, and an exchange.
  const pushed = await json(await ask(`${base}/par`, form({ ...asked, redirect_uri: redirectUri }, basic(secretClient, secretOfClient))), 201);
  await open(ada, authorizeUrl({ client_id: secretClient, request_uri: pushed.request_uri ?? '' }));

  // A device.
  const device = await json(await ask(`${base}/device_authorization`, form({ client_id: publicClient, resource: server.resource, scope: 'files:write' })));
  const poll = () =>
    ask(`${base}/token`, form({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device.device_code ?? '', client_id: publicClient }));
  await poll();
  await open(ada, `/device?user_code=${device.user_code}`);
  const compared = await ada.submit(await open(ada, '/device'), { user_code: device.user_code ?? '' });
  await ada.submit(compared, { user_code: device.user_code ?? '' }, 'allow');
  await aside(poll);

  // A client that registers itself.
  const metadata = { client_name: `Own ${mark}`, redirect_uris: ['http://localhost/cb'], token_endpoint_auth_method: 'none' };
  const sendJson = (method: string, body: object, headers: Record<string, string>) => ({
    method,
    body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
  const registered = await json(await ask(`${base}/register`, sendJson('POST', metadata, bearer(initial.value))), 201);
  const own = `${base}/register/${registered.client_id}`;
  const ofOwn = bearer(registered.registration_access_token);
  await json(await ask(own, { headers: ofOwn }));
  await aside(() => ask(own, sendJson('PUT', { ...metadata, client_id: registered.client_id }, ofOwn)));
  await aside(() => ask(own, { method: 'DELETE', headers: ofOwn }));

  // The management API, whatever operations it has.
  const bodies: Record<string, object> = {
    'POST /api/servers': { server_url: 'https://second.example/mcp', server_name: `Second ${mark}`, scopes: ['a'] },
    'PATCH /api/servers/:id': { server_name: `Renamed ${mark}` },
    'POST /api/servers/:id/keys': { name: `Key ${mark}` },
  };
  for (const route of routes.filter(({ path }) => path.startsWith('/api/'))) {
    const path = base + route.path.replace(':id', server.id).replace(':key_id', key.id);
    for (const method of Object.keys(route.methods)) {
      const body = bodies[`${method} ${route.path}`] ?? {};
      await aside(() =>
        ask(path, method === 'GET' || method === 'DELETE' ? { method, headers: bearer(owner.value) } : sendJson(method, body, bearer(owner.value))),
      );
    }
  }

  // Mail: a code, a link, a new password, an account, another address, an invitation.
  await aside(async () => {
    const from = on.sent.length;
    const browser = visitor();
    const login = await open(browser, '/login');
    const page = await mailCode(browser, login, 'ada');
    const { code: mailed, link } = await mailTo('ada@example.com', from);
    await browser.open(link);
    await visitor().open(link);
    await browser.submit(page, { code: mailed });
  });
  await aside(async () => {
    const from = on.sent.length;
    const browser = visitor();
    await browser.submit(await open(browser, '/reset'), { username: 'ada' });
    await browser.submit(await browser.open((await mailTo('ada@example.com', from)).link), { password: 'seven quiet otters sing' });
  });
  await aside(async () => {
    const browser = visitor();
    await browser.submit(await browser.open(await makeResetLink((await store.findUser(personId('bob'))) as never, context)), {
      password: 'seven quiet otters sing',
    });
  });
  await aside(async () => {
    const from = on.sent.length;
    const browser = visitor();
    const page = await browser.submit(await open(browser, '/signup'), { email: 'new@example.com' });
    const account = await browser.submit(page, { code: (await mailTo('new@example.com', from)).code });
    await browser.submit(account, { name: 'Newcomer', password: 'seven quiet otters sing' });
  });
  await aside(async () => {
    const from = on.sent.length;
    const browser = visitor();
    await browser.submit(await open(browser, '/login'), { username: 'ada', password });
    await browser.submit(await open(browser, '/account/email'), { email: 'moved@example.com' });
    const page = await browser.open((await mailTo('moved@example.com', from)).link);
    const token = new URL(page.url).searchParams.get('token') ?? '';
    assert.equal((await browser.submit(page, { token })).status, 200);
  });
  await aside(async () => {
    const browser = visitor();
    const page = await browser.open(await makeInvitation({ email: 'guest@example.com', role: 'user' }, context));
    await browser.submit(page, { name: 'Guest', password: 'seven quiet otters sing' });
  });

  // A second step, with the app and with a recovery code.
  const { shown, hashes } = newRecoveryCodes(personId('bob'), context);
  await store.addSecondFactor(
    { userId: personId('bob'), secretSealed: sealSecret(totpSecret, personId('bob'), context), step: 0, recoveryHashes: hashes },
    event('second_factor.added'),
  );
  for (const step of [codeOfStep(totpSecret, Math.floor(now / 30)), shown[0] ?? '']) {
    await aside(async () => {
      const bob = visitor();
      const page = await bob.submit(await open(bob, '/login'), { username: 'bob', password });
      assert.equal((await bob.submit(page, { code: step })).status, 200);
    });
  }

  // A passkey is added and used.
  const authenticatorOfAda = authenticator();
  const creation = async (browser: Browser, page: Page, path: string) => {
    const { fields = [] } = page.forms.find((one) => one.fields.some(({ name }) => name === 'credential')) ?? {};
    const response = await ask(
      base + path,
      form(Object.fromEntries(fields.map(({ name, value }) => [name, value])), { ...cookiesOf(browser), Accept: 'application/json', Origin: 'null' }),
    );
    return (await response.json()) as { challenge: string; user: { id: string } };
  };
  const security = await open(ada, '/account/security');
  await ada.submit(security, { credential: authenticatorOfAda.create(await creation(ada, security, '/account/security/passkeys/request')) });
  await aside(async () => {
    const browser = visitor();
    const login = await open(browser, '/login');
    const page = await browser.submit(login, { credential: authenticatorOfAda.get(await creation(browser, login, '/login/passkey')) });
    assert.match(page.url, /\/account/);
  });

  // Somebody comes from elsewhere, first as a stranger, then as ada, who links them.
  const throughElsewhere = async (browser: Browser) => {
    const left = await browser.submit(await open(browser, '/login'), {}, 'elsewhere');
    return browser.open(on.provider.agree(left.refresh ?? ''));
  };
  await aside(async () => {
    const stranger = visitor();
    await pressAll(stranger, await throughElsewhere(stranger));
  });
  await aside(async () => {
    const guest = visitor();
    const page = await guest.open(await makeInvitation({ email: 'grace@hopper.example', role: 'user' }, context));
    const left = await guest.submit(page, {}, 'elsewhere');
    await pressAll(guest, await guest.open(on.provider.agree(left.refresh ?? '')));
  });
  await aside(async () => {
    const page = await open(ada, '/account/security');
    const forms = page.forms.filter(({ action }) => action.endsWith('/upstreams/link'));
    const left = await ada.submit({ ...page, forms }, {});
    const back = await ada.open(on.provider.agree(left.refresh ?? ''));
    assert.match(back.url, /\/account\/link/);
    await pressAll(ada, back);
  });
  await store.linkUpstream(
    { issuer: on.provider.issuer, subject: 'subject-1', upstreamId: 'elsewhere', userId: personId('ada'), createdAt: now },
    event('upstream.linked'),
  );
  await aside(async () => {
    assert.match((await throughElsewhere(visitor())).url, /\/account/);
  });

  // Somebody else in the same browser, and sign-out at the wish of a client.
  await aside(async () => {
    await open(
      ada,
      `/logout?${new URLSearchParams({ id_token_hint: tokens.id_token ?? '', client_id: publicClient, post_logout_redirect_uri: 'http://localhost:4711/bye' })}`,
    );
  });
  await aside(async () => {
    const waiting = await open(ada, authorizeUrl({ client_id: publicClient, redirect_uri: redirectUri, ...asked, scope: 'files:write' }));
    await pressAll(ada, waiting);
  });

  // Every page there is, without a session and with one, and every form on it.
  const grantId = (await store.listGrants({ userId: personId('ada') }, now)).find(({ resource }) => resource === server.resource)?.id ?? '';
  const addressOf = (path: string) =>
    path
      .replace(':grant', grantId)
      .replace(':server_id', server.id)
      .replace(':client_id', registered.client_id ?? '')
      .replace(':id', 'elsewhere')
      .replace(':code', 'invalid_grant');
  for (const browser of [visitor(), ada]) {
    for (const { path, surface, methods } of routes.filter((route) => route.methods.GET && !route.path.startsWith('/api/'))) {
      if (!methods.GET) continue;
      const where = addressOf(path) + (path.startsWith('/account/') ? `?grant=${grantId}` : '');
      await aside(async () => {
        const page = await open(browser, where);
        if (isForPeople(surface) && browser === ada) await pressAll(browser, page);
      });
    }
  }
  // What only shows in a state of its own: paused agents, another session, a second step that is set up.
  await aside(async () => {
    await store.pauseAgent(personId('ada'), grantId, event('grant.paused'));
    await pressAll(ada, await open(ada, '/account/agents'));
    await store.pauseAllAgents(personId('ada'), event('grant.paused'));
    await pressAll(ada, await open(ada, '/account/agents'));
  });
  await aside(async () => {
    const second = visitor();
    await second.submit(await open(second, '/login'), { username: 'ada', password });
    await pressAll(ada, await open(ada, '/account/security'));
  });
  await aside(async () => {
    const bob = visitor();
    await bob.submit(await bob.submit(await open(bob, '/login'), { username: 'bob', password }), { code: codeOfStep(totpSecret, Math.floor(now / 30)) });
    for (const path of ['/account/security', '/account/security/two-step']) await pressAll(bob, await open(bob, path));
  });
  await sprayRest();
  return [...recorded, ...aliases(recorded)];

  /** Asks every route and method that nothing has asked so far, with every parameter that was seen: a new one is attacked from its first day. */
  async function sprayRest(): Promise<void> {
    const seen = new Map(
      recorded.flatMap(({ query, body, headers }) =>
        [query, headers['content-type']?.includes('urlencoded') ? (body ?? '') : ''].flatMap((text) => [...new URLSearchParams(text)]),
      ),
    );
    const elsewhere = recorded.filter(({ headers }) => headers.authorization?.startsWith('Bearer ')).at(-1)?.headers.authorization ?? '';
    for (const route of routes) {
      for (const method of Object.keys(route.methods).filter((one) => !recorded.some((past) => past.route === route && past.method === one))) {
        const init = formOf([...seen], ada);
        const headers = { ...(init.headers as Record<string, string>), ...(isForPeople(route.surface) ? {} : { Authorization: elsewhere }) };
        const path = base + addressOf(route.path);
        await aside(() =>
          method === 'GET' || method === 'DELETE' ? ask(`${path}?${init.body}`.slice(0, 8000), { method, headers }) : ask(path, { ...init, method, headers }),
        );
      }
    }
  }

  /** Sends each form of a page as it is, with each of its buttons, and puts the database back after each. */
  async function pressAll(browser: Browser, page: Page): Promise<void> {
    const elsewhere = [...page.html.matchAll(/formaction="([^"]*)"/g)].map(
      ([, action = '']) => ({ ...page.forms[0], action, method: 'post', buttons: [] }) as PageForm,
    );
    for (const one of [...page.forms.filter(({ method }) => method === 'post'), ...elsewhere]) {
      for (const button of one.buttons.length > 0 ? one.buttons : [{ name: '', value: '' }]) {
        const fields = [
          ...one.fields.filter(({ ticked }) => ticked !== false).map(({ name, value }) => [name, value] as const),
          ...(button.name ? [[button.name, button.value] as const] : []),
        ];
        await aside(() => ask(new URL(one.action, page.url).href, formOf(fields, browser)));
      }
    }
  }

  /** Presses the button of a sign-in page that mails a code. */
  function mailCode(browser: Browser, page: Page, username: string): Promise<Page> {
    const action = /formaction="([^"]*)"/.exec(page.html)?.[1] ?? '';
    return browser.submit({ ...page, forms: page.forms.map((one) => ({ ...one, action })) }, { username });
  }
}

const cookiesOf = (browser: Browser) => ({ Cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ') });

function formOf(fields: readonly (readonly [string, string])[], browser: Browser): RequestInit {
  const body = new URLSearchParams(fields.map(([name, value]) => [name, value])).toString();
  return {
    method: 'POST',
    body,
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Origin: 'null',
      'Sec-Fetch-Site': 'same-origin',
      'Sec-Fetch-Mode': 'navigate',
      Accept: 'text/html,*/*;q=0.8',
      ...cookiesOf(browser),
    },
  };
}

/** The same requests at the other addresses of their handlers. */
function aliases(recorded: readonly Recorded[]): Recorded[] {
  return recorded.flatMap((one) => {
    const method = one.method as Method;
    return routes
      .filter((route) => route !== one.route && !route.path.includes(':') && route.methods[method] && route.methods[method] === one.route.methods[method])
      .map((route) => ({ ...one, route, path: route.path }));
  });
}
