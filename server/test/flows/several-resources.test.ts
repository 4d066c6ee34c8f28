/**
 * Several values of `resource` in one request (RFC 8707 §2): one page, a grant for each server, one code and one refresh token, and every token for one server only.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { auditEvent } from '../../src/audit/event.ts';
import { newKey } from '../../src/servers/key-value.ts';
import type { Grant, McpServer } from '../../src/storage/store.ts';
import type { Filled } from '../browser.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, type Stage, stage } from './authorize-stage.ts';
import { stage as deviceStage } from './device-stage.ts';
import { mailStage } from './mail-stage.ts';

type Json = Record<string, unknown>;
type Tokens = { access_token: string; refresh_token: string; id_token?: string; scope: string; token_type: string };

const notes = {
  id: 'srv_notes',
  name: 'Notes',
  resource: 'https://notes.example.com/mcp',
  scopes: [{ name: 'notes:read' }, { name: 'notes:write', optional: true }, { name: 'files:write', optional: true }],
};
const calendar = { id: 'srv_calendar', name: 'Calendar', resource: 'https://calendar.example.com', scopes: [{ name: 'events:read' }] };

const asked = { scope: 'openid email files:read notes:read offline_access' };

type Scene = Stage & {
  notes: McpServer;
  /** An authorization URL for these resources. */
  several(resources?: readonly string[], more?: Record<string, string | undefined>): string;
  /** Asks, signs in, allows with these boxes ticked, and resolves to the code. */
  code(more?: Record<string, string | undefined>, filled?: Filled): Promise<string>;
  post(path: string, values: Record<string, string>, resources?: readonly string[]): Promise<{ status: number; body: Json }>;
  redeem(code: string, resources?: readonly string[]): Promise<{ status: number; body: Json }>;
  refresh(token: string, resources?: readonly string[], more?: Record<string, string>): Promise<{ status: number; body: Json }>;
  tokens(resources?: readonly string[]): Promise<Tokens>;
  grants(): Promise<Grant[]>;
};

async function scene(overrides: Parameters<typeof stage>[0] = {}): Promise<Scene> {
  const on = await stage(overrides);
  const other = await on.addServer({ ...notes, ownerId: on.user.id });
  const client = on.client.id;
  const both = [on.mcp.resource, other.resource];
  const several: Scene['several'] = (resources = both, more = {}) =>
    on.url({ ...asked, resource: undefined, ...more }) + resources.map((resource) => `&resource=${encodeURIComponent(resource)}`).join('');
  const post: Scene['post'] = async (path, values, resources = []) => {
    const body = new URLSearchParams(values);
    for (const resource of resources) body.append('resource', resource);
    const response = await on.request(path, { method: 'POST', body: body.toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json) };
  };
  const redeem: Scene['redeem'] = (code, resources) =>
    post('/token', { grant_type: 'authorization_code', client_id: client, code, code_verifier: pkce.verifier }, resources);
  const self: Scene = {
    ...on,
    notes: other,
    several,
    async code(more = {}, filled = {}) {
      const browser = await on.signedIn();
      const done = await browser.submit(await browser.open(several(both, more)), filled, 'allow');
      const { code } = answerOf(done.refresh ?? done.url);
      assert.ok(code, `${done.status} ${done.url}`);
      return code;
    },
    post,
    redeem,
    refresh: (token, resources, more = {}) => post('/token', { grant_type: 'refresh_token', client_id: client, refresh_token: token, ...more }, resources),
    async tokens(resources) {
      const { status, body } = await redeem(await self.code(), resources);
      assert.equal(status, 200, JSON.stringify(body));
      return body as Tokens;
    },
    grants: async () => (await on.store.listGrants({ userId: on.user.id }, on.clock.now())).toSorted((one, two) => (one.resource < two.resource ? -1 : 1)),
  };
  return self;
}

