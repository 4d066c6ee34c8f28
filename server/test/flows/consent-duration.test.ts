/**
 * For how long a person allows something: what the page offers, what comes of the choice at the token endpoint, at introspection and in what is remembered, and what an
 * owner caps.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256At } from '../../src/crypto/hash.ts';
import type { Page } from '../browser.ts';
import { form, pkce } from '../harness.ts';
import { answerOf, loopback, type Stage, stage } from './authorize-stage.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

describe('how long', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());
  beforeEach(async () => {
    for (const { id } of await on.store.listGrants({ userId: on.user.id }, on.clock.now()))
      await on.store.revokeGrant(id, 'test', auditEvent('grant.revoked', on.clock.now(), 'test'));
  });

  const offered = (page: Page) => page.forms[0]?.fields.filter(({ radio }) => radio) ?? [];
  const preset = (page: Page) => offered(page).find(({ ticked }) => ticked)?.value;

  async function allow(page: Page, duration: string | undefined, browser: Awaited<ReturnType<Stage['signedIn']>>) {
    const back = await browser.submit(page, duration === undefined ? {} : { duration }, 'allow');
    const { code = '' } = answerOf(back.refresh);
    const found = await on.store.findCode(sha256At(code), on.clock.now());
    assert.ok(found);
    const redeem = async () => {
      const values = { client_id: 'client_known', grant_type: 'authorization_code', code, redirect_uri: loopback, code_verifier: pkce.verifier };
      const response = await on.request('/token', form(values));
      assert.equal(response.status, 200);
      return (await response.json()) as { access_token: string; refresh_token?: string; expires_in: number };
    };
    return { grant: found.grant, redeem };
  }
  const refresh = (token = '') => on.request('/token', form({ client_id: 'client_known', grant_type: 'refresh_token', refresh_token: token }));
  const stands = async (grantId: string) => (await on.store.standing({ grantId, jti: 'x', now: on.clock.now() }))?.active;

  test('the page offers four lengths as radio buttons, the longest chosen, and eight hours where something is deleted or administered', async () => {
    const browser = await on.signedIn();

    const harmless = await browser.open(on.url({ scope: 'files:read' }));
    const risky = await browser.open(on.url({ scope: 'files:read files:delete' }));

    assert.deepEqual(
      offered(harmless).map(({ value }) => value),
      ['until_disconnected', '30_days', '8_hours', 'once'],
    );
    assert.equal(preset(harmless), 'until_disconnected');
    assert.equal(preset(risky), '8_hours');
  });

  for (const [duration, seconds] of [
    ['30_days', 30 * DAY],
    ['8_hours', 8 * HOUR],
  ] as const) {
    test(`${duration} end the grant, its refresh token and its access tokens then, whoever asks`, async () => {
      const browser = await on.signedIn();
      const { grant, redeem } = await allow(await browser.open(on.url()), duration, browser);
      const tokens = await redeem();
      assert.equal(grant.expiresAt, on.clock.now() + seconds);

      on.clock.advance(seconds - 600);
      // Thirty days unused end it by themselves: this is about what is used.
      if (duration === '8_hours') {
        const renewed = (await (await refresh(tokens.refresh_token)).json()) as { expires_in: number; refresh_token: string };
        assert.equal(renewed.expires_in, 600);
        on.clock.advance(600);
        assert.deepEqual([(await refresh(renewed.refresh_token)).status, await stands(grant.id)], [400, false]);
        return;
      }
      on.clock.advance(600);
      assert.deepEqual([(await refresh(tokens.refresh_token)).status, await stands(grant.id)], [400, false]);
    });
  }

  test('once is an hour without a refresh token, and is not remembered', async () => {
    const browser = await on.signedIn();
    const { grant, redeem } = await allow(await browser.open(on.url()), 'once', browser);
    on.clock.advance(30);

    const tokens = await redeem();

    assert.equal(tokens.refresh_token, undefined);
    assert.equal(tokens.expires_in, HOUR - 30);
    assert.match((await browser.open(on.url())).html, /Allow .*Claude Code/);
    on.clock.advance(HOUR - 30);
    assert.equal(await stands(grant.id), false);
  });

  test('[CON-05] a form can choose only what was offered', async () => {
    const browser = await on.signedIn();
    const page = await browser.open(on.url());
    const csrf = page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const tx = page.forms[0]?.fields.find(({ name }) => name === 'tx')?.value ?? '';
    const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

    for (const duration of ['forever', '', '90_days', 'constructor']) {
      const refused = await on.request('/consent', form({ tx, csrf, decision: 'allow', duration }, { Cookie }));
      // An empty parameter is an absent one (AZ-01): that is the preset.
      if (duration !== '') assert.equal(refused.status, 400, duration);
    }
    assert.ok((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length <= 1);
  });

  test('[CON-03] reconnecting repeats consent and does not make it longer', async () => {
    const browser = await on.signedIn();
    const first = await allow(await browser.open(on.url()), '8_hours', browser);
    on.clock.advance(7 * HOUR);

    const page = await browser.open(on.url());
    assert.match(page.html, /Reconnect/);
    assert.deepEqual(offered(page), []);
    const again = await allow(page, undefined, browser);

    assert.equal(again.grant.expiresAt, first.grant.expiresAt);
    on.clock.advance(HOUR);
    assert.equal(await stands(again.grant.id), false);
    assert.match((await browser.open(on.url())).html, /Allow .*Claude Code/);
  });

  test('[CON-03] an addition does not make longer what was allowed for a while', async () => {
    const browser = await on.signedIn();
    const first = await allow(await browser.open(on.url({ scope: 'files:read' })), '8_hours', browser);

    const page = await browser.open(on.url({ scope: 'files:read files:write' }));
    assert.match(page.html, /asks for more/);
    assert.deepEqual(
      offered(page).map(({ value }) => value),
      ['until_disconnected', 'once'],
    );
    const more = await allow(page, 'until_disconnected', browser);

    assert.equal(more.grant.expiresAt, first.grant.expiresAt);
  });

  test('the step-up page says since when the rest is allowed, and keeping it as it is ends nothing', async () => {
    const browser = await on.signedIn();
    const first = await allow(await browser.open(on.url({ scope: 'files:read' })), 'until_disconnected', browser);

    const page = await browser.open(on.url({ scope: 'files:read files:delete' }));
    assert.match(page.html, /Already allowed since/);
    assert.match(page.html, /The app asks for additional access\./);
    assert.equal(preset(page), '8_hours');
    await browser.submit(page, {}, 'deny');

    assert.equal(await stands(first.grant.id), true);
  });

  test('the limit of a server holds whatever a form says, at reconnecting too, and is told', async () => {
    const browser = await on.signedIn();
    await on.store.updateServer({ ...on.mcp, maxDuration: '8_hours' }, auditEvent('server.updated', on.clock.now(), 'test'));
    const page = await browser.open(on.url());
    assert.match(page.html, /The owner of this server allows no longer/);
    assert.deepEqual(
      offered(page).map(({ value }) => value),
      ['8_hours', 'once'],
    );

    const { grant } = await allow(page, undefined, browser);

    assert.equal(grant.expiresAt, on.clock.now() + 8 * HOUR);
    await on.store.updateServer(on.mcp, auditEvent('server.updated', on.clock.now(), 'test'));
  });

  test('a limit that came while the page was open is another question to read', async () => {
    const browser = await on.signedIn();
    const page = await browser.open(on.url());
    await on.store.updateServer({ ...on.mcp, maxDuration: 'once' }, auditEvent('server.updated', on.clock.now(), 'test'));

    const next = await browser.submit(page, { duration: '30_days' }, 'allow');

    assert.equal(next.refresh, undefined);
    assert.equal((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length, 0);
    await on.store.updateServer(on.mcp, auditEvent('server.updated', on.clock.now(), 'test'));
  });

  test('the receipt says what was offered, what was chosen and when it ends', async () => {
    const browser = await on.signedIn();
    const { grant } = await allow(await browser.open(on.url()), 'once', browser);

    const receipt = JSON.parse((await on.store.findReceipt(on.user.id, grant.id)) ?? '{}') as Record<string, unknown>;

    assert.deepEqual(receipt['duration'], {
      offered: ['until_disconnected', '30_days', '8_hours', 'once'],
      chosen: 'once',
      ends_at: grant.expiresAt,
      once: true,
    });
  });
});

test('[AZ-37] whoever is not on the list of a server is told after sign-in, shares nothing, and the app hears access_denied', async () => {
  const on = await stage();
  await on.store.updateServer({ ...on.mcp, people: 'listed' }, auditEvent('server.updated', on.clock.now(), 'test'));
  const browser = await on.signedIn();

  const refused = await browser.open(on.url());

  assert.match(refused.html, /You can(&#39;|')t give this access/);
  assert.equal(refused.refresh, undefined);
  assert.match(refused.html, /error=access_denied/);
  assert.equal((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length, 0);
  await on.store.addServerPerson({ serverId: on.mcp.id, userId: on.user.id }, auditEvent('server.person_added', on.clock.now(), 'test'));
  assert.match((await browser.open(on.url())).html, /Allow .*Claude Code/);
  assert.match((await on.browser().open(on.url())).html, /Sign in/);
  await on.close();
});
