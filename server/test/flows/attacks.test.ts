/**
 * Attacks on every page there is, made from the route table, so that a new page is attacked from its first day: forms of other sites, addresses of other sites in
 * every parameter, names that are no names. Each is refused or harmless, and the database is compared before and after. Attacks on one page alone stand beside
 * its stories (sign-in.test.ts, consent.test.ts, upstream-attacks.test.ts).
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { isForPeople } from '../../src/route.ts';
import { routes } from '../../src/server.ts';
import type { Driver } from '../../src/storage/driver.ts';
import { openNodeSqlite } from '../../src/storage/drivers/node-sqlite.ts';
import { tablesOf } from '../../src/storage/migrations/index.ts';
import { type Browser, signInAndDecide } from '../browser.ts';
import { form, issuer, pkce } from '../harness.ts';
import { loopback, password, type Stage } from './authorize-stage.ts';
import { mailStage } from './mail-stage.ts';

const root = new URL('../../..', import.meta.url).pathname;
const pages = routes.filter(({ surface }) => isForPeople(surface));
const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

/** Every parameter that a room of pages reads, from their sources, and the names that other systems are attacked by. */
const parameters = [
  ...new Set([
    ...globSync('server/src/{account,authorize,device,site}/**/*.ts', { cwd: root })
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => [...readFileSync(root + file, 'utf8').matchAll(/\.get\('([a-z_]+)'\)/g)].map(([, name = '']) => name)),
    ...[
      'next',
      'return_to',
      'returnTo',
      'ReturnUrl',
      'redirect',
      'redirect_url',
      'continue',
      'url',
      'goto',
      'callback',
      'target',
      'target_link_uri',
      'iss',
      'lang',
    ],
  ]),
].sort();
const elsewhere = ['https://evil.example/x', '//evil.example/x', '/\\evil.example/x', 'javascript:alert(document.domain)', '/%2fevil.example'];

/** What the table of tries counts is not what an attack was after. */
const tables = tablesOf().filter((table) => table !== 'allowances' && table !== 'rate_limits');

