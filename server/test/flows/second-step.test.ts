/**
 * The second step of a sign-in: what it lets through, and every way around it.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { auditEvent } from '../../src/audit/event.ts';
import { hashPassword } from '../../src/crypto/password.ts';
import { StorageUnavailable } from '../../src/storage/driver.ts';
import { testDatabase } from '../database.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, loopback, password, signInOn } from './authorize-stage.ts';
import { enter, isSecondStep, type SecondStepStage, secondStepStage, setUpApp } from './second-step-stage.ts';

const cookies = { session: '__Host-aa_session', pending: '__Host-aa_pending', browser: '__Host-aa_browser' };

describe('the second step of a sign-in', () => {
  let on: SecondStepStage;
  before(async () => {
    on = await secondStepStage();
  });
  after(() => on.close());
  // Each story begins at steps nobody has used, with nothing counted.
  beforeEach(async () => {
    on.clock.advance(90_000);
  });

  async function afterPassword(browser = on.browser(), path = '/login') {
    return { browser, page: await signInOn(browser, await browser.open(path)) };
  }

  test('[LOG-22] a password alone signs nobody in who has a second step', async () => {
    const { browser, page } = await afterPassword();

    assert.ok(isSecondStep(page));
    assert.equal(browser.cookies.has(cookies.session), false);
    for (const path of ['/account', '/account/agents', '/account/security', '/account/security/two-step', '/account/security/password', '/device']) {
      assert.match((await browser.open(path)).url, /\/login/, path);
    }
    assert.match((await browser.open(on.url())).title, /^Sign in/);
    assert.equal(answerOf((await browser.open(on.url({ prompt: 'none' }))).url).error, 'login_required');
    assert.equal((await on.store.listSessions(on.user.id, on.clock.now())).length, 0);
  });

  test('with the code of the app they are in, at the place they wanted, and tokens say so', async () => {
    const { browser, page } = await afterPassword(on.browser(), on.url({ scope: 'openid files:read' }));
    assert.match(page.url, /\/login\/second\?tx=/);

    const consent = await enter(browser, page, on.code());

    assert.match(consent.url, /\/authorize\/consent\?tx=/);
    assert.equal(browser.cookies.has(cookies.pending), false);
    const { code = '' } = answerOf((await browser.submit(consent, {}, 'allow')).refresh);
    const response = await on.request(
      '/token',
      form({ client_id: 'client_known', grant_type: 'authorization_code', code, code_verifier: pkce.verifier, redirect_uri: loopback }),
    );
    const { id_token } = (await response.json()) as { id_token: string };
    const { acr, amr } = decodeJwt(id_token);
    assert.deepEqual({ acr, amr }, { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] });
  });

  test('[LOG-11] a code counts once, whoever brings it second, and so does every code before it', async () => {
    const code = on.code();
    const [first, second] = [await afterPassword(), await afterPassword()];
    assert.equal(new URL((await enter(first.browser, first.page, code)).url).pathname, '/account/agents');

    const again = await enter(second.browser, second.page, code);
    assert.equal(again.status, 400);
    assert.match(again.html, /That code is not right/);
    assert.equal((await enter(second.browser, again, on.code(-1))).status, 400);
    assert.equal(second.browser.cookies.has(cookies.session), false);
    assert.equal(new URL((await enter(second.browser, again, on.code(1))).url).pathname, '/account/agents');
  });

  test('[LOG-11] of one code sent twice at once a single one counts', async () => {
    const tries = await Promise.all([afterPassword(), afterPassword(), afterPassword()]);
    const code = on.code();

    const pages = await Promise.all(tries.map(({ browser, page }) => enter(browser, page, code)));

    assert.deepEqual(pages.map(({ status }) => status).sort(), [200, 400, 400]);
  });

  test('a clock that is one step off is forgiven, two are not', async () => {
    for (const [steps, status] of [
      [-2, 400],
      [2, 400],
      [-1, 200],
      [1, 200],
    ] as const) {
      const { browser, page } = await afterPassword();
      assert.equal((await enter(browser, page, on.code(steps))).status, status, String(steps));
      on.clock.advance(86_400);
    }
  });

  test('[LOG-11] three wrong codes are free, then waits grow, from whatever address, and the right one has to wait as well', async () => {
    const { browser, page } = await afterPassword();
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const csrf = page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const guess = async (code: string, address: string) => {
      const response = await on.request('/login/second', { ...form({ csrf, code }, { Cookie: cookie }), address });
      return [response.status, Number(response.headers.get('retry-after') ?? 0)];
    };
    const answers: number[][] = [];
    for (let tried = 0; tried < 3; tried++) answers.push(await guess('000000', `192.0.2.${tried}`));
    answers.push(await guess('000000', '198.51.100.1'), await guess(on.code(), '198.51.100.2'));

    assert.deepEqual(answers, [
      [400, 0],
      [400, 0],
      [400, 0],
      [429, 1],
      [429, 1],
    ]);
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      const [, wait = 0] = await guess('000000', '203.0.113.9');
      waits.push(wait);
      on.clock.advance(wait);
      await guess('000000', '203.0.113.9');
    }
    assert.deepEqual(waits, [1, 2, 4, 8]);
    assert.equal((await on.store.listSessions(on.user.id, on.clock.now())).length, 0);
  });

  test('[LOG-11] one address cannot try codes on every account', async () => {
    let status = 0;
    let tries = 0;
    const people = await Promise.all(Array.from({ length: 40 }, (_, index) => on.addUser({ username: `person${index}`, password: undefined })));
    for (const { id } of people) await setUpApp(on, id);
    const { mayTryCode } = await import('../../src/account/second-factor.ts');
    while (status !== 429 && tries < 200) {
      const { id = '' } = people[tries % people.length] ?? {};
      tries++;
      if (!(await mayTryCode(id, '192.0.2.99', on.context)).allowed) status = 429;
    }

    assert.equal(tries, 101);
  });

  test('[LOG-22] what the first step showed is worth nothing in another browser, and nothing after five minutes', async () => {
    const { browser, page } = await afterPassword();
    const thief = on.browser();
    await thief.open('/login');
    thief.cookies.set(cookies.pending, browser.cookies.get(cookies.pending) ?? '');
    assert.match((await thief.open('/login/second')).url, /\/login$/);
    const csrf = page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const stolen = [...thief.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await on.request('/login/second', form({ csrf, code: on.code() }, { Cookie: stolen }));
    assert.deepEqual([response.status, response.headers.get('location')], [303, '/login']);

    on.clock.advance(299);
    assert.ok(isSecondStep(await browser.open('/login/second')));
    on.clock.advance(1);
    const late = await enter(browser, page, on.code());
    assert.equal(new URL(late.url).pathname, '/login');
    assert.equal((await on.store.listSessions(on.user.id, on.clock.now())).length, 0);
  });

  test('[LOG-22] who comes too late begins again with the request kept', async () => {
    const { browser, page } = await afterPassword(on.browser(), on.url());
    on.clock.advance(300);

    const again = await enter(browser, page, on.code());

    assert.match(again.url, /\/login\?tx=tx_/);
    assert.match(again.title, /^Sign in/);
  });

  test('[LOG-02] its form is for one sign-in of one browser, from this site', async () => {
    const first = await afterPassword();
    const other = await afterPassword();
    const csrfOf = ({ page }: typeof first) => page.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const cookie = [...first.browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const send = (csrf: string, headers = {}) => on.request('/login/second', form({ csrf, code: on.code() }, { Cookie: cookie, ...headers }));

    assert.equal((await send(csrfOf(other))).status, 403);
    assert.equal((await send('')).status, 403);
    assert.equal((await send(csrfOf(first), { 'Sec-Fetch-Site': 'cross-site' })).status, 403);
    assert.equal((await send(csrfOf(first), { Origin: 'https://evil.example' })).status, 403);
    assert.equal((await send(csrfOf(first))).status, 303);
  });

  test('[LOG-01] the session is a new one, and the one before it ends', async () => {
    const { browser, page } = await afterPassword();
    browser.cookies.set(cookies.session, 'x'.repeat(43));
    await enter(browser, page, on.code());
    const first = browser.cookies.get(cookies.session);
    assert.notEqual(first, 'x'.repeat(43));
    on.clock.advance(90);
    const again = await signInOn(browser, await browser.open('/login?switch=1'));
    await enter(browser, again, on.code());

    assert.notEqual(browser.cookies.get(cookies.session), first);
    assert.equal((await on.store.listSessions(on.user.id, on.clock.now())).length, 1);
  });

  test('confirming who one is asks for both steps', async () => {
    const { browser, page } = await afterPassword();
    await enter(browser, page, on.code());
    on.clock.advance(301);
    const confirm = await browser.open(on.url({ scope: 'files:delete' }));
    assert.match(confirm.title, /^Confirm it's you/);
    const second = await signInOn(browser, confirm);

    assert.ok(isSecondStep(second));
    assert.match((await browser.open(on.url({ scope: 'files:delete' }))).title, /^Confirm it's you/);
    assert.match((await enter(browser, await browser.open(second.url), on.code())).url, /\/authorize\/consent/);
  });

  test('[LOG-11] a recovery code works once, in any spelling, and the page says how many are left', async () => {
    const [code = '', other = ''] = on.recoveryCodes;
    assert.match(code, /^[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}$/);
    const { browser, page } = await afterPassword();
    const used = await enter(browser, page, ` ${code.toLowerCase().replaceAll('-', ' ')} `);

    assert.match(used.html, /You have 9 recovery codes left/);
    assert.equal(browser.cookies.has(cookies.session), true);
    assert.equal(new URL((await browser.open('/account/agents')).url).pathname, '/account/agents');
    const second = await afterPassword();
    assert.equal((await enter(second.browser, second.page, code)).status, 400);
    assert.equal((await enter(second.browser, second.page, other)).status, 200);
    const events = await on.store.listEvents({ userId: on.user.id, type: 'recovery_code.used', limit: 9 });
    assert.equal(events.length, 2);
    assert.ok(!JSON.stringify(events).includes(code));
  });

  test('somebody else’s codes are wrong, and so is the code of an app that was removed', async () => {
    const bob = await on.addUser({ username: 'bob', password });
    const [theirs = ''] = await setUpApp(on, bob.id);
    const { browser, page } = await afterPassword();
    assert.equal((await enter(browser, page, theirs)).status, 400);
    const asBob = await signInOn(browser, await browser.open('/login'), 'bob');
    assert.ok(isSecondStep(asBob));
    await on.store.removeSecondFactor(bob.id, auditEvent('second_factor.removed', on.clock.now(), 'test'));

    assert.equal((await enter(browser, asBob, on.code())).status, 400);
    assert.equal(new URL((await signInOn(browser, await browser.open('/login'), 'bob')).url).pathname, '/account/agents');
  });

  test('a person who was disabled between the steps does not get in', async () => {
    const carl = await on.addUser({ username: 'carl', password });
    await setUpApp(on, carl.id);
    const browser = on.browser();
    const page = await signInOn(browser, await browser.open('/login'), 'carl');
    await on.store.setUserDisabled(carl.id, true, auditEvent('user.disabled', on.clock.now(), 'test'));

    assert.equal((await enter(browser, page, on.code())).status, 400);
    assert.equal(browser.cookies.has(cookies.session), false);
  });

  test('the cookie between the steps tells nobody anything and is for this host alone', async () => {
    const { browser } = await afterPassword();
    const line = browser.setCookies.findLast((one) => one.startsWith(cookies.pending)) ?? '';

    assert.match(line, /^__Host-aa_pending=[A-Za-z0-9_-]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=300$/);
    assert.ok(
      !Buffer.from(browser.cookies.get(cookies.pending) ?? '', 'base64url')
        .toString('latin1')
        .includes(on.user.id),
    );
  });

  test('secret and codes are not in the database in the clear', async () => {
    const factor = await on.store.findSecondFactor(on.user.id);

    assert.ok(factor && !Buffer.from(factor.secretSealed, 'base64url').toString('latin1').includes('12345678901234567890'));
    assert.ok(!on.logged.join('').includes('1234567890123456789'));
  });

  test('whatever is typed, nobody gets in with it and nothing breaks', async () => {
    const typed = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.stringMatching(/^\d{6}$/), fc.stringMatching(/^[0-9A-Z]{16}$/));
    const { browser, page } = await afterPassword();
    await fc.assert(
      fc.asyncProperty(typed, async (code) => {
        await on.store.forgiveAttempts(`second step ${on.user.id}`);
        if ([on.code(-1), on.code(), on.code(1)].includes(code.normalize('NFKC').replaceAll(/[\s-]/g, ''))) return;
        assert.equal((await enter(browser, page, code)).status, 400);
        assert.equal(browser.cookies.has(cookies.session), false);
      }),
    );
  });
});

test('a cookie that nobody made is no sign-in: any value, 303 to the first step', async () => {
  const on = await secondStepStage();
  try {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[A-Za-z0-9_-]{0,300}$/), async (value) => {
        const Cookie = `${cookies.browser}=${'b'.repeat(43)}; ${cookies.pending}=${value}`;
        for (const init of [{ headers: { Cookie } }, form({ csrf: 'x', code: '123456' }, { Cookie })]) {
          const response = await on.request('/login/second', init);
          assert.deepEqual([response.status, response.headers.get('location')], [303, '/login']);
        }
      }),
      { numRuns: 40 },
    );
    assert.ok(issuer);
  } finally {
    await on.close();
  }
});

test('[OPS-02] a right code that the database cannot take is no wrong one: it is tried again, and counts', async () => {
  const { driver } = await testDatabase();
  let away = true;
  const write: typeof driver.write = (statements, haste) =>
    away && statements.some(({ text }) => text.startsWith('update second_factors'))
      ? Promise.reject(new StorageUnavailable('away'))
      : driver.write(statements, haste);
  const on = await secondStepStage({ driver: { ...driver, write } });
  try {
    const browser = on.browser();
    const page = await signInOn(browser, await browser.open('/login'));

    assert.equal((await enter(browser, page, on.code())).status, 503);
    away = false;
    await enter(browser, page, on.code());
    assert.ok(browser.cookies.has(cookies.session));
  } finally {
    await on.close();
  }
});

test('[LOG-22] a first step with a password that was changed since is none any more, and no code is used up; the new one works in the same second', async () => {
  const on = await secondStepStage();
  try {
    const [app, recovery] = [on.browser(), on.browser()];
    const pages = [await signInOn(app, await app.open('/login')), await signInOn(recovery, await recovery.open('/login'))] as const;
    assert.ok(pages.every(isSecondStep));
    const change = { userId: on.user.id, passwordHash: await hashPassword('seven quiet otters sing') };
    await on.store.setPassword(change, auditEvent('user.password_changed', on.clock.now(), 'test'));

    for (const shown of [await enter(app, pages[0], on.code()), await enter(recovery, pages[1], on.recoveryCodes[0] ?? '')])
      assert.deepEqual([new URL(shown.url).pathname, shown.title.split(' ')[0]], ['/login', 'Sign']);
    assert.equal((await on.store.listSessions(on.user.id, on.clock.now())).length, 0);
    assert.equal((await on.store.findSecondFactor(on.user.id))?.recoveryCodesLeft, on.recoveryCodes.length);
    const again = await signInOn(app, await app.open('/login'), 'ada', 'seven quiet otters sing');
    assert.equal(new URL((await enter(app, again, on.code())).url).pathname, '/account/agents');
  } finally {
    await on.close();
  }
});
