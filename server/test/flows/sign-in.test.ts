/**
 * Signing in and out: cookies, forms, guessing, and what becomes of a request that waits meanwhile.
 */
import assert from 'node:assert/strict';
import { scryptSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { sha256, sha256At } from '../../src/crypto/hash.ts';
import { hashPassword, maxPasswordBytes } from '../../src/crypto/password.ts';
import { type Browser, openBrowser } from '../browser.ts';
import { testDatabase } from '../database.ts';
import { form, issuer, testServer } from '../harness.ts';
import { answerOf, password, type Stage, signInOn, stage } from './authorize-stage.ts';

const sessionCookie = '__Host-aa_session';
const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
const countOf = (on: Stage, type: string) => on.store.listEvents({ type, limit: 1000 }).then((events) => events.length);

describe('signing in', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());

  test('[LOG-01] both cookies are host-bound, secure, out of reach of scripts, and opaque', async () => {
    const browser = await on.signedIn();

    for (const name of ['__Host-aa_browser', sessionCookie]) {
      const line = browser.setCookies.find((cookie) => cookie.startsWith(`${name}=`)) ?? '';
      assert.match(line, /^[^=]+=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    }
  });

  test('[LOG-01] on http loopback the cookies have other names, without the prefix a browser would refuse', async () => {
    const local = await testServer({ issuer: 'http://localhost:9000' });
    await local.addUser({ password });
    const lines = (await local.request('/login')).headers.getSetCookie();

    assert.match(lines[0] ?? '', /^aa_browser=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    await local.close();
  });

  test('[LOG-01] only the hash of a session id is stored', async () => {
    const browser = await on.signedIn();
    const id = browser.cookies.get(sessionCookie) ?? '';

    assert.equal(await on.store.findSession(id, on.clock.now()), undefined);
    assert.equal((await on.store.findSession(sha256(id), on.clock.now()))?.user.username, 'ada');
  });

  test('[LOG-01] every sign-in makes a new id and ends the old session, so a planted id is worth nothing', async () => {
    const browser = await on.signedIn();
    const first = browser.cookies.get(sessionCookie) ?? '';
    const planted = 'A'.repeat(43);
    const victim = on.browser();
    victim.cookies.set(sessionCookie, planted);

    await signInOn(browser, await browser.open('/login?switch=1'));
    await signInOn(victim, await victim.open('/login'));

    assert.notEqual(browser.cookies.get(sessionCookie), first);
    assert.equal(await on.store.findSession(sha256(first), on.clock.now()), undefined);
    assert.notEqual(victim.cookies.get(sessionCookie), planted);
    assert.equal(await on.store.findSession(sha256(planted), on.clock.now()), undefined);
  });

  test('[LOG-01] signing out ends the session on the server and takes the cookie away', async () => {
    const browser = await on.signedIn();
    const copied = cookieOf(browser);

    const page = await browser.submit(await browser.open('/logout'));

    assert.equal(page.title.startsWith('You are signed out'), true);
    assert.equal(browser.cookies.has(sessionCookie), false);
    const again = await on.request('/account/agents', { headers: { Cookie: copied } });
    assert.equal(again.headers.get('location'), '/login');
  });

  test('[LOG-02] a sign-in form works only with its token, in its browser, from this site', async () => {
    const browser = on.browser();
    const page = await browser.open('/login');
    const [loginForm] = page.forms;
    const csrf = loginForm?.fields.find((field) => field.name === 'csrf')?.value ?? '';
    const fields = { username: 'ada', password };
    const other = on.browser();
    await other.open('/login');
    const otherBrowser = openBrowser((url, init) => on.request(url, init), issuer);
    await otherBrowser.open(on.url());
    const refused: [string, RequestInit][] = [
      ['no token', form(fields, { Cookie: cookieOf(browser) })],
      ['a made-up token', form({ ...fields, csrf: 'A'.repeat(43) }, { Cookie: cookieOf(browser) })],
      ['no cookie', form({ ...fields, csrf })],
      ['another browser', form({ ...fields, csrf }, { Cookie: cookieOf(other) })],
      ['another transaction', form({ ...fields, csrf, tx: 'tx_00000000000000000000000000000000' }, { Cookie: cookieOf(browser) })],
      ['another site', form({ ...fields, csrf }, { Cookie: cookieOf(browser), 'Sec-Fetch-Site': 'cross-site' })],
      ['a sibling site', form({ ...fields, csrf }, { Cookie: cookieOf(browser), 'Sec-Fetch-Site': 'same-site' })],
      ['another origin', form({ ...fields, csrf }, { Cookie: cookieOf(browser), Origin: 'https://evil.example' })],
      ['another scheme', form({ ...fields, csrf }, { Cookie: cookieOf(browser), Origin: issuer.replace('https', 'http') })],
    ];
    const before = await countOf(on, 'user.signed_in');

    for (const [name, init] of refused) {
      const response = await on.request('/login', init);
      assert.equal(response.status, 403, name);
      assert.match(await response.text(), /<code>invalid_form<\/code>/, name);
      assert.equal(response.headers.getSetCookie().length, 0, name);
    }
    assert.equal(await countOf(on, 'user.signed_in'), before);
    for (const origin of ['null', issuer]) {
      const accepted = await on.request('/login', form({ ...fields, csrf }, { Cookie: cookieOf(browser), Origin: origin, 'Sec-Fetch-Site': 'same-origin' }));
      assert.equal(accepted.status, 303, origin);
    }
  });

  test('[LOG-02] signing out needs the form of this session', async () => {
    const browser = await on.signedIn();
    const stranger = await on.signedIn();
    const csrf = (await stranger.open('/logout')).forms[0]?.fields[0]?.value ?? '';

    for (const values of [{}, { csrf: '' }, { csrf }]) {
      const response = await on.request('/logout', form(values as Record<string, string>, { Cookie: cookieOf(browser) }));
      assert.equal(response.status, 403);
    }
    assert.equal((await browser.open('/account/agents')).status, 200);
  });

  test('[LOG-03] a waiting request belongs to the browser that began it', async () => {
    const attacker = on.browser();
    const page = await attacker.open(on.url());
    const tx = page.forms[0]?.fields.find((field) => field.name === 'tx')?.value ?? '';
    const victim = await on.signedIn();

    for (const path of [
      `/login?tx=${tx}&switch=1`,
      `/authorize/consent?tx=${tx}`,
      `/authorize/return?tx=${tx}`,
      '/authorize/consent',
      '/authorize/consent?tx=tx_nothing_like_it_exists_here',
      '/authorize/return?tx[]=1',
    ]) {
      const seen = await victim.open(path);
      assert.equal(seen.status, 400, path);
      assert.match(seen.html, /<code>request_expired<\/code>/, path);
    }
  });

  test('[LOG-03] a waiting request is good for ten minutes', async () => {
    const browser = on.browser();
    const page = await browser.open(on.url());
    on.clock.advance(599);
    assert.match((await signInOn(browser, page)).url, /\/authorize\/consent/);
    on.clock.advance(1);

    assert.equal((await browser.open((await browser.open(on.url())).url)).status, 200);
    const late = await signInOn(browser, page);
    assert.equal(late.status, 400);
    assert.match(late.html, /<code>request_expired<\/code>/);
  });

  test('[LOG-04] where to go after sign-in is a transaction, never an address', async () => {
    for (const place of ['tx=https://evil.example', 'tx=//evil.example', 'return_to=https://evil.example', 'next=//evil.example', 'tx=../../evil']) {
      const browser = on.browser();
      const page = await browser.open(`/login?${place}`);
      if (page.status === 400) continue;
      const next = await signInOn(browser, page);
      assert.deepEqual([next.left, new URL(next.url).pathname], [false, '/account/agents'], place);
    }
    const signedIn = await on.signedIn();
    assert.equal(new URL((await signedIn.open('/login?tx=//evil.example')).url).pathname, '/account/agents');
  });

  test('after signing in the request that waited goes on', async () => {
    const browser = on.browser();

    const page = await signInOn(browser, await browser.open(on.url()));

    assert.match(page.title, /^Allow Claude Code\?/);
  });

  test('[LOG-08] a session ends when idle, and absolutely, and keeping signed in changes the first alone', async () => {
    const short = await on.signedIn();
    const kept = on.browser();
    const page = await kept.open('/login');
    await kept.submit(page, { username: 'ada', password, keep: '1' });
    const isIn = async (browser: Browser) => (await browser.open('/account/agents')).url.endsWith('/account/agents');
    assert.match(kept.setCookies.at(-1) ?? '', /; Max-Age=2592000$/);

    on.clock.advance(12 * 3600 - 1);
    assert.deepEqual([await isIn(short), await isIn(kept)], [true, true]);
    on.clock.advance(12 * 3600);
    assert.deepEqual([await isIn(short), await isIn(kept)], [false, true]);
    for (let days = 0; days < 28; days++) {
      on.clock.advance(86_400);
      assert.equal(await isIn(kept), true);
    }
    on.clock.advance(86_400);
    assert.equal(await isIn(kept), true);
    on.clock.advance(1);
    assert.equal(await isIn(kept), false);
  });
});

/** Microseconds of processor time, which a busy machine does not stretch. */
async function processorTime(work: () => unknown): Promise<number> {
  const began = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

describe('guessing', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());

  /** Tries a password from an address, as a browser of its own. */
  async function guess(username: string, secret: string, address: string) {
    const browser = openBrowser((url, init) => on.request(url, { ...init, address } as RequestInit), issuer);
    return signInOn(browser, await browser.open('/login'), username, secret);
  }
  const comparable = (html: string) =>
    html
      .replace(/name="csrf" value="[^"]*"/, '')
      .replace(/req_\w+/g, '')
      .replaceAll('nobody', 'ada');

  test('[LOG-05] an unknown user and a wrong password get the same answer', async () => {
    const wrong = await guess('ada', 'not it', '192.0.2.1');
    const unknown = await guess('nobody', 'not it', '192.0.2.1');

    assert.deepEqual([wrong.status, unknown.status], [400, 400]);
    assert.equal(comparable(unknown.html), comparable(wrong.html));
    assert.doesNotMatch(wrong.html, /not it/);
  });

  test('[LOG-05] an unknown user costs a password hash, as a known one does', async () => {
    await guess('warm', 'up', '192.0.2.2');
    const hashing = await processorTime(() => scryptSync('x', 'y', 32, { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 27 }));

    assert.ok((await processorTime(() => guess('nobody2', 'x', '192.0.2.3'))) > hashing / 2);
  });

  test('[LOG-05] after three failures each try waits longer, for this account from this address only', async () => {
    for (let round = 0; round < 3; round++) assert.equal((await guess('ada', 'wrong', '192.0.2.10')).status, 400);

    const blocked = await guess('ada', password, '192.0.2.10');
    assert.equal(blocked.status, 429);
    assert.equal(blocked.headers.get('retry-after'), '1');
    assert.equal((await guess('ada', password, '192.0.2.11')).status, 200);
    assert.equal((await guess('nobody3', 'wrong', '192.0.2.10')).status, 400);

    const waits: number[] = [];
    for (let round = 0; round < 6; round++) {
      on.clock.advance(waits.at(-1) ?? 1);
      assert.equal((await guess('ADA ', 'wrong', '192.0.2.10')).status, 400);
      waits.push(Number((await guess('ada', 'wrong', '192.0.2.10')).headers.get('retry-after')));
    }
    assert.deepEqual(waits, [2, 4, 8, 16, 32, 64]);
    on.clock.advance(64);
    assert.equal((await guess('ada', password, '192.0.2.10')).status, 200);
    assert.equal((await guess('ada', 'wrong', '192.0.2.10')).status, 400);
  });

  test('[LOG-05] guesses at the same moment are counted one by one', async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => guess('parallel', 'x', '192.0.2.20')));

    assert.equal(results.filter((page) => page.status === 400).length, 3);
    assert.equal(results.filter((page) => page.status === 429).length, 5);
  });

  test('[LOG-05] one address cannot try one password on every account', async () => {
    const statuses: number[] = [];
    for (let round = 0; round < 99; round++) await on.context.limits.take('sign-in.address', '192.0.2.30');
    for (let round = 0; round < 3; round++) statuses.push((await guess(`user${round}`, 'x', '192.0.2.30')).status);

    assert.equal(statuses[0], 400);
    assert.equal(statuses.at(-1), 429);
  });

  test('[LOG-06] a very long password is refused before it is hashed', async () => {
    const hashing = await processorTime(() => scryptSync('x', 'y', 32, { N: 2 ** 15, r: 8, p: 3, maxmem: 2 ** 27 }));
    let status = 0;
    const refusing = await processorTime(async () => {
      status = (await guess('ada', 'x'.repeat(maxPasswordBytes + 1), '192.0.2.40')).status;
    });

    assert.equal(status, 400);
    assert.ok(refusing < hashing / 2, `${refusing} µs`);
  });

  test('a disabled person is told so only after the right password', async () => {
    const gone = await on.addUser({ username: 'gone', password });
    await on.store.setUserDisabled(gone.id, true, auditEvent('user.disabled', on.clock.now(), 'test'));

    assert.match((await guess('gone', password, '192.0.2.50')).html, /switched off/);
    assert.doesNotMatch((await guess('gone', 'wrong', '192.0.2.50')).html, /switched off/);
  });

  test('failed sign-ins are recorded without what was typed', async () => {
    await guess('my secret password', 'typed into the wrong field', '192.0.2.60');
    const events = await on.store.listEvents({ type: 'user.sign_in_failed', limit: 100 });
    const event = events.find((one) => one.address === '192.0.2.60');

    assert.ok(event);
    assert.doesNotMatch(JSON.stringify(event), /secret password|wrong field/);
    assert.doesNotMatch(on.logged.join('\n'), /secret password|wrong field/);
  });
});