function sentBack(answer: { url: string; refresh?: string }): Record<string, string> {
  return answerOf(answer.refresh ?? answer.url);
}

const ended = (on: Stage) => auditEvent('grant.revoked', on.clock.now(), 'test');

describe('a request for several resources', () => {
  test('[AZ-09] [AZ-16] the page names every server, with its permissions under its name, and asks who one is once', async () => {
    const on = await scene();
    const browser = await on.signedIn();

    const { html, forms } = await browser.open(on.several(undefined, { scope: 'openid files:read files:write notes:read nobody:offers', state: 'one' }));
    const servers = html.split('<section class="server"').slice(1);

    assert.match(html, /on .*My File Server.* and .*Notes/);
    assert.equal(servers.length, 2);
    assert.match(servers[0] ?? '', /My File Server[\s\S]*mcp\.example\.com[\s\S]*files:read[\s\S]*files:write/);
    assert.doesNotMatch(servers[0] ?? '', /notes:read|openid/);
    assert.match(servers[1] ?? '', /Notes[\s\S]*notes\.example\.com[\s\S]*notes:read[\s\S]*files:write/);
    assert.equal(html.split('<code>openid</code>').length - 1, 1);
    assert.match(html, /Not offered by any of these servers[\s\S]*nobody:offers/);
    assert.deepEqual(
      forms.flatMap(({ fields }) => fields.filter(({ name }) => name === 'scope').map(({ value }) => value)),
      [`files:write ${notes.resource}`],
    );
    assert.doesNotMatch(html, /value="once"/);
  });

  test('[AZ-16] one that is unknown, relative, has a fragment, or one too many is invalid_target for all', async () => {
    const on = await scene();
    const browser = await on.signedIn();
    const more = [1, 2, 3, 4].map((index) => `https://s${index}.example.com`);
    for (const [index, resource] of more.entries()) await on.addServer({ id: `srv_${index}`, resource, scopes: [{ name: 'files:read' }] });

    for (const resources of [
      [on.mcp.resource, 'https://unknown.example.com'],
      [on.mcp.resource, '/notes'],
      [`${notes.resource}#a`, on.mcp.resource],
      [on.mcp.resource, notes.resource, ...more],
    ])
      assert.equal(sentBack(await browser.open(on.several(resources)))['error'], 'invalid_target', resources.join(' '));
    assert.equal((await browser.open(on.several([on.mcp.resource, ...more], { scope: 'files:read' }))).status, 200);
    assert.deepEqual(await on.grants(), []);
  });

  test('[AZ-19] a scope belongs to every server that offers it; a server without one of its own is invalid_scope, one of a third server too', async () => {
    const on = await scene();
    const browser = await on.signedIn();
    await on.addServer({ ...calendar, ownerId: on.user.id });

    for (const scope of ['files:read', 'openid', 'openid notes:read', 'files:read notes:read events:read', 'files:read notes:"'])
      assert.equal(sentBack(await browser.open(on.several(undefined, { scope })))['error'], 'invalid_scope', scope);
    await on.code({ scope: 'files:write' });

    assert.deepEqual(
      (await on.grants()).map(({ scope }) => scope),
      [['files:write'], ['files:write']],
    );
  });

  test('[D4] [AZ-18] without a scope each server gives its default', async () => {
    const on = await scene();
    await on.code({ scope: 'offline_access' });

    assert.deepEqual(
      (await on.grants()).map(({ scope }) => scope),
      [['files:read'], ['notes:read']].map((own, index) => (index === 0 ? ['offline_access', ...own] : own)),
    );
  });

  test('[AZ-16] what could never get a token is not asked: no refresh token, or a server that gives access only once', async () => {
    const on = await scene({ refreshTokens: 'offline_access' });
    await on.addClient({ id: 'client_brief', metadata: { grantTypes: ['authorization_code'] } });
    await on.addServer({ ...calendar, ownerId: on.user.id, maxDuration: 'once' });
    const browser = await on.signedIn();
    const error = async (url: string) => sentBack(await browser.open(url))['error'];

    assert.equal(await error(on.several(undefined, { client_id: 'client_brief' })), 'invalid_target');
    assert.equal(await error(on.several(undefined, { scope: 'files:read notes:read' })), 'invalid_target');
    assert.equal(await error(on.several([on.mcp.resource, calendar.resource], { scope: 'files:read events:read offline_access' })), 'invalid_target');
    assert.equal(await error(on.several()), undefined);
  });

  test('[AZ-20] authorization_details stay refused', async () => {
    const on = await scene();
    const browser = await on.signedIn();

    assert.equal(sentBack(await browser.open(on.several(undefined, { authorization_details: '[]' })))['error'], 'invalid_authorization_details');
  });

  test('[PAR-01] it may be pushed', async () => {
    const on = await scene();
    const values = Object.fromEntries(new URL(on.several([])).searchParams);

    const pushed = await on.post('/par', values, [on.mcp.resource, notes.resource]);
    const refused = await on.post('/par', values, [on.mcp.resource, 'https://unknown.example.com']);
    const browser = await on.signedIn();
    const page = await browser.open(`/authorize?${new URLSearchParams({ client_id: on.client.id, request_uri: String(pushed.body['request_uri']) })}`);
    await browser.submit(page, {}, 'allow');

    assert.deepEqual([refused.status, refused.body['error']], [400, 'invalid_target']);
    assert.equal((await on.grants()).length, 2);
  });

  test('[CON-05] a box is for its own server, though another has a scope of that name', async () => {
    const on = await scene();
    const mixed = { scope: 'files:read files:write notes:read' };
    await on.code(mixed, { scope: [`files:write ${notes.resource}`] });
    const [files, other] = await on.grants();
    assert.deepEqual(
      [files?.scope, other?.scope],
      [
        ['files:read', 'files:write'],
        ['files:write', 'notes:read'],
      ],
    );

    const strict = await scene();
    await strict.code(mixed, { scope: [] });
    assert.deepEqual((await strict.grants())[1]?.scope, ['notes:read']);
  });

  test('[CON-06] what was read decides: other servers behind the same request are another question, and no is no for all', async () => {
    const on = await scene();
    const browser = await on.signedIn();
    const page = await browser.open(on.several());
    await on.store.removeServer(notes.id, auditEvent('server.removed', on.clock.now(), 'test'));
    assert.equal(sentBack(await browser.submit(page, {}, 'allow'))['error'], 'invalid_target');

    const denying = await scene();
    const other = await denying.signedIn();
    assert.equal(sentBack(await other.submit(await other.open(denying.several()), {}, 'deny'))['error'], 'access_denied');
    assert.deepEqual([await on.grants(), await denying.grants()], [[], []]);
  });

  test('[AZ-37] a person who may not use one of the servers gets none', async () => {
    const on = await scene();
    await on.addServer({ ...calendar, ownerId: on.user.id, people: 'listed' });
    const browser = await on.signedIn();

    const answer = await browser.open(on.several([on.mcp.resource, calendar.resource], { scope: 'files:read events:read' }));

    assert.match(answer.html, /error=access_denied/);
    assert.deepEqual(await on.grants(), []);
  });
});

