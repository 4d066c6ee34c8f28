/**
 * Pushed authorization requests (RFC 9126): what /par accepts and refuses, and what a reference is worth at /authorize.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { FetchFailure } from '../../src/clients/fetch-failure.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, loopback, type Stage, signInOn, stage, webRedirect } from './authorize-stage.ts';
import { basic, errorOf } from './token-stage.ts';

const secret = 'cs_of_the_web_app';
const url = (values: Record<string, string>) => `${issuer}/authorize?${new URLSearchParams(values)}`;

describe('pushed requests', () => {
  let on: Stage;
  before(async () => {
    on = await stage({ fetchDocument: () => Promise.reject(new Error('nobody is there')), limits: ['par.client=50/15m'] });
    await on.addClient({ id: 'client_web', secret, metadata: { redirectUris: [webRedirect] } });
    await on.addClient({ id: 'client_pushes', secret, metadata: { redirectUris: [webRedirect], requirePushedRequests: true } });
  });
  beforeEach(() => on.clock.advance(1000));
  after(() => on.close());

  const parameters = () => Object.fromEntries(new URL(on.url()).searchParams);
  const push = (more: Record<string, string> = {}, headers: Record<string, string> = {}, address?: string) =>
    on.request('/par', { ...form({ ...parameters(), ...more }, headers), address });
  async function reference(more: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<string> {
    const response = await push(more, headers);
    assert.equal(response.status, 201);
    return ((await response.json()) as { request_uri: string }).request_uri;
  }
  async function assertRefused(response: Response): Promise<void> {
    assert.equal(response.status, 400);
    assert.equal(response.headers.get('location'), null);
    assert.match(await response.text(), /<code>invalid_request_uri<\/code>/);
  }

  test('[PAR-01] [CORS-05] a push is answered 201 with a reference of 256 bits and its life, no-store, readable from any origin', async () => {
    const response = await push();
    const body = (await response.json()) as { request_uri: string; expires_in: number };

    assert.equal(response.status, 201);
    assert.deepEqual(Object.keys(body), ['request_uri', 'expires_in']);
    assert.match(body.request_uri, /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$/);
    assert.equal(body.expires_in, 60);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
  });

  test('[PAR-01] a confidential client proves itself as at the token endpoint', async () => {
    const web = { client_id: 'client_web', redirect_uri: webRedirect };
    assert.equal((await push(web, basic('client_web', secret))).status, 201);
    assert.equal((await push({ ...web, client_secret: secret })).status, 201);

    for (const response of [await push(web), await push({ ...web, client_secret: 'wrong' }), await push(web, basic('client_web', 'wrong'))]) {
      assert.ok(response.headers.get('www-authenticate')?.startsWith('Basic '));
      assert.deepEqual(await errorOf(response), { status: 401, error: 'invalid_client', description: 'Client authentication failed' });
    }
    assert.equal((await errorOf(await push({ client_id: 'client_nobody' }))).error, 'invalid_client');
    assert.equal((await errorOf(await push(web, basic('client_pushes', secret)))).error, 'invalid_request');
  });

  test('[PAR-01] a client whose metadata document cannot be read is told so', async () => {
    assert.deepEqual((await errorOf(await push({ client_id: 'https://app.example.org/client.json' }))).error, 'client_metadata_unavailable');
  });

  test('[PAR-02] every check of /authorize runs, and fails as JSON', async () => {
    const wrong: [Record<string, string>, string][] = [
      [{ request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
      [{ request_uri: 'https://evil.example/r' }, 'invalid_request'],
      [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ response_mode: 'fragment' }, 'invalid_request'],
      [{ code_challenge: '' }, 'invalid_request'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ state: 'snow ☃' }, 'invalid_request'],
      [{ resource: 'https://other.example/mcp' }, 'invalid_target'],
      [{ scope: 'unknown:scope' }, 'invalid_scope'],
      [{ prompt: 'none login' }, 'invalid_request'],
      [{ max_age: '-1' }, 'invalid_request'],
      [{ nonce: 'n'.repeat(513) }, 'invalid_request'],
      [{ authorization_details: '[{"type":"x"}]' }, 'invalid_authorization_details'],
    ];
    for (const [more, code] of wrong) {
      const response = await push(more);
      assert.equal(response.headers.get('location'), null);
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
      const { status, error } = await errorOf(response);
      assert.deepEqual([status, error], [400, code], JSON.stringify(more));
    }
    const repeated = await on.request('/par', { ...form({}), body: `${new URLSearchParams(parameters())}&scope=files:write` });
    assert.equal((await errorOf(repeated)).error, 'invalid_request');
    const json = await on.request('/par', { method: 'POST', body: JSON.stringify(parameters()), headers: { 'Content-Type': 'application/json' } });
    assert.equal((await errorOf(json)).error, 'invalid_request');
    assert.equal((await errorOf(await on.request('/par?client_secret=x', form(parameters())))).error, 'invalid_request');
  });

  test('[PAR-05] a redirect URI that is not registered is refused, for a client that proved itself too', async () => {
    const web = { client_id: 'client_web', redirect_uri: `${webRedirect}/other` };
    assert.deepEqual(await errorOf(await push(web, basic('client_web', secret))), {
      status: 400,
      error: 'invalid_request',
      description: 'The redirect_uri is not registered for this client',
    });
    assert.equal((await errorOf(await push({ redirect_uri: 'http://localhost:4711/other' }))).error, 'invalid_request');
  });

  test('[AZ-24] [AZ-25] the browser brings client_id and request_uri; whatever else it brings is not read', async () => {
    const request_uri = await reference({ state: 'pushed' });
    const browser = on.browser();
    const page = await browser.open(
      url({ client_id: 'client_known', request_uri, state: 'swapped', redirect_uri: 'https://evil.example', scope: 'files:delete' }),
    );
    const consent = await signInOn(browser, page);
    assert.match(consent.html, /files:read/);
    assert.doesNotMatch(consent.html, /files:delete/);

    const answer = answerOf((await browser.submit(consent, {}, 'allow')).refresh);
    assert.equal(answer.state, 'pushed');
    const redeemed = await on.request(
      '/token',
      form({ grant_type: 'authorization_code', client_id: 'client_known', code: answer.code ?? '', code_verifier: pkce.verifier, redirect_uri: loopback }),
    );
    assert.equal(((await redeemed.json()) as { scope: string }).scope, 'files:read');
  });

  test('[PAR-03] [AZ-25] a reference may be opened again until it is answered, and then never', async () => {
    const browser = await on.signedIn();
    const address = url({ client_id: 'client_known', request_uri: await reference() });
    const first = await browser.open(address);
    const second = await browser.open(address);
    await browser.submit(first, {}, 'allow');

    const late = await browser.submit(second, {}, 'allow');
    assert.match(late.html, /Already decided/);
    await assertRefused(await on.request(address));
    assert.equal((await on.store.listGrants({ clientId: 'client_known' }, on.clock.now())).filter(({ createdAt }) => createdAt === on.clock.now()).length, 1);
  });

  test('[PAR-03] [AZ-25] a reference that ended, was answered no, is of another client or made up is the same page', async () => {
    const own = await reference();
    await assertRefused(await on.request(url({ client_id: 'client_dynamic', request_uri: own })));
    await assertRefused(await on.request(url({ client_id: 'client_known', request_uri: `${own}x` })));
    on.clock.advance(60);
    await assertRefused(await on.request(url({ client_id: 'client_known', request_uri: own })));

    const browser = await on.signedIn();
    const denied = url({ client_id: 'client_known', request_uri: await reference() });
    await browser.submit(await browser.open(denied), {}, 'deny');
    await assertRefused(await on.request(denied));
  });

  test('[AZ-25] a reference whose client has gone or changed is not followed', async () => {
    const client = await on.addClient({ id: 'client_leaving', metadata: { redirectUris: [loopback] } });
    const request_uri = await reference({ client_id: client.id });
    await on.store.removeClient(client.id, { id: 'evt_1', at: on.clock.now(), type: 'client.removed', actor: 'test' });
    const response = await on.request(url({ client_id: client.id, request_uri }));

    assert.doesNotMatch(response.headers.get('location') ?? '', /code=/);
    assert.match((await response.text()) + (response.headers.get('location') ?? ''), /unauthorized_client/);
  });

  test('[AZ-25] a client that must push is refused without', async () => {
    const pushes = { client_id: 'client_pushes', redirect_uri: webRedirect };
    const plain = await on.request(url({ ...parameters(), ...pushes }));
    assert.equal(answerOf(plain.headers.get('location') ?? '').error, 'invalid_request');

    const request_uri = await reference(pushes, basic('client_pushes', secret));
    assert.equal((await on.request(url({ client_id: 'client_pushes', request_uri }))).status, 200);
  });

  test('[META-17] the endpoint is advertised, and the demand only where it is made', async () => {
    const metadata = async (stage: Stage) => (await (await stage.request('/.well-known/oauth-authorization-server')).json()) as Record<string, unknown>;
    const strict = await stage({ requirePushedRequests: true });

    assert.equal((await metadata(on)).pushed_authorization_request_endpoint, `${issuer}/par`);
    assert.equal('require_pushed_authorization_requests' in (await metadata(on)), false);
    assert.equal((await metadata(strict)).require_pushed_authorization_requests, true);
    assert.equal(answerOf((await strict.request(strict.url())).headers.get('location') ?? '').error, 'invalid_request');
    await strict.close();
  });

  test('[PAR-04] other methods are 405, large bodies 413, floods 429', async () => {
    const got = await on.request('/par');
    assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST, OPTIONS']);
    assert.equal((await push({ x: 'y'.repeat(70_000) })).status, 413);

    let response = await push({}, {}, '198.51.100.77');
    for (let round = 0; round < 50 && response.status === 201; round++) response = await push({}, {}, '198.51.100.77');
    assert.equal(response.status, 429);
    assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
    assert.equal((await push()).status, 201);
  });

  test('a registration may ask for pushed requests only, and is told that it does', async () => {
    const registered = await on.request('/register', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [webRedirect], token_endpoint_auth_method: 'none', require_pushed_authorization_requests: true }),
    });
    const { client_id, require_pushed_authorization_requests } = (await registered.json()) as Record<string, string | boolean>;

    assert.equal(require_pushed_authorization_requests, true);
    const plain = await on.request(on.url({ client_id: String(client_id), redirect_uri: webRedirect }));
    assert.match(await plain.text(), /must be pushed/);
  });

  test('[PAR-02] random requests never break the endpoint and never get a reference to a foreign place', async () => {
    const names = fc.constantFrom(
      'client_id',
      'redirect_uri',
      'response_type',
      'scope',
      'resource',
      'state',
      'request_uri',
      'code_challenge',
      'client_secret',
      'prompt',
    );
    const values = fc.oneof(
      fc.constantFrom('client_known', webRedirect, loopback, 'code', 'https://evil.example/cb', '', '\u0000'),
      fc.string({ maxLength: 40 }),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, values, { maxKeys: 6 }), async (more) => {
        const response = await push(more, {}, `2001:db8:${(count++).toString(16)}::1`);
        assert.ok(response.status < 500, on.logged.at(-1));
        if (response.status !== 201) return;
        const { request_uri } = (await response.json()) as { request_uri: string };
        const { request } = (await on.store.findPushedRequest(await sha256Of(request_uri), on.clock.now())) ?? {};
        assert.equal(request?.redirectUri, loopback);
      }),
      { numRuns: 200 },
    );
  });
});

async function sha256Of(reference: string): Promise<string> {
  const { sha256 } = await import('../../src/crypto/hash.ts');
  return sha256(reference.split(':').at(-1) ?? '');
}

test('[PAR-01] [CIMD-20] a slow host of documents holds fifty requests for one address and a hundred in all, and others are served meanwhile', async () => {
  const slow = Promise.withResolvers<never>();
  slow.promise.catch(() => undefined);
  const limits = ['document=off', 'document.address=off', 'document.host=off'];
  const on = await stage({ fetchDocument: () => slow.promise, limits });
  const given = Object.fromEntries(new URL(on.url()).searchParams);
  const push = (id: string, path = '/par') => on.request(path, form({ ...given, client_id: id }));
  /** Sends all at once; resolves to the first answers while the others wait. */
  const first = (count: number, sent: Promise<Response>[]) => {
    const answers: Response[] = [];
    return new Promise<Response[]>((resolve) => {
      for (const one of sent) void one.then((answer) => answers.push(answer) === count && resolve([...answers]));
    });
  };
  const assertBusy = async (answer: Response | undefined) => {
    assert.equal(answer?.headers.get('retry-after'), '5');
    assert.deepEqual([answer?.status, (await errorOf(answer as Response)).error], [503, 'temporarily_unavailable']);
  };

  const toOne = Array.from({ length: 60 }, () => push('https://tarpit.example/x.json'));
  for (const answer of await first(10, toOne)) await assertBusy(answer);
  const toMany = Array.from({ length: 55 }, (_, index) => push(`https://tarpit.example/${index}.json`));
  for (const answer of await first(5, toMany)) await assertBusy(answer);
  await assertBusy(await push('https://another.example/x.json', '/device_authorization'));
  assert.equal((await push(String(given['client_id']))).status, 201);

  slow.reject(new FetchFailure('timeout', 'at last'));
  const statuses = (await Promise.all([...toOne, ...toMany])).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 400).length, 100);
  assert.equal((await push('https://another.example/x.json')).status, 400);
  await on.close();
});