describe('signing in again', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());

  test('[AZ-21] [LOG-08] prompt=login wants the password again, and the code carries the time of that check', async () => {
    const browser = await on.signedIn();
    on.clock.advance(100);

    const page = await browser.open(on.url({ prompt: 'login', scope: 'files:read' }));
    assert.match(page.title, /^Confirm it's you/);
    const tx = new URL(page.url).searchParams.get('tx');
    assert.match((await browser.open(`/authorize/consent?tx=${tx}`)).title, /^Confirm it's you/);
    on.clock.advance(5);
    const consent = await signInOn(browser, page);
    const back = await browser.submit(consent, {}, 'allow');

    const { code } = answerOf(back.refresh);
    const found = await on.store.findCode(sha256At(code ?? ''), on.clock.now());
    assert.equal(found?.code.authTime, on.clock.now());
  });

  test('[AZ-23] max_age asks again only when the sign-in is older', async () => {
    const browser = await on.signedIn();
    on.clock.advance(60);

    assert.match((await browser.open(on.url({ max_age: '60' }))).url, /\/authorize\/consent/);
    assert.match((await browser.open(on.url({ max_age: '59' }))).title, /^Confirm it's you/);
    const page = await browser.open(on.url({ max_age: '0' }));
    assert.match(page.title, /^Confirm it's you/);
    on.clock.advance(3);
    assert.match((await signInOn(browser, page)).url, /\/authorize\/consent/);
  });

  test('confirming who one is keeps "keep me signed in", for the same person only', async () => {
    await on.addUser({ username: 'hedy', password });
    const browser = on.browser();
    await browser.submit(await browser.open('/login'), { username: 'ada', password, keep: '1' });
    on.clock.advance(1);

    await signInOn(browser, await browser.open(on.url({ prompt: 'login' })));
    const lastOfSession = () => browser.setCookies.findLast((line) => line.startsWith(`${sessionCookie}=`)) ?? '';
    assert.match(lastOfSession(), /Max-Age/);
    await signInOn(browser, await browser.open('/login?switch=1'), 'hedy');
    assert.doesNotMatch(lastOfSession(), /Max-Age/);
  });

  test('a session that ended while consent was open leads back to sign-in with the request kept', async () => {
    const browser = await on.signedIn();
    const consent = await browser.open(on.url());
    on.clock.advance(1);
    await on.store.endSession(
      sha256(browser.cookies.get(sessionCookie) ?? ''),
      (await import('../../src/audit/event.ts')).auditEvent('user.signed_out', on.clock.now(), 'test'),
    );

    const page = await browser.submit(consent, {}, 'allow');

    assert.match(page.html, /You were signed out\. Your request from/);
    assert.match((await signInOn(browser, page)).url, /\/authorize\/consent/);
  });

  test('switching the account keeps the request', async () => {
    await on.addUser({ username: 'grace', name: 'Grace Hopper', password });
    const browser = await on.signedIn();
    const consent = await browser.open(on.url());
    const link = /<a href="([^"]*switch=1)"/.exec(consent.html)?.[1]?.replaceAll('&amp;', '&') ?? '';

    const page = await signInOn(browser, await browser.open(link), 'grace');

    assert.match(page.html, /grace@example\.com/);
    assert.match(page.title, /^Allow Claude Code\?/);
  });

  test('a password hash with old parameters is made anew at the next sign-in', async () => {
    const salt = Buffer.from('sixteen bytes ok');
    const hash = scryptSync(password, salt, 32, { N: 2 ** 14, r: 8, p: 1, maxmem: 2 ** 26 });
    const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
    await on.store.addUser(
      { id: 'usr_old', username: 'old', role: 'user', createdAt: on.clock.now(), passwordHash: `$scrypt$ln=14,r=8,p=1$${unpadded(salt)}$${unpadded(hash)}` },
      (await import('../../src/audit/event.ts')).auditEvent('user.added', on.clock.now(), 'test'),
    );
    const browser = on.browser();

    await signInOn(browser, await browser.open('/login'), 'old');

    assert.match((await on.store.findUserByLogin('old'))?.passwordHash ?? '', /^\$scrypt\$ln=15,r=8,p=3\$/);
  });
});

