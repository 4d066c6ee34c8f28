/**
 * The person's side of RFC 8628: entering a code, comparing it, deciding, and what stops somebody who guesses or who sends codes to others.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { type Browser, openBrowser, textOf } from '../browser.ts';
import { form, issuer } from '../harness.ts';
import { password } from './authorize-stage.ts';
import { type DeviceStage, stage } from './device-stage.ts';

const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
const wrong = (index: number) => `BCDF-GHJ${'BCDFGHJKLMNPQRSTVWXZ'[index]}`;

describe('the page of devices', () => {
  let on: DeviceStage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());
  const events = async (type: string) => (await on.store.listEvents({ type, limit: 1000 })).length;

  test('[DEV-04] a stranger signs in first and comes back with the code of the address, which is only filled in', async () => {
    const { user_code: code, verification_uri_complete: address } = await on.codes();
    const browser = on.browser();
    const signIn = await browser.open(address);
    assert.match(textOf(signIn), /Sign in to connect your device/);
    assert.ok(!signIn.html.includes('Headless Agent'), 'nothing is said of the device before');

    const entry = await browser.submit(signIn, { username: 'ada', password });
    const confirm = await browser.submit(entry, { user_code: code });

    assert.equal(new URL(entry.url).pathname, '/device');
    assert.equal(entry.forms[0]?.fields.find(({ name }) => name === 'user_code')?.value, code);
    assert.match(textOf(entry), /Go on only if your device shows the same/);
    assert.match(confirm.title, /Does your device show this code\?/);
  });

  test('[DEV-06] opening the whole address, however often, answers nothing and looks nothing up', async () => {
    const { device_code: deviceCode, user_code: code, verification_uri_complete: address } = await on.codes();
    const browser = await on.signedIn();
    const before = await on.store.findDevice(sha256(deviceCode), on.clock.now());
    const right = await browser.open(address);
    const other = await browser.open(address.replace(code, wrong(0)));
    for (let opened = 0; opened < 10; opened++) await browser.open(`/device?user_code=${wrong(opened)}`);

    assert.equal(right.html.replaceAll(code, '').length, other.html.replaceAll(wrong(0), '').length, 'a code that waits looks like one that does not');
    assert.deepEqual(await on.store.findDevice(sha256(deviceCode), on.clock.now()), before);
    assert.equal((await on.poll(deviceCode)).body['error'], 'authorization_pending');
    assert.equal((await on.enter(browser, code)).status, 200, 'and no try was used up');
  });

  test('[DEV-04] [CON-01] the page shows the code, who asks, for what, when and from where, and warns of codes that were sent', async () => {
    const { user_code: code } = await on.codes({ scope: 'files:read files:write files:nothing' });
    on.clock.advance(40);

    const page = await on.enter(await on.signedIn(), code.toLowerCase().replace('-', ' '));

    const text = textOf(page);
    for (const part of [
      'Does your device show this code?',
      code,
      'Approved by Auth-Agent',
      'My File Server',
      'mcp.example.com',
      'files:write',
      'files:nothing',
      `the device showing code ${code}`,
      '40 seconds ago from 198.51.100.4',
      'That is not the network you are on now.',
      'Did someone send you this code, by chat, mail or phone? Choose Deny. We never ask for codes that way.',
      'Until you disconnect it',
      'Signed in as ada@example.com',
      'client_device',
    ])
      assert.ok(text.includes(part), part);
    const buttons = page.forms[0]?.buttons.map(({ value }) => value);
    assert.deepEqual(buttons, ['deny', 'allow'], 'Deny first, so that Enter never approves');
  });

  test('[DEV-04] from the same network nothing is said of another, IPv6 by its network', async () => {
    const { body } = await on.ask({}, { address: '203.0.113.7' });

    assert.doesNotMatch(textOf(await on.enter(await on.signedIn(), String(body['user_code']))), /not the network/);
    const v6 = await on.ask({}, { address: '2001:db8::1' });
    const browser = openBrowser((url, init) => on.request(url, { ...init, address: '2001:db8::2:3' }), issuer);
    await browser.submit(await browser.open('/login'), { username: 'ada', password });
    assert.doesNotMatch(textOf(await on.enter(browser, String(v6.body['user_code']))), /not the network/);
  });

  test('[DEV-04] yes ends in Connected, is a connected agent, and can be ended like any other', async () => {
    const { device_code: deviceCode, user_code: code } = await on.codes();
    const browser = await on.signedIn();

    const done = await on.decide(browser, code, 'allow');
    const tokens = (await on.poll(deviceCode)).body;
    const agents = await browser.open('/account/agents');
    await browser.submit(agents, { grant: agents.forms.flatMap(({ fields }) => fields).find(({ name }) => name === 'grant')?.value ?? '' });

    assert.match(textOf(done), /Connected You can close this page and go back to your device or terminal\./);
    assert.ok(textOf(agents).includes('Headless Agent'));
    const refreshed = await on.request(
      '/token',
      form({ grant_type: 'refresh_token', refresh_token: String(tokens['refresh_token']), client_id: on.device.id }),
    );
    assert.equal(refreshed.status, 400);
  });

  test('[DEV-04] the receipt keeps what was shown, when and from where the device asked, and not the code', async () => {
    const { user_code: code } = await on.codes({ scope: 'files:read files:nothing' });
    await on.decide(await on.signedIn(), code, 'allow');

    const [grant] = await on.store.listGrants({ clientId: on.device.id }, on.clock.now());
    const text = (await on.store.findReceipt(on.user.id, grant?.id ?? '')) ?? '{}';
    const receipt = JSON.parse(text);
    assert.deepEqual([receipt.v, receipt.asked, receipt.client.id, receipt.returns_to.place], [2, true, on.device.id, 'device']);
    assert.deepEqual(receipt.device, { requested_at: on.clock.now(), address: '198.51.100.4', same_network: false });
    assert.deepEqual(
      receipt.scopes.map((scope: { name: string; granted: boolean }) => [scope.name, scope.granted]),
      [
        ['files:read', true],
        ['files:nothing', false],
      ],
    );
    assert.ok(!text.includes(code));
    assert.equal(grant?.redirectUri, undefined);
  });

  test('[DEV-04] [CON-03] what was allowed before is asked again, and never answers by itself', async () => {
    const browser = await on.signedIn();
    await on.decide(browser, (await on.codes()).user_code, 'allow');
    const { device_code: deviceCode, user_code: code, verification_uri_complete: address } = await on.codes();

    await browser.open(address);
    const page = await on.enter(browser, code);

    assert.deepEqual(
      page.forms[0]?.buttons.map(({ value }) => value),
      ['deny', 'allow'],
    );
    assert.equal((await on.poll(deviceCode)).body['error'], 'authorization_pending');
    // Nor does what a device was allowed shorten the question of a redirect.
    assert.match((await browser.open(on.url({ client_id: on.client.id }))).title, /^Allow/);
  });

  test('[CON-05] optional scopes start unticked, and what is left empty is not granted', async () => {
    const mail = await on.addServer({
      resource: 'https://mail.example',
      scopes: [{ name: 'mail:read' }, { name: 'mail:send', optional: true }, { name: 'mail:delete', optional: true }],
    });
    const { device_code: deviceCode, user_code: code } = await on.codes({ resource: mail.resource, scope: 'mail:read mail:send mail:delete' });
    const browser = await on.signedIn();

    await on.decide(browser, code, 'allow', { scope: ['mail:send'] });

    assert.equal((await on.poll(deviceCode)).body['scope'], 'mail:read mail:send');
  });

  test('[DEV-06] wrong, expired, denied, used and malformed codes read the same', async () => {
    const fresh = await stage();
    const browser = await fresh.signedIn();
    const [denied, used, expired] = [await fresh.codes(), await fresh.codes(), await fresh.codes()];
    await fresh.decide(browser, denied.user_code, 'deny');
    await fresh.decide(browser, used.user_code, 'allow');
    await fresh.poll(used.device_code);
    fresh.clock.advance(600);

    for (const code of [wrong(1), denied.user_code, used.user_code, expired.user_code, 'no code']) {
      const page = await fresh.enter(browser, code);
      assert.equal(page.status, 400);
      assert.ok(textOf(page).includes("We don't know that code. Codes last 10 minutes."), code);
    }
    assert.match(textOf(await fresh.enter(browser, '')), /Enter the code that your device shows/);
    await fresh.close();
  });

  test('[DEV-03] [RATE-01] after five wrong entries an account waits ten minutes, right code or not; a right entry forgets nothing', async () => {
    const fresh = await stage();
    const browser = await fresh.signedIn();
    for (let entries = 0; entries < 4; entries++) assert.equal((await fresh.enter(browser, wrong(entries))).status, 400);
    for (let entries = 0; entries < 3; entries++) assert.equal((await fresh.enter(browser, (await fresh.codes()).user_code)).status, 200);
    assert.equal((await fresh.enter(browser, wrong(5))).status, 400);
    const { user_code: code } = await fresh.codes();

    const blocked = await fresh.enter(browser, code);
    assert.equal(blocked.status, 429);
    assert.equal(blocked.headers.get('retry-after'), '600');
    assert.match(textOf(blocked), /Too many tries\. Try again in 10 minutes\./);
    const elsewhere = openBrowser((url, init) => fresh.request(url, { ...init, address: '192.0.2.200' }), issuer);
    await elsewhere.submit(await elsewhere.open('/login'), { username: 'ada', password });
    assert.equal((await fresh.enter(elsewhere, code)).status, 429, 'another session and another address are the same account');
    assert.equal((await fresh.store.listEvents({ type: 'device.wrong_code', limit: 10 })).length, 5);
    fresh.clock.advance(600);
    assert.equal((await fresh.enter(browser, (await fresh.codes()).user_code)).status, 200);
    await fresh.close();
  });

  test('[DEV-03] an address with many accounts has no more tries than one account', async () => {
    const fresh = await stage();
    const statuses: number[] = [];
    for (let person = 0; person < 6; person++) {
      await fresh.addUser({ username: `person${person}`, password });
      const browser = fresh.browser();
      await browser.submit(await browser.open('/login'), { username: `person${person}`, password });
      statuses.push((await fresh.enter(browser, wrong(person))).status);
    }

    assert.deepEqual(statuses, [400, 400, 400, 400, 400, 429]);
    await fresh.close();
  });

  test('[DEV-03] parallel entries do not share a try', async () => {
    const fresh = await stage();
    const browser = await fresh.signedIn();
    const page = await browser.open('/device');
    const csrf = page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';

    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        fresh.request('/device', form({ csrf, user_code: wrong(index) }, { Cookie: cookieOf(browser) })).then(({ status }) => status),
      ),
    );

    assert.equal(statuses.filter((status) => status === 400).length, 5);
    assert.equal(statuses.filter((status) => status === 429).length, 15);
    await fresh.close();
  });

  test('[DEV-04] [LOG-02] a code that was not entered here cannot be decided, not even with a form of ours for another', async () => {
    const [mine, victim] = [await on.codes(), await on.codes()];
    const browser = await on.signedIn();
    const page = await on.enter(browser, mine.user_code);
    const entry = await browser.open('/device');
    const csrf = (from: typeof page) => from.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const post = (values: Record<string, string>, headers: Record<string, string> = {}) =>
      on.request('/device', form({ decision: 'allow', user_code: victim.user_code, ...values }, { Cookie: cookieOf(browser), ...headers }));

    for (const [values, headers] of [
      [{}],
      [{ csrf: csrf(page) }],
      [{ csrf: csrf(entry) }],
      [{ csrf: csrf(page), user_code: mine.user_code }, { 'Sec-Fetch-Site': 'cross-site' }],
      [{ csrf: csrf(page), user_code: mine.user_code }, { Origin: 'https://evil.example' }],
    ] as [Record<string, string>, Record<string, string>?][])
      assert.equal((await post(values, headers)).status, 403);
    // No oracle: a code that does not exist is refused the same way.
    assert.equal((await post({ csrf: csrf(page), user_code: wrong(3) })).status, 403);
    const stranger = await on.request('/device', form({ decision: 'allow', user_code: victim.user_code, csrf: csrf(page) }));
    assert.equal(stranger.headers.get('location'), `/login?to=device&user_code=${victim.user_code}`);
    for (const { device_code: deviceCode } of [mine, victim]) assert.equal((await on.poll(deviceCode)).body['error'], 'authorization_pending');
  });

  test('[DEV-04] of two tabs the first decides, and the second is told so', async () => {
    const { device_code: deviceCode, user_code: code } = await on.codes();
    const browser = await on.signedIn();
    const [first, second] = [await on.enter(browser, code), await on.enter(browser, code)];
    const before = await events('grant.denied');

    await browser.submit(first, { user_code: code }, 'deny');
    const late = await browser.submit(second, { user_code: code }, 'allow');

    assert.match(late.title, /^Already decided/);
    assert.equal((await on.poll(deviceCode)).body['error'], 'access_denied');
    assert.equal(await events('grant.denied'), before + 1);
  });

  test('[DEV-04] a page whose question has changed meanwhile asks again instead of allowing', async () => {
    const server = await on.addServer({ resource: 'https://changing.example', scopes: [{ name: 'a:read' }, { name: 'a:write' }] });
    const { device_code: deviceCode, user_code: code } = await on.codes({ resource: server.resource, scope: 'a:read a:write' });
    const browser = await on.signedIn();
    const page = await on.enter(browser, code);
    const changed = { ...server, scopes: [{ name: 'a:read' }, { name: 'a:write', optional: true }] };
    await on.store.updateServer(changed, auditEvent('server.updated', on.clock.now(), 'test'));

    const again = await browser.submit(page, { user_code: code }, 'allow');

    assert.match(again.title, /Does your device show this code\?/);
    assert.equal((await on.poll(deviceCode)).body['error'], 'authorization_pending');
  });

  test('a server that is gone is said so, and nothing is granted', async () => {
    const server = await on.addServer({ resource: 'https://gone.example', scopes: [{ name: 'g:read' }] });
    const { device_code: deviceCode, user_code: code } = await on.codes({ resource: server.resource, scope: 'g:read' });
    await on.store.removeServer(server.id, auditEvent('server.removed', on.clock.now(), 'test'));

    const page = await on.enter(await on.signedIn(), code);

    assert.deepEqual([page.status, page.forms.length], [400, 0]);
    assert.equal((await on.poll(deviceCode)).body['error'], 'authorization_pending');
  });

  test('[DEV-02] a grant that is ended, or a person who is disabled, before the device comes back gives it nothing', async () => {
    const [ended, disabled] = [await on.codes(), await on.codes()];
    const eve = await on.addUser({ username: 'eve', password });
    const browser = await on.signedIn();
    await on.decide(browser, ended.user_code, 'allow');
    for (const { id } of await on.store.listGrants({ clientId: on.device.id }, on.clock.now()))
      await on.store.revokeGrant(id, 'person', auditEvent('grant.revoked', on.clock.now(), 'test'));
    const eves = on.browser();
    await eves.submit(await eves.open('/login'), { username: 'eve', password });
    await on.decide(eves, disabled.user_code, 'allow');
    await on.store.setUserDisabled(eve.id, true, auditEvent('user.disabled', on.clock.now(), 'test'));

    for (const { device_code: deviceCode } of [ended, disabled]) assert.equal((await on.poll(deviceCode)).body['error'], 'invalid_grant');
  });

  test('[DEV-08] [LOG-09] [CORS-07] no device page can be framed, is cached or is readable from another origin', async () => {
    const browser = await on.signedIn();
    const { user_code: code } = await on.codes();
    const confirm = await on.enter(browser, code);
    const pages = [await browser.open('/device'), confirm, await browser.submit(confirm, { user_code: code }, 'allow'), await on.enter(browser, wrong(9))];

    for (const { headers } of pages) {
      assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/);
      assert.deepEqual([headers.get('x-frame-options'), headers.get('cache-control'), headers.get('access-control-allow-origin')], ['DENY', 'no-store', null]);
    }
    assert.equal(
      (await on.request('/device', { method: 'OPTIONS', headers: { Origin: 'https://a.example' } })).headers.get('access-control-allow-origin'),
      null,
    );
  });

  test('a tenant has its own devices: its address is in the answer, and its codes are unknown to others', async () => {
    await on.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: on.clock.now() });
    const acme = await on.server.context('acme');
    await acme?.store.addClient(on.device, auditEvent('client.registered', on.clock.now(), 'test'));
    const response = await on.request('/t/acme/device_authorization', form({ client_id: on.device.id }));
    const codes = (await response.json()) as Record<string, string>;

    assert.equal(codes['verification_uri'], 'https://auth.example.com/t/acme/device');
    assert.equal((await on.enter(await on.signedIn(), codes['user_code'] ?? '')).status, 400);
    assert.equal((await on.poll(codes['device_code'] ?? '')).body['error'], 'invalid_grant');
  });

  test('urn:ietf:wg:oauth:2.0:oob is refused with the way to device codes', async () => {
    const page = await (await on.signedIn()).open(on.url({ redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' }));
    const plain = await (await on.signedIn()).open(on.url({ redirect_uri: 'http://localhost:4711/other' }));

    assert.equal(page.status, 400);
    assert.match(page.title, /Sign in with a device code instead/);
    assert.ok(page.html.includes('href="/device"') && textOf(page).includes('https://auth.example.com/device'));
    assert.ok(!plain.html.includes('href="/device"'));
  });

  test('[DEV-06] whatever is entered, the page is never a 5xx and nothing is granted', async () => {
    const fresh = await stage();
    const browser = await fresh.signedIn();
    const { device_code: deviceCode, user_code: code } = await fresh.codes();
    const confirm = await fresh.enter(browser, code);
    const csrf = confirm.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const entry = (await browser.open('/device')).forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom(csrf, entry, 'files:read', '', wrong(0)));
    const name = fc.constantFrom('csrf', 'user_code', 'decision', 'scope', 'tx');

    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(name, text), { maxLength: 6 }), fc.boolean(), async (pairs, asQuery) => {
        const body = new URLSearchParams(pairs).toString();
        const headers = { Cookie: cookieOf(browser), 'Content-Type': 'application/x-www-form-urlencoded' };
        const response = await (asQuery
          ? fresh.request(`/device?${body}`, { headers: { Cookie: cookieOf(browser) } })
          : fresh.request('/device', { method: 'POST', body, headers }));
        assert.ok(response.status < 500, String(response.status));
        fresh.clock.advance(1);
      }),
      { numRuns: 200 },
    );
    fresh.clock.advance(10);
    assert.equal((await fresh.poll(deviceCode)).body['error'], 'authorization_pending');
    await fresh.close();
  });
});

test('[AZ-37] who enters a code for a server that is not for them is shown where to ask for access', async () => {
  const on = await stage();
  const { people: _, ...server } = on.mcp;
  await on.store.updateServer({ ...server, people: 'listed' }, auditEvent('server.updated', on.clock.now(), 'test'));
  const { user_code: code } = await on.codes();
  const browser = await on.signedIn();

  const refused = await on.enter(browser, code);

  assert.equal(refused.status, 403);
  const link = /href="([^"]*\/account\/ask\?server=[^"]+)"/.exec(refused.html)?.[1] ?? assert.fail('no way to ask');
  assert.match((await browser.open(link)).title, /^Ask for access/);
  await on.close();
});