describe('what an approval of several resources makes', () => {
  test('[ACC-01] [ACC-03] a grant, a receipt and a card for each server, each disconnected by itself', async () => {
    const on = await scene();
    await on.code({ scope: 'openid files:read notes:read notes:write' }, { scope: [`notes:write ${notes.resource}`] });
    const browser = await on.signedIn();

    const [files, other] = await on.grants();
    const receipts = await Promise.all([files, other].map(async (grant) => JSON.parse((await on.store.findReceipt(on.user.id, grant?.id ?? '')) ?? '{}')));
    const agents = await browser.open('/account/agents');

    assert.deepEqual(
      [files?.scope, other?.scope],
      [
        ['openid', 'files:read'],
        ['notes:read', 'notes:write'],
      ],
    );
    assert.deepEqual([files?.approvedWith, other?.approvedWith], [files?.id, files?.id]);
    assert.deepEqual(
      receipts.map(({ server, scopes }) => [server.resource, scopes.map((scope: Json) => scope['name'])]),
      [
        [on.mcp.resource, ['openid', 'files:read']],
        [notes.resource, ['notes:read', 'notes:write']],
      ],
    );
    for (const { words } of receipts) {
      assert.ok(words.some(({ text }: Json) => String(text).includes('My File Server')));
      assert.deepEqual(
        words.filter(({ name }: Json) => name === 'scope').map(({ value, chosen }: Json) => [value, chosen]),
        [[`notes:write ${notes.resource}`, true]],
      );
    }
    assert.match(agents.html, /My File Server/);
    assert.match(agents.html, /Notes/);
    assert.equal((await on.store.listEvents({ type: 'grant.approved', limit: 9 })).length, 2);
  });

  test('[CON-03] it is remembered when every server is, and asked as a whole when one is not', async () => {
    const on = await scene();
    await on.code();
    const browser = await on.signedIn();

    const again = await browser.open(on.several());
    const more = await browser.open(on.several(undefined, { scope: `${asked.scope} notes:write` }));

    assert.match(again.title, /^Reconnect/);
    assert.match(again.html, /Notes/);
    assert.match(more.title, /^Allow/);
    assert.doesNotMatch(more.html, /Already allowed/);
    await on.store.disconnectAgent(on.user.id, (await on.grants())[1]?.id ?? '', 'over', ended(on));
    assert.match((await browser.open(on.several())).title, /^Allow/);
    assert.match((await browser.open(on.url({ scope: 'files:read' }))).title, /^Reconnect/);
    assert.equal(sentBack(await browser.open(on.several(undefined, { prompt: 'none' })))['error'], 'consent_required');
  });

  test('[CON-03] on a host that the operator trusts it is answered unasked, with a grant for each again', async () => {
    const on = await scene({ clients: { trustedHosts: ['app.example.org'] } });
    const browser = await on.signedIn();
    const url = on.several(undefined, { client_id: on.dynamic.id, redirect_uri: 'https://app.example.org/cb' });
    await browser.submit(await browser.open(url), {}, 'allow');

    const answer = await browser.open(`${url}&prompt=none`);

    assert.ok(sentBack(answer)['code']);
    const made = await on.grants();
    const receipts = await Promise.all(made.map(async ({ id }) => JSON.parse((await on.store.findReceipt(on.user.id, id)) ?? '{}')));
    assert.deepEqual(
      made.map(({ scope }) => scope.join(' ')).toSorted(),
      [1, 2].flatMap(() => ['notes:read']).concat([1, 2].map(() => 'openid email offline_access files:read')),
    );
    assert.equal(receipts.filter(({ asked }) => asked === false).length, 2);
  });

  test('[ACC-01] whoever paused the agent at one of the servers says first whether it may ask', async () => {
    const on = await scene();
    await on.code();
    await on.store.pauseAgent(on.user.id, (await on.grants())[1]?.id ?? '', auditEvent('grant.paused', on.clock.now(), 'test'));
    const browser = await on.signedIn();

    const paused = await browser.open(on.several());
    assert.match(paused.html, /Notes/);
    const resumed = await browser.submit(paused, {}, 'resume');

    assert.match(resumed.title, /^Reconnect/);
  });

  test('the end is the strictest of what the owners allow, and once is no choice', async () => {
    const on = await scene();
    await on.addServer({ ...calendar, ownerId: on.user.id, maxDuration: '8_hours' });
    const browser = await on.signedIn();
    const page = await browser.open(on.several([on.mcp.resource, calendar.resource], { scope: 'files:read events:read' }));
    await browser.submit(page, {}, 'allow');

    assert.match(page.html, /The owner of one of these servers allows no longer/);
    assert.deepEqual(
      (await on.grants()).map(({ expiresAt, once }) => [expiresAt, once]),
      [1, 2].map(() => [on.clock.now() + 8 * 3600, undefined]),
    );
  });

  test('a person hears by mail of each server', async () => {
    const on = await mailStage();
    const other = await on.addServer({ ...notes, ownerId: on.user.id });
    const browser = await on.signedIn();
    const page = await browser.open(`${on.url({ scope: 'files:read notes:read' })}&resource=${encodeURIComponent(other.resource)}`);
    await browser.submit(page, {}, 'allow');

    on.clock.advance(61);
    await on.server.maintain();
    const texts = (await on.mails()).map(({ text }) => text).join('\n');
    assert.match(texts, /My File Server/);
    assert.match(texts, /Notes/);
  });
});