test('[LOG-01] tenants on one origin do not see one another: other cookie names, other sessions, other people', async () => {
  const on = await stage();
  await on.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: on.clock.now() });
  const bob = { id: 'usr_bob', username: 'bob', role: 'operator' as const, createdAt: on.clock.now() };
  await on.server.storage.forTenant('acme').addUser(bob, auditEvent('user.added', on.clock.now(), 'test'));
  const browser = await on.signedIn();

  const page = await browser.open('/t/acme/account/agents');
  assert.equal(new URL(page.url).pathname, '/t/acme/login');
  assert.equal((await signInOn(browser, page)).status, 400);
  assert.ok(browser.cookies.has('__Host-aa_browser_acme'));
  assert.equal(browser.cookies.has('__Host-aa_session_acme'), false);

  browser.cookies.set('__Host-aa_session_acme', browser.cookies.get(sessionCookie) ?? '');
  assert.equal(new URL((await browser.open('/t/acme/account/agents')).url).pathname, '/t/acme/login');
  await on.close();
});

test('[LOG-01] a password that is changed between its check and the session signs nobody in', async () => {
  const { driver } = await testDatabase();
  let change: (() => Promise<unknown>) | undefined;
  const write: typeof driver.write = async (statements, haste) => {
    const first = statements.some(({ text }) => text.startsWith('insert into sessions')) ? change : undefined;
    change = first ? undefined : change;
    await first?.();
    return driver.write(statements, haste);
  };
  const on = await stage({ driver: { ...driver, write } });
  const browser = on.browser();
  const form = await browser.open('/login');
  const passwordHash = await hashPassword('seven quiet otters sing');
  change = () => on.store.setPassword({ userId: on.user.id, passwordHash }, auditEvent('user.password_changed', on.clock.now(), 'test'));

  const shown = await signInOn(browser, form);

  assert.deepEqual([new URL(shown.url).pathname, browser.cookies.has(sessionCookie)], ['/login', false]);
  assert.equal(await countOf(on, 'user.signed_in'), 0);
  assert.equal(new URL((await signInOn(browser, shown, 'ada', 'seven quiet otters sing')).url).pathname, '/account/agents');
  await on.close();
});
