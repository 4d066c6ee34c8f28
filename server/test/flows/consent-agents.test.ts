/**
 * Connected agents: what a person sees of those who act for them, and ending it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { type Browser, type Page, signInAndDecide } from '../browser.ts';
import { form, pkce } from '../harness.ts';
import { answerOf, loopback, password, type Stage, stage } from './authorize-stage.ts';

const allow = { username: 'ada', password, decision: 'allow' } as const;
const cards = (page: Page) => page.forms.filter(({ action }) => action.endsWith('/disconnect')).length;
const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

describe('connected agents', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());
  const living = (userId = on.user.id) => on.store.listGrants({ userId }, on.clock.now());

  test('a stranger is asked to sign in first', async () => {
    assert.equal(new URL((await on.browser().open('/account')).url).pathname, '/login');
  });

  test('a person with no agents is told how to connect one', async () => {
    assert.match((await (await on.signedIn()).open('/account')).html, /No agents can act for you/);
  });

  test('[CON-07] each agent is listed with its server, its scopes and who it is', async () => {
    const browser = await on.signedIn();
    await signInAndDecide(on.url({ scope: 'files:read files:write' }), allow, { browser });
    await signInAndDecide(on.dynamicUrl(), allow, { browser });

    const page = await browser.open('/account/agents');

    for (const shown of ['Claude Code', 'Unknown Agent', 'Unverified app', 'My File Server', 'mcp.example.com', 'files:write'])
      assert.ok(page.html.includes(shown), shown);
    assert.equal(cards(page), 2);
  });

  test('[CON-07] an agent that was allowed more than once is one card, with all that it may do', async () => {
    const browser = await on.signedIn();
    await signInAndDecide(on.url({ scope: 'files:read files:delete' }), allow, { browser });

    const page = await browser.open('/account/agents');

    assert.equal(cards(page), 2);
    for (const scope of ['files:read', 'files:write', 'files:delete']) assert.ok(page.html.includes(scope), scope);
  });

  test('[CON-07] disconnecting one ends its refresh token and everything it was ever allowed at once, and no other agent', async () => {
    const browser = await on.signedIn();
    const { code } = answerOf(await signInAndDecide(on.url(), allow, { browser }));
    const token = (values: Record<string, string>) => on.request('/token', form({ client_id: 'client_known', ...values }));
    const issued = (await (
      await token({ grant_type: 'authorization_code', code: code ?? '', redirect_uri: loopback, code_verifier: pkce.verifier })
    ).json()) as Record<string, string>;
    const claims = JSON.parse(Buffer.from(issued['access_token']?.split('.')[1] ?? '', 'base64url').toString());
    const standing = () => on.store.standing({ grantId: claims.grant_id, jti: claims.jti, now: on.clock.now() });
    assert.equal((await standing())?.active, true);
    const before = await living();
    const ofAgent = before.filter((grant) => grant.clientId === 'client_known').map(({ id }) => id);
    assert.ok(ofAgent.length > 1);

    const page = await browser.open('/account/agents');
    const own = page.forms.find((one) => one.fields.some((field) => ofAgent.includes(field.value)));
    assert.ok(own);
    const done = await browser.submit({ ...page, forms: [own] });

    assert.match(done.html, /Disconnected\. Claude Code lost access/);
    assert.equal((await standing())?.active, false);
    const refused = await token({ grant_type: 'refresh_token', refresh_token: issued['refresh_token'] ?? '' });
    assert.deepEqual([refused.status, ((await refused.json()) as { error: string }).error], [400, 'invalid_grant']);
    assert.deepEqual(
      (await living()).map(({ id }) => id),
      before.map(({ id }) => id).filter((id) => !ofAgent.includes(id)),
    );
    const [event] = await on.store.listEvents({ userId: on.user.id, type: 'grant.revoked', limit: 1 });
    assert.equal(event?.actor, `user:${on.user.id}`);
  });

  test('[CON-07] nobody can end the access of another person, and cannot learn whether it exists', async () => {
    const grace = await on.addUser({ username: 'grace', password });
    await signInAndDecide(on.url(), { ...allow, username: 'grace' }, { browser: on.browser() });
    const [theirs] = await living(grace.id);
    const browser = await on.signedIn();
    await signInAndDecide(on.url(), allow, { browser });
    const page = await browser.open('/account/agents');
    const csrf = page.forms.find(({ action }) => action.endsWith('/disconnect'))?.fields.find((field) => field.name === 'csrf')?.value ?? '';

    for (const grant of [theirs?.id ?? '', 'grant_nothing']) {
      const response = await on.request('/account/agents/disconnect', form({ csrf, grant }, { Cookie: cookieOf(browser) }));
      assert.deepEqual([response.status, response.headers.get('location')], [303, '/account/agents']);
    }
    assert.equal((await living(grace.id)).length, 1);
  });

  test('[LOG-02] disconnecting needs the form of this session', async () => {
    const browser = await on.signedIn();
    const before = (await living()).length;
    const grant = (await living())[0]?.id ?? '';

    for (const csrf of ['', 'A'.repeat(43)])
      assert.equal((await on.request('/account/agents/disconnect', form({ csrf, grant }, { Cookie: cookieOf(browser) }))).status, 403);
    assert.equal((await living()).length, before);
  });

  test('[CON-07] an operator lists and revokes by client', async () => {
    const browser = await on.signedIn();
    await signInAndDecide(on.dynamicUrl(), allow, { browser });
    const grants = await on.store.listGrants({ clientId: 'client_dynamic' }, on.clock.now());
    assert.ok(grants.length > 0);

    await on.store.removeClient('client_dynamic', auditEvent('client.removed', on.clock.now(), 'cli'));

    assert.equal((await on.store.listGrants({ clientId: 'client_dynamic' }, on.clock.now())).length, 0);
  });

  test('an agent that cannot renew its access stays listed while what it was allowed is remembered', async () => {
    const browser = await on.signedIn();
    await on.addClient({ id: 'client_brief', metadata: { clientName: 'Brief Agent', grantTypes: ['authorization_code'] } });
    await signInAndDecide(on.url({ client_id: 'client_brief' }), allow, { browser });

    assert.match((await browser.open('/account/agents')).html, /Brief Agent/);
    on.clock.advance(3660);
    assert.match((await browser.open('/account/agents')).html, /Brief Agent/);
  });

  test('the page says nothing that an address made up', async () => {
    const browser = await on.signedIn();

    assert.doesNotMatch((await browser.open('/account/agents?done=You%20won')).html, /You won|Disconnected/);
  });
});