describe('tokens of an approval of several resources', () => {
  test('[TOK-07] [JWT-03] a token is for the first unless another is named, in any spelling, with the scopes of that one', async () => {
    for (const [named, resource, scope] of [
      [undefined, 'https://mcp.example.com/mcp', 'openid email offline_access files:read'],
      [['HTTPS://MCP.example.com:443/mcp'], 'https://mcp.example.com/mcp', 'openid email offline_access files:read'],
      [['https://NOTES.example.com/mcp', notes.resource], notes.resource, 'notes:read'],
    ] as const) {
      const on = await scene();
      const tokens = await on.tokens(named);
      const claims = decodeJwt(tokens.access_token);
      const grants = await on.grants();

      assert.deepEqual([claims['aud'], claims['scope'], tokens.scope], [resource, scope, scope]);
      assert.equal(claims['grant_id'], grants.find((grant) => grant.resource === resource)?.id);
      assert.ok(tokens.id_token, 'who the person is belongs to the request as a whole');
    }
  });

  test('[TOK-07] two values say that a token is for one; one that was not granted is invalid_target and costs nothing', async () => {
    const on = await scene();
    await on.addServer({ ...calendar, ownerId: on.user.id });
    const code = await on.code();

    const two = await on.redeem(code, [on.mcp.resource, notes.resource]);
    assert.deepEqual([two.status, two.body['error'], two.body['error_description']], [400, 'invalid_target', 'A token is for one resource: ask once for each']);
    for (const resource of [calendar.resource, 'not a uri', `${notes.resource}/`, `${notes.resource}#x`, issuer])
      assert.deepEqual((await on.redeem(code, [resource])).body['error'], 'invalid_target', resource);
    assert.equal((await on.redeem(code, [notes.resource])).status, 200);
  });

  test('[RT-06] a refresh names any of them, the token keeps all, and scopes stay with their server', async () => {
    const on = await scene();
    const first = await on.tokens();

    const other = await on.refresh(first.refresh_token, [notes.resource]);
    const back = await on.refresh(String(other.body['refresh_token']));
    const wide = await on.refresh(String(back.body['refresh_token']), [notes.resource], { scope: 'files:read' });
    const two = await on.refresh(String(back.body['refresh_token']), [notes.resource, on.mcp.resource]);
    const none = await on.refresh(String(back.body['refresh_token']), [issuer]);

    assert.deepEqual([decodeJwt(String(other.body['access_token']))['aud'], other.body['scope']], [notes.resource, 'notes:read']);
    assert.equal(decodeJwt(String(back.body['access_token']))['aud'], on.mcp.resource);
    assert.deepEqual([wide.body['error'], two.body['error'], none.body['error']], ['invalid_scope', 'invalid_target', 'invalid_target']);
    assert.equal((await on.refresh(String(back.body['refresh_token']), [notes.resource])).status, 200);
  });

  test('[RT-09] a client asks for each server with the same refresh token at once', async () => {
    const on = await scene();
    const first = await on.tokens();

    const both = await Promise.all([on.refresh(first.refresh_token), on.refresh(first.refresh_token, [notes.resource])]);

    assert.deepEqual(
      both.map(({ status, body }) => [status, decodeJwt(String(body['access_token']))['aud']]),
      [
        [200, on.mcp.resource],
        [200, notes.resource],
      ],
    );
    assert.equal(both[0]?.body['refresh_token'], both[1]?.body['refresh_token']);
  });

  test('[INT-03] [RS-08] the key of one server sees no token of the other', async () => {
    const on = await scene();
    const files = await on.tokens();
    const other = await on.refresh(files.refresh_token, [notes.resource]);
    const key = await keyOf(on, notes.id);
    const seen = async (token: string) => (await (await on.request('/introspect', form({ token }, { Authorization: `Bearer ${key}` }))).json()) as Json;

    assert.deepEqual(await seen(files.access_token), { active: false });
    const own = await seen(String(other.body['access_token']));
    assert.deepEqual([own['active'], own['aud'], own['scope'], own['username']], [true, notes.resource, 'notes:read', 'ada']);
  });

  test('[UI-01] userinfo is for the token that says who one is', async () => {
    const on = await scene();
    const files = await on.tokens();
    const other = await on.refresh(files.refresh_token, [notes.resource]);
    const userinfo = (token: unknown) => on.request('/userinfo', { headers: { Authorization: `Bearer ${String(token)}` } });

    assert.equal((await userinfo(files.access_token)).status, 200);
    assert.equal((await userinfo(other.body['access_token'])).status, 401);
  });

  test('[ACC-01] pausing, reducing and disconnecting a server is felt there and nowhere else', async () => {
    const on = await scene();
    const { refresh_token: token } = await on.tokens();
    const [files, other] = await on.grants();
    const event = (type: 'grant.paused' | 'grant.resumed' | 'grant.reduced') => auditEvent(type, on.clock.now(), 'test');
    let current = token;
    const ask = async (resource: string) => {
      const { status, body } = await on.refresh(current, [resource]);
      if (status === 200) current = String(body['refresh_token']);
      return status === 200 ? body['scope'] : body['error'];
    };

    await on.store.pauseAgent(on.user.id, files?.id ?? '', event('grant.paused'));
    assert.deepEqual([await ask(on.mcp.resource), await ask(notes.resource)], ['access_denied', 'notes:read']);
    await on.store.resumeAgent(on.user.id, files?.id ?? '', event('grant.resumed'));
    assert.equal(await ask(on.mcp.resource), 'openid email offline_access files:read');

    await on.store.disconnectAgent(on.user.id, files?.id ?? '', 'over', ended(on));
    assert.deepEqual([await ask(on.mcp.resource), await ask(notes.resource)], ['invalid_target', 'notes:read']);
    assert.equal((await on.refresh(current)).body['error'], 'invalid_target');

    await on.store.disconnectAgent(on.user.id, other?.id ?? '', 'over', ended(on));
    assert.deepEqual([await ask(notes.resource), await ask(on.mcp.resource)], ['invalid_grant', 'invalid_grant']);
  });

  test('[ACC-01] a companion that was disconnected is invalid_target, the first goes on', async () => {
    const on = await scene();
    const { refresh_token: token } = await on.tokens();
    await on.store.disconnectAgent(on.user.id, (await on.grants())[1]?.id ?? '', 'over', ended(on));

    assert.equal((await on.refresh(token, [notes.resource])).body['error'], 'invalid_target');
    assert.equal((await on.refresh(token)).status, 200);
  });

  test('[ACC-02] when each of them has ended by itself the refresh token is invalid_grant, whatever is named', async () => {
    const on = await scene();
    const { refresh_token: token } = await on.tokens();
    const [files, other] = await on.grants();
    const shorten = (grantId = '', seconds = 0) =>
      on.store.reduceAgent(
        { userId: on.user.id, grantId, remove: [], expiresAt: on.clock.now() + seconds },
        auditEvent('grant.reduced', on.clock.now(), 'test'),
      );
    await shorten(files?.id, 600);
    await shorten(other?.id, 900);
    const asked = async () => [await on.refresh(token), await on.refresh(token, ['https://unknown.example'])].map(({ body }) => body['error']);

    on.clock.advance(600);
    assert.deepEqual(await asked(), ['invalid_target', 'invalid_target']);
    on.clock.advance(300);
    assert.deepEqual(await asked(), ['invalid_grant', 'invalid_grant']);
  });

  test('[RT-08] nobody who was disabled gets a token for any of them', async () => {
    const on = await scene();
    const { refresh_token: token } = await on.tokens();
    await on.store.setUserDisabled(on.user.id, true, auditEvent('user.disabled', on.clock.now(), 'test'));

    for (const resource of [on.mcp.resource, notes.resource]) assert.equal((await on.refresh(token, [resource])).body['error'], 'invalid_grant');
  });

  test('[COD-06] [RT-02] [REV-01] a replayed code, a reused token and a revoked one end all of it', async () => {
    for (const end of [
      async (on: Scene) => {
        const code = await on.code();
        const tokens = (await on.redeem(code, [notes.resource])).body as Tokens;
        assert.equal((await on.redeem(code)).body['error'], 'invalid_grant');
        return tokens.refresh_token;
      },
      // Neither a resource that ended meanwhile nor one that was never granted hides a replay.
      async (on: Scene) => {
        const code = await on.code();
        const tokens = (await on.redeem(code)).body as Tokens;
        await on.store.disconnectAgent(on.user.id, (await on.grants())[0]?.id ?? '', 'over', ended(on));
        assert.equal((await on.redeem(code, [issuer])).body['error'], 'invalid_grant');
        return tokens.refresh_token;
      },
      async (on: Scene) => {
        const first = await on.tokens();
        const next = await on.refresh(first.refresh_token, [notes.resource]);
        on.clock.advance(31);
        assert.equal((await on.refresh(first.refresh_token, [notes.resource])).body['error'], 'invalid_grant');
        return String(next.body['refresh_token']);
      },
      async (on: Scene) => {
        const { refresh_token: token } = await on.tokens();
        await on.post('/revoke', { token, client_id: on.client.id });
        return token;
      },
    ]) {
      const on = await scene();
      const token = await end(on);

      assert.deepEqual(await on.grants(), []);
      for (const resource of [on.mcp.resource, notes.resource]) assert.equal((await on.refresh(token, [resource])).body['error'], 'invalid_grant');
    }
  });

  test('[CC-05] a machine asks once for each', async () => {
    const on = await scene();
    const metadata = { grantTypes: ['client_credentials'], scope: 'files:read notes:read', tokenEndpointAuthMethod: 'client_secret_post' as const };
    await on.addClient({ id: 'client_machine', secret: 'machine secret', metadata });
    const values = { grant_type: 'client_credentials', client_id: 'client_machine', client_secret: 'machine secret' };

    const both = await on.post('/token', values, [on.mcp.resource, notes.resource]);
    const one = await on.post('/token', values, [notes.resource]);

    assert.deepEqual(
      [both.status, both.body['error'], both.body['error_description']],
      [400, 'invalid_target', 'A token is for one resource: ask once for each'],
    );
    assert.deepEqual([one.status, one.body['scope']], [200, 'notes:read']);
  });

  test('[DEV-01] a device asks for several and gets a token for each', async () => {
    const on = await deviceStage();
    await on.addServer({ ...notes, ownerId: on.user.id });
    const send = async (path: string, values: Record<string, string>, resources: readonly string[]) => {
      const body = new URLSearchParams(values);
      for (const resource of resources) body.append('resource', resource);
      const response = await on.request(path, { method: 'POST', body: body.toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
      return { status: response.status, body: (await response.json()) as Json };
    };
    const both = [on.mcp.resource, notes.resource];
    const scope = 'files:read notes:read notes:write';
    const { body } = await send('/device_authorization', { client_id: on.device.id, scope }, both);

    const page = await on.enter(await on.signedIn(), String(body['user_code']));
    assert.match(page.html, /My File Server[\s\S]*Notes/);
    await on.decide(await on.signedIn(), String(body['user_code']), 'allow', { scope: [`notes:write ${notes.resource}`] });
    const poll = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: on.device.id, device_code: String(body['device_code']) };
    assert.equal((await send('/token', poll, both)).body['error'], 'invalid_target');
    const tokens = await send('/token', poll, [notes.resource]);
    const refreshed = await send('/token', { grant_type: 'refresh_token', client_id: on.device.id, refresh_token: String(tokens.body['refresh_token']) }, []);

    assert.deepEqual([tokens.body['scope'], refreshed.body['scope']], ['notes:read notes:write', 'files:read']);
  });

  test('[TOK-07] whatever list of resources is sent, the answer is one granted audience or invalid_target, never a 5xx', async () => {
    const on = await scene();
    await on.addServer({ ...calendar, ownerId: on.user.id });
    let { refresh_token: token } = await on.tokens();
    const granted = [on.mcp.resource, notes.resource];
    const value = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...granted, 'HTTPS://notes.example.com:443/mcp', calendar.resource, issuer, '', ' ', '#') },
      fc.webUrl({ withFragments: true }),
      fc.string({ maxLength: 40 }),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 6 }), async (resources) => {
        const { status, body } = await on.refresh(token, resources);
        if (status === 200) {
          token = String(body['refresh_token']);
          const audience = String(decodeJwt(String(body['access_token']))['aud']);
          assert.ok(granted.includes(audience));
          assert.equal(body['scope'], audience === notes.resource ? 'notes:read' : 'openid email offline_access files:read');
        } else assert.ok(['invalid_target', 'invalid_request'].includes(String(body['error'])), `${status} ${JSON.stringify(body)}`);
      }),
      { numRuns: 60 },
    );
  });

  test('[AZ-16] whatever list of resources is asked for, every grant is of one that was named', async () => {
    const on = await scene();
    await on.addServer({ ...calendar, ownerId: on.user.id });
    const known = [on.mcp.resource, notes.resource, calendar.resource, issuer];
    const value = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...known) }, fc.webUrl());
    const scopes = fc.subarray(['files:read', 'files:write', 'notes:read', 'events:read', 'openid', 'email']);
    const browser = await on.signedIn();

    await fc.assert(
      fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 6 }), scopes, async (resources, scope) => {
        const before = new Set((await on.grants()).map(({ id }) => id));
        const page = await browser.open(on.several(resources, { scope: scope.join(' ') || undefined, prompt: 'consent' }));
        assert.ok(page.status < 500);
        if (page.left) return assert.ok(['invalid_target', 'invalid_scope'].includes(sentBack(page)['error'] ?? ''));
        await browser.submit(page, {}, 'allow');
        const made = (await on.grants()).filter(({ id }) => !before.has(id));
        assert.deepEqual(made.map(({ resource }) => resource).toSorted(), [...new Set(resources)].toSorted());
        for (const grant of made) if (scope.length > 0) assert.ok(grant.scope.every((name) => (scope as string[]).includes(name)));
      }),
      { numRuns: 20 },
    );
  });
});

async function keyOf(on: Stage, serverId: string): Promise<string> {
  const { id, secret, hash } = newKey();
  const now = on.clock.now();
  await on.store.addKey({ id, serverId, name: 'test', secretHash: hash, createdAt: now, expiresAt: now + 86400 }, auditEvent('key.created', now, 'test'));
  return secret;
}
