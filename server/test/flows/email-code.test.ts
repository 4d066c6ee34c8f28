/**
 * Signing in with a code or a link from a mail: who gets one, where it counts, how often one may guess, and what nobody can learn from the answers.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Browser, Page } from '../browser.ts';
import { form, issuer } from '../harness.ts';
import { answerOf, stage } from './authorize-stage.ts';
import { anotherCode, codeIn, linkIn, type MailStage, mailStage } from './mail-stage.ts';
import { isSecondStep, setUpApp } from './second-step-stage.ts';

const sessionCookie = '__Host-aa_session';

/** Presses "E-mail me a code" on a sign-in page. */
async function ask(browser: Browser, page: Page, username: string, address?: string): Promise<Page> {
  const action = /formaction="([^"]*)"/.exec(page.html)?.[1] ?? '';
  const forms = page.forms.map((one) => ({ ...one, action }));
  return browser.submit({ ...page, forms }, { username, ...(address === undefined ? {} : { address }) });
}
const asked = async (on: MailStage, username = 'ada@example.com', browser = on.browser()) => ({
  browser,
  page: await ask(browser, await browser.open('/login'), username),
});
const signedIn = async (browser: Browser) => (await browser.open('/account/agents')).url.endsWith('/account/agents');
const fieldOf = (page: Page, name: string) => page.forms[0]?.fields.find((field) => field.name === name)?.value;