describe('attacks on every page', () => {
  let on: Stage;
  let driver: Driver;
  let victim: Browser;
  let grant: string;
  before(async () => {
    driver = openNodeSqlite(':memory:');
    // Every way in is on, or its page would be attacked in vain.
    on = await mailStage({}, { driver });
    victim = await on.signedIn();
    await signInAndDecide(on.url(), { username: 'ada', password, decision: 'allow' }, { browser: victim });
    grant = String((await driver.read({ text: 'select id from grants', values: [] }))[0]?.['id']);
    // Signing keys are made when first needed.
    await on.request('/.well-known/jwks.json');
  });
  after(() => on.close());

  /** Every row, as text, so that what was added, changed or lost can be named. */
  async function dump(): Promise<string[]> {
    const all: string[] = [];
    for (const table of tables)
      for (const row of await driver.read({ text: `select * from ${table}`, values: [] })) all.push(`${table} ${JSON.stringify(row)}`);
    return all.sort();
  }
  async function assertUnchanged(earlier: readonly string[], told: string): Promise<void> {
    const now = await dump();
    const changed = { gone: earlier.filter((row) => !now.includes(row)), came: now.filter((row) => !earlier.includes(row)) };
    assert.deepEqual(changed, { gone: [], came: [] }, told);
  }
  const address = (path: string) => path.replace(':grant', grant).replace(':code', 'invalid_grant').replace(/:\w+/g, 'x');

  /** A form that would do something, were it only ours: real ids, a decision, a waiting request of this person. */
  async function body(): Promise<Record<string, string>> {
    const tx = new URL((await victim.open(on.url({ scope: 'files:read files:write' }))).url).searchParams.get('tx') ?? '';
    assert.match(tx, /^tx_/);
    const named = {
      tx,
      grant,
      decision: 'allow',
      scope: 'files:read files:write',
      username: 'ada',
      password,
      language: 'de',
      agents: '1',
      user_code: 'WDJB-MJHT',
      done: '1',
    };
    return { ...Object.fromEntries(parameters.map((name) => [name, 'x'])), new_password: 'another battery staple', ...named };
  }

  const posted = pages.filter(({ path, methods }) => methods.POST && !path.endsWith('/authorize'));

  test('[LOG-02] every form is refused from another site, without its token, and with the token of another browser or page', async () => {
    const attacker = on.browser();
    const theirs = (await attacker.open('/login')).forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const own = (await victim.open('/logout')).forms.find(({ action }) => action.endsWith('/logout'))?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    assert.ok(theirs.length > 20 && own.length > 20);
    const filled = await body();
    const cookie = { Cookie: cookieOf(victim) };
    const attacks: [string, Record<string, string>, Record<string, string>][] = [
      ['another site', { ...filled, csrf: own }, { ...cookie, 'Sec-Fetch-Site': 'cross-site' }],
      ['a sibling site', { ...filled, csrf: own }, { ...cookie, 'Sec-Fetch-Site': 'same-site' }],
      ['another origin', { ...filled, csrf: own }, { ...cookie, Origin: 'https://evil.example' }],
      ['no token', filled, { ...cookie, 'Sec-Fetch-Site': 'same-origin' }],
      ['an empty token', { ...filled, csrf: '' }, { ...cookie, 'Sec-Fetch-Site': 'same-origin' }],
      ['the token of another browser', { ...filled, csrf: theirs }, { ...cookie, 'Sec-Fetch-Site': 'same-origin' }],
      ['the cookie and token of another browser', { ...filled, csrf: theirs }, { Cookie: cookieOf(attacker), 'Sec-Fetch-Site': 'same-origin' }],
      ['no cookie', { ...filled, csrf: own }, { 'Sec-Fetch-Site': 'same-origin' }],
    ];
    assert.ok(posted.length > 20);

    for (const { path } of posted) {
      for (const [name, fields, headers] of attacks) {
        // The token of the sign-out form is right for that page, and that of the sign-in form for a sign-in of one's own browser.
        if (path === '/logout' && fields['csrf'] === own && headers['Sec-Fetch-Site'] === 'same-origin') continue;
        const earlier = await dump();
        const response = await on.request(address(path), form(fields, headers));
        const told = `${path}: ${name}`;

        assert.ok(
          [400, 401, 403, 404].includes(response.status) || leadsToSignIn(response) || (path === '/logout' && response.status === 200),
          `${told}: ${response.status} ${response.headers.get('location')}`,
        );
        assert.ok(!response.headers.getSetCookie().some((line) => line.includes('aa_session=') && !/Max-Age=0/.test(line)), `${told} begins a session`);
        await assertUnchanged(earlier, told);
      }
    }
    assert.equal((await victim.open('/account/agents')).status, 200);
  });

  test('[LOG-04] no parameter of any page sends the browser, a link or a form to another site', async () => {
    for (const { path, methods } of pages.filter((page) => page.methods.GET)) {
      for (const browser of [victim, on.browser()]) {
        for (const place of elsewhere) {
          const all = new URLSearchParams(parameters.map((name) => [name, place]));
          await assertStays(`${address(path)}?${all}`, browser);
        }
        for (const name of parameters) await assertStays(`${address(path)}?${new URLSearchParams({ [name]: elsewhere[0] ?? '' })}`, browser);
      }
      assert.ok(methods.GET);
    }
  });

  test('[LOG-04] nor does any field of a form that is ours, after a sign-in either', async () => {
    for (const place of elsewhere) {
      const browser = on.browser();
      const page = await browser.open('/login');
      const csrf = page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
      const extra = Object.fromEntries(parameters.filter((name) => !['tx', 'passkey', 'credential', 'upstream'].includes(name)).map((name) => [name, place]));
      const response = await on.request(
        '/login',
        form({ ...extra, csrf, username: 'ada', password }, { Cookie: cookieOf(browser), 'Sec-Fetch-Site': 'same-origin' }),
      );

      assertHere(response, await response.text(), `/login with ${place}`);
    }
  });

  async function assertStays(path: string, browser: Browser): Promise<void> {
    const response = await on.request(path, {
      headers: { Cookie: cookieOf(browser), Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'none' },
    });
    assert.ok(response.status < 500, `${response.status} ${path}`);
    assertHere(response, await response.text(), path);
  }

  test('[LOG-10] [DCR-15] names made of markup and characters that turn text around are harmless on every page', async () => {
    const bad = '<img src=x onerror=alert(1)>"\'\u202Egpj.exe\u200B\u2066';
    await on.addUser({ username: 'mallory', name: bad, password });
    const server = await on.addServer({
      resource: 'https://names.example/mcp',
      name: bad,
      scopes: [{ name: 'files:read', description: bad }, { name: 'files:write' }] as never,
    });
    const client = await on.addClient({
      id: 'client_names',
      registration: 'dynamic',
      metadata: { clientName: bad, redirectUris: ['http://localhost/callback'] },
    });
    const browser = on.browser();
    await browser.submit(await browser.open('/login'), { username: 'mallory', password });
    const url = on.url({ client_id: client.id, redirect_uri: loopback, resource: server.resource, scope: 'files:read files:write' });
    const seen: [string, string][] = [];
    const consent = await browser.open(url);
    seen.push(['consent', consent.html]);
    const returning = await browser.submit(consent, {}, 'allow');
    seen.push(['return', returning.html], ['sign-in', (await on.browser().open(url)).html]);
    const own = String((await driver.read({ text: "select id from grants where client_id = 'client_names'", values: [] }))[0]?.['id']);
    for (const { path, methods } of pages) {
      if (!methods.GET) continue;
      const where = path.replace(':grant', own).replace(':code', 'invalid_grant').replace(/:\w+/g, bad);
      seen.push(
        [path, (await browser.open(where)).html],
        [`${path}?grant`, (await browser.open(`${where}?grant=${own}&notice=${encodeURIComponent(bad)}`)).html],
      );
    }

    assert.ok(seen.filter(([, html]) => html.includes('&lt;img src=x onerror=alert(1)&gt;')).length >= 5, 'the name is shown where names are');
    for (const [name, html] of seen.filter(([, text]) => text.startsWith('<!doctype html>'))) {
      assert.doesNotMatch(html, /<img src=x|[\u202A-\u202E\u2066-\u2069\u200B]/u, name);
      // What stands between quotes is a value, whatever it says.
      assert.doesNotMatch(html.replace(/"[^"]*"/g, '""'), /<[^>]*\sonerror=/, name);
    }
  });

  test('[LOG-01] a browser cookie that an attacker planted gives them nothing of who signs in with it', async () => {
    const attacker = on.browser();
    const page = await attacker.open(on.url());
    const target = on.browser();
    for (const [name, value] of attacker.cookies) target.cookies.set(name, value);

    await target.submit(await target.open('/login'), { username: 'ada', password });

    assert.match((await target.open('/account/agents')).title, /^Connected agents/);
    assert.match((await attacker.open('/account/agents')).title, /^Sign in/);
    assert.match((await attacker.open(page.url)).title, /^Sign in/);
  });

  test('[LOG-02] [LOG-03] the consent page of an attacker, sent to somebody who is signed in, decides nothing for them', async () => {
    await on.addUser({ username: 'eve', password });
    const attacker = on.browser();
    await attacker.submit(await attacker.open('/login'), { username: 'eve', password });
    const consent = await attacker.open(on.dynamicUrl());
    const fields = Object.fromEntries((consent.forms.find(({ action }) => action.endsWith('/consent'))?.fields ?? []).map(({ name, value }) => [name, value]));
    assert.ok(fields['tx'] && fields['csrf']);
    const earlier = await dump();

    for (const site of ['same-origin', 'cross-site']) {
      const response = await on.request('/consent', form({ ...fields, decision: 'allow' }, { Cookie: cookieOf(victim), 'Sec-Fetch-Site': site }));
      assert.ok([400, 403].includes(response.status), String(response.status));
    }
    assert.match((await victim.open(consent.url)).html, /<code>request_expired<\/code>/);
    await assertUnchanged(earlier, 'the consent page');
    assert.match((await attacker.open(consent.url)).title, /^Allow/);
  });

  test('[AZ-12] codes are not to be guessed: a thousand tries at one find nothing, and the right one is still good', async () => {
    const answer = new URL(await signInAndDecide(on.url(), { username: 'ada', password, decision: 'allow' }, { browser: await on.signedIn() }));
    const code = answer.searchParams.get('code') ?? '';
    const redeem = (guess: string) =>
      on.request(
        '/token',
        form({ grant_type: 'authorization_code', code: guess, client_id: 'client_known', redirect_uri: loopback, code_verifier: pkce.verifier }),
      );
    assert.ok(code.length >= 32);

    for (let tries = 0; tries < 1000; tries++) {
      const at = tries % code.length;
      const guess = code.slice(0, at) + (code[at] === 'A' ? 'B' : 'A') + code.slice(at + 1);
      assert.ok([400, 429].includes((await redeem(guess)).status));
    }
    assert.equal((await redeem(code)).status, 200);
  });
});

function leadsToSignIn(response: Response): boolean {
  const location = response.headers.get('location') ?? '';
  return response.status === 303 && new URL(location, issuer).origin === issuer && /^\/(login|account)/.test(new URL(location, issuer).pathname);
}

/** Neither the answer nor anything on its page leads to the other site; it may be named. */
function assertHere(response: Response, html: string, told: string): void {
  const places = [
    response.headers.get('location'),
    response.headers.get('refresh'),
    ...[...html.matchAll(/\s(?:href|src|action|formaction|content|data-request)="([^"]*)"/g)].map(([, value = '']) => value.replace(/^\d+;\s*url=/i, '')),
  ].filter((place) => place !== null);
  for (const place of places) {
    const decoded = place.replaceAll('&amp;', '&');
    if (!/^([a-z][a-z0-9+.-]*:|[/\\])/i.test(decoded)) continue;
    if (decoded.startsWith('data:image/')) continue;
    assert.equal(URL.canParse(decoded, issuer) && new URL(decoded, issuer).origin, issuer, `${told} leads to ${decoded}`);
  }
}