describe('signing in with a code from a mail', () => {
  let on: MailStage;
  before(async () => {
    on = await mailStage();
  });
  after(() => on.close());
  // Each test may ask for as much mail as it wants.
  beforeEach(() => on.clock.advance(3600));

  test('[LINK-01] the code signs its person in, in the browser that asked, and says how', async () => {
    const { browser, page } = await asked(on, ' ADA@example.com ');
    assert.equal(new URL(page.url).pathname, '/code');
    const mail = await on.mailTo('ada@example.com');
    assert.match(mail.subject, /^\d{4} \d{4} is your code for Auth-Agent$/);

    const done = await browser.submit(page, { code: codeIn(mail) });

    assert.equal(new URL(done.url).pathname, '/account/agents');
    const sessions = await on.store.listSessions(on.user.id, on.clock.now());
    assert.deepEqual(sessions[0]?.amr, ['otp']);
    assert.doesNotMatch(browser.setCookies.find((line) => line.startsWith(sessionCookie)) ?? '', /Max-Age/);
  });

  test('[LOG-04] the request that waits goes on after the code, and the tick for staying signed in with it', async () => {
    const browser = on.browser();
    const begun = await browser.open(on.url());
    const page = await ask(
      browser,
      {
        ...begun,
        forms: begun.forms.map((one) => ({ ...one, fields: one.fields.map((field) => (field.name === 'keep' ? { ...field, ticked: true } : field)) })),
      },
      'ada',
    );

    const consent = await browser.submit(page, { code: codeIn(await on.mailTo('ada@example.com')) });

    assert.equal(new URL(consent.url).pathname, '/authorize/consent');
    assert.match(browser.setCookies.findLast((line) => line.startsWith(sessionCookie)) ?? '', /Max-Age=/);
    const back = await browser.submit(consent, {}, 'allow');
    assert.match(answerOf(back.refresh).code ?? '', /^ac_/);
  });

  test('[LINK-02] the link fills the code in where it was asked for; opening it changes nothing', async () => {
    const { browser } = await asked(on);
    const link = linkIn(await on.mailTo('ada@example.com'));
    assert.match(link, /^https:\/\/auth\.example\.com\/code\/link\?token=ol_[A-Za-z0-9_-]{43}$/);

    const opened = await browser.open(link);
    for (let again = 0; again < 8; again++) await browser.open(link);
    assert.equal(await signedIn(browser), false);
    assert.match(opened.html, /data-auto/);
    await browser.submit(opened);

    assert.equal(await signedIn(browser), true);
    const used = await browser.open(link);
    assert.deepEqual([used.status, /<code>request_expired<\/code>/.test(used.html)], [400, true]);
  });

  test('[LINK-02] in another browser the link only shows the code: neither a scanner nor a stranger’s link signs anybody in', async () => {
    const attacker = await asked(on);
    const mail = await on.mailTo('ada@example.com');
    const victim = on.browser();
    await victim.open('/login');

    const seen = await victim.open(linkIn(mail));

    assert.equal(seen.status, 200);
    assert.ok(seen.html.includes(codeIn(mail)));
    assert.deepEqual(
      seen.forms.map(({ action }) => action),
      ['/language'],
    );
    assert.equal(await signedIn(victim), false);
    const flow = fieldOf(attacker.page, 'flow') ?? '';
    const stolen = await victim.open(`/code?flow=${flow}`);
    assert.equal(stolen.status, 400);
    const behind = await victim.open(`/code?flow=${flow}&to=security`);
    assert.match(behind.html, /<a class="button quiet" href="\/login\?to=security">/);
    const csrf = fieldOf(attacker.page, 'csrf') ?? '';
    const cookie = [...victim.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const posted = await on.request('/code', form({ flow, csrf, code: codeIn(mail) }, { Cookie: cookie }));
    assert.equal(posted.status, 403);
    assert.equal(await signedIn(attacker.browser), false);
  });

  test('[LINK-01] after five wrong codes the right one is dead, and each wrong one is on record', async () => {
    const { browser, page } = await asked(on);
    const code = codeIn(await on.mailTo('ada@example.com'));
    const before = (await on.store.listEvents({ type: 'user.sign_in_failed', limit: 100 })).length;

    for (let guess = 1; guess <= 5; guess++) {
      const wrong = await browser.submit(page, { code: anotherCode(code, guess) });
      assert.equal(wrong.status, 400);
      assert.match(wrong.html, /That is not the code/);
      assert.doesNotMatch(wrong.html, new RegExp(anotherCode(code, guess)));
    }
    for (const entered of [code, anotherCode(code)]) assert.match((await browser.submit(page, { code: entered })).html, /no longer works/);

    assert.equal(await signedIn(browser), false);
    assert.equal((await on.store.listEvents({ type: 'user.sign_in_failed', limit: 100 })).length, before + 5);
  });

  test('[LINK-01] what is no code does not count as a try', async () => {
    const { browser, page } = await asked(on);
    const code = codeIn(await on.mailTo('ada@example.com'));

    for (const typed of ['', '1234567', 'abcdefgh', '123456789', ' '])
      assert.match((await browser.submit(page, { code: typed })).html, /Enter the eight digits/);
    for (let guess = 1; guess < 5; guess++) await browser.submit(page, { code: anotherCode(code, guess) });
    await browser.submit(page, { code: code.replace(' ', '-') });

    assert.equal(await signedIn(browser), true);
  });

  test('[LINK-01] of many guesses at once five are looked at, on however many nodes', async () => {
    const { browser, page } = await asked(on);
    const code = codeIn(await on.mailTo('ada@example.com'));
    const guesses = await Promise.all(Array.from({ length: 20 }, (_, index) => browser.submit(page, { code: anotherCode(code, index + 1) })));

    assert.equal(guesses.filter(({ html }) => html.includes('That is not the code')).length, 5);
    await browser.submit(page, { code });
    assert.equal(await signedIn(browser), false);
  });

  test('[LINK-01] a code works once and for ten minutes', async () => {
    const first = await asked(on);
    const code = codeIn(await on.mailTo('ada@example.com'));
    const results = await Promise.all([first.browser.submit(first.page, { code }), first.browser.submit(first.page, { code })]);
    assert.equal(results.filter(({ url }) => url.endsWith('/account/agents')).length, 1);

    const late = await asked(on);
    const lateCode = codeIn(await on.mailTo('ada@example.com'));
    on.clock.advance(600);
    const refused = await late.browser.submit(late.page, { code: lateCode });
    assert.deepEqual([refused.status, await signedIn(late.browser)], [400, false]);
    assert.match(refused.html, /older than 10 minutes/);
  });

  test('[LINK-01] a code of one request opens no other, and a new password or a disabled account ends it', async () => {
    const one = await asked(on);
    const oneCode = codeIn(await on.mailTo('ada@example.com'));
    const two = await asked(on);
    await two.browser.submit(two.page, { code: oneCode });
    assert.equal(await signedIn(two.browser), false);

    await on.store.setUserDisabled(on.user.id, true, event('user.disabled', on));
    assert.equal((await one.browser.submit(one.page, { code: oneCode })).status, 400);
    await on.store.setUserDisabled(on.user.id, false, event('user.enabled', on));
    await on.store.changePassword(on.user.id, 'hash', event('user.password_changed', on));
    assert.equal((await one.browser.submit(one.page, { code: oneCode })).status, 400);
    assert.equal(await signedIn(one.browser), false);
  });

  test('[LOG-01] signing in by code ends the session that was planted', async () => {
    const { browser, page } = await asked(on);
    const planted = 'A'.repeat(43);
    browser.cookies.set(sessionCookie, planted);
    await browser.submit(page, { code: codeIn(await on.mailTo('ada@example.com')) });

    assert.notEqual(browser.cookies.get(sessionCookie), planted);
  });

  test('[LINK-01] who has a second step is asked for it after the code, and is signed in by both', async () => {
    const tess = await on.addUser({ username: 'tess' });
    await setUpApp(on, tess.id);
    const { browser, page } = await asked(on, 'tess');

    const second = await browser.submit(page, { code: codeIn(await on.mailTo('tess@example.com')) });

    assert.equal(isSecondStep(second), true);
    assert.equal(await signedIn(browser), false);
  });

  test('[LOG-02] asking for a code and entering it need forms of this browser', async () => {
    const { browser, page } = await asked(on);
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const flow = fieldOf(page, 'flow') ?? '';
    const csrf = fieldOf(page, 'csrf') ?? '';
    const before = (await on.mails()).length;
    const refused: [string, string, RequestInit][] = [
      ['no token', '/login/code', form({ username: 'ada' }, { Cookie: cookie })],
      ['token of another form', '/login/code', form({ username: 'ada', csrf }, { Cookie: cookie })],
      ['no cookie', '/code', form({ flow, csrf, code: '1234 5678' })],
      ['token of another flow', '/code', form({ flow: 'lnk_another', csrf, code: '1234 5678' }, { Cookie: cookie })],
      ['another site', '/code', form({ flow, csrf, code: '1234 5678' }, { Cookie: cookie, 'Sec-Fetch-Site': 'cross-site' })],
    ];

    for (const [name, path, init] of refused) assert.equal((await on.request(path, init)).status, 403, name);
    assert.equal((await on.mails()).length, before);
  });

  test('[LOG-10] nothing secret reaches the log, the database or the address bar', async () => {
    const { browser, page } = await asked(on);
    const mail = await on.mailTo('ada@example.com');
    const code = codeIn(mail);
    const token = new URL(linkIn(mail)).searchParams.get('token') ?? '';
    await browser.submit(page, { code });
    const events = JSON.stringify(await on.store.listEvents({ limit: 1000 }));

    for (const secret of [code, code.replace(' ', ''), token]) {
      assert.ok(!on.logged.some((line) => line.includes(secret)));
      assert.ok(!events.includes(secret));
      assert.ok(!page.url.includes(secret));
    }
  });
});

const event = (type: 'user.disabled' | 'user.enabled' | 'user.password_changed', on: MailStage) => ({
  id: `evt_${Math.random()}`,
  at: on.clock.now(),
  type,
  actor: 'cli',
});

describe('who has an account', () => {
  let on: MailStage;
  before(async () => {
    on = await mailStage();
    await on.addUser({ username: 'silent', email: undefined });
    const gone = await on.addUser({ username: 'gone' });
    await on.store.setUserDisabled(gone.id, true, event('user.disabled', on));
  });
  after(() => on.close());

  test('[LINK-03] cannot be told by status, headers, text or tries, nor by the work that is done', async () => {
    const seen = new Set<string>();
    const work = new Set<string>();
    for (const username of ['ada', 'silent', 'gone', 'nobody']) {
      const counted = counting(on);
      const { browser, page } = await asked(on, username);
      work.add(counted.done().join(' '));
      const pages = [page];
      for (let guess = 0; guess < 6; guess++) pages.push(await browser.submit(page, { code: '0000 0000' }));
      const named = pages.map(({ status, headers, html }) => [status, [...headers].map(([name]) => name).join(), without(html)]);
      seen.add(JSON.stringify(named));
    }

    assert.equal(seen.size, 1);
    assert.equal(work.size, 1, [...work].join('\n'));
    assert.deepEqual(
      (await on.mails()).map(({ to }) => to),
      ['ada@example.com'],
    );
  });

  test('[LINK-03] [LINK-06] cannot be told by when the limit comes: ten an hour for a name from an address, whether it exists or not', async () => {
    on.clock.advance(7200);
    const sentBefore = (await on.mails()).filter(({ to }) => to === 'ada@example.com').length;
    for (const username of ['ada', 'nobody']) {
      const answers = await askTimes(12, username, () => '198.51.100.1');
      assert.deepEqual(
        answers.map(({ status }) => status),
        [...Array(10).fill(303), 429, 429],
        username,
      );
      for (const { headers } of answers.slice(10)) assert.match(headers.get('retry-after') ?? '', /^\d+$/);
    }
    // The address of the same account is another name to whoever asks, and yet no more mail.
    assert.equal((await askTimes(1, 'ada@example.com', () => '198.51.100.1'))[0]?.status, 303);
    assert.equal((await on.mails()).filter(({ to }) => to === 'ada@example.com').length - sentBefore, 10);
  });

  test('[LINK-06] [RATE-05] strangers elsewhere keep nobody from their codes, and fill no mailbox', async () => {
    on.clock.advance(7200);
    const { browser, page: code } = await asked(on);
    await browser.submit(code, { code: codeIn(await on.mailTo('ada@example.com')) });
    assert.ok(await signedIn(browser));
    on.clock.advance(3600);
    const sent = async () => (await on.mails()).filter(({ to }) => to === 'ada@example.com').length;
    const before = await sent();

    for (const username of ['ada', 'nobody']) {
      const answers = await askTimes(40, username, (turn) => `203.0.${turn}.7`);
      assert.ok(
        answers.every(({ status }) => status === 303),
        username,
      );
    }
    assert.equal((await sent()) - before, 30);
    const { page } = await asked(on);

    assert.equal((await sent()) - before, 31);
    assert.equal(new URL(page.url).pathname, '/code');
  });

  async function askTimes(times: number, username: string, addressOf: (turn: number) => string): Promise<Response[]> {
    const answers: Response[] = [];
    for (let turn = 0; turn < times; turn++) {
      const browser = on.browser();
      const page = await browser.open('/login');
      const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const sent = form({ username, csrf: fieldOf(page, 'csrf') ?? '' }, { Cookie });
      answers.push(await on.request('/login/code', { ...sent, address: addressOf(turn) }));
    }
    return answers;
  }

  test('[LINK-06] one address may ask for a hundred mails an hour', async () => {
    on.clock.advance(7200);
    const statuses: number[] = [];
    for (let mail = 0; mail < 102; mail++) statuses.push((await asked(on, `somebody${mail}`)).page.status);

    assert.deepEqual(statuses, [...Array(100).fill(200), 429, 429]);
  });
});

/** The page without what differs from request to request. */
function without(html: string): string {
  return html.replaceAll(/(value|id)="[A-Za-z0-9_.+=/-]{12,}"/g, '').replaceAll(/req_\w+/g, '');
}

/** Counts what reaches the database from here on. */
function counting(on: MailStage): { done(): string[] } {
  const { driver } = on.server.options;
  const calls: string[] = [];
  const { read, write } = driver;
  driver.read = (statement) => {
    calls.push(statement.text.slice(0, 40));
    return read(statement);
  };
  driver.write = (statements) => {
    calls.push(...statements.map(({ text }) => text.slice(0, 40)));
    return write(statements);
  };
  return {
    done() {
      Object.assign(driver, { read, write });
      return calls;
    },
  };
}

describe('codes that are switched off', () => {
  test('[META-15] without mail, or when the operator does not want them, there is no button and no address', async () => {
    const off = [await stage(), await mailStage({ emailCode: false, signUp: 'closed' })];
    for (const on of off) {
      const browser = on.browser();
      const page = await browser.open('/login');
      assert.doesNotMatch(page.html, /formaction|\/signup/);
      const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await on.request('/login/code', form({ username: 'ada', csrf: fieldOf(page, 'csrf') ?? '' }, { Cookie: cookie, Accept: 'text/html' }));
      assert.equal(response.status, 404);
      for (const path of ['/signup', '/signup/account?flow=x', '/invite?token=x']) assert.equal((await on.request(path)).status, 404, path);
      await on.close();
    }
    await assert.rejects(stage({ signIn: { emailCode: true } }), /"signIn.emailCode" needs mail/);
    const open = await stage({ signIn: { signUp: 'open' } });
    assert.equal((await open.request('/signup')).status, 404);
    await open.close();
  });
});

describe('whatever is sent to these pages', () => {
  let on: MailStage;
  before(async () => {
    on = await mailStage();
  });
  after(() => on.close());

  test('[LINK-02] nobody is signed in and nothing breaks', async () => {
    const word = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', 'ol_', 'lnk_x', 'ada', '00000000', '__proto__', '٠١٢٣٤٥٦٧'));
    const paths = fc.constantFrom('/code', '/code/link', '/login/code', '/signup', '/signup/account', '/invite', '/reset', '/reset/sent', '/reset/done');
    const names = fc.constantFrom('flow', 'token', 'code', 'username', 'email', 'password', 'name', 'tx', 'to', 'user_code', 'keep', 'csrf');
    await fc.assert(
      fc.asyncProperty(paths, fc.array(fc.tuple(names, word), { maxLength: 6 }), fc.boolean(), async (path, fields, post) => {
        const text = new URLSearchParams(fields).toString();
        const response = post ? await on.request(path, form(Object.fromEntries(fields))) : await on.request(`${path}?${text}`);
        assert.ok(response.status < 500, `${path} ${response.status}`);
        assert.ok(!response.headers.getSetCookie().some((line) => line.startsWith(sessionCookie)));
        const location = response.headers.get('location');
        assert.ok(location === null || location.startsWith('/'), String(location));
      }),
      { numRuns: 300 },
    );
    const browser = on.browser();
    const { page } = await asked(on, 'ada', browser);
    await fc.assert(
      fc.asyncProperty(word, async (code) => {
        const answer = await browser.submit(page, { code });
        assert.equal(answer.status, 400);
      }),
      { numRuns: 60 },
    );
    assert.equal(await signedIn(browser), false);
    assert.equal(new URL(page.url).origin, issuer);
  });
});
