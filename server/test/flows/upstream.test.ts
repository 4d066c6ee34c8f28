/**
 * Signing in at an issuer elsewhere: who is linked, who is new, what is linked by whom, and what becomes of the request that waits meanwhile.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ServerOptions } from '../../src/options.ts';
import { start } from '../harness.ts';
import { answerOf, signInOn } from './authorize-stage.ts';
import { type Stage, stage } from './upstream-stage.ts';

const sessionCookie = '__Host-aa_session';
const pathOf = (url: string) => new URL(url).pathname;

async function begin(t: TestContext, overrides: Partial<ServerOptions> = {}): Promise<Stage> {
  const on = await stage(overrides);
  t.after(() => on.close());
  return on;
}
const open = { signIn: { signUp: 'open' as const } };

describe('somebody who is linked', () => {
  test('[LOG-07] signs in there, and the request of the agent goes on here with a question of ours', async (t) => {
    const on = await begin(t);
    await on.linked();
    const browser = on.browser();
    const there = await on.leave(browser, await browser.open(on.url()));

    const consent = await browser.open(on.acme.agree(there));
    const back = await browser.submit(consent, {}, 'allow');

    assert.match(consent.title, /^Allow Claude Code\?/);
    assert.ok(answerOf(back.refresh).code);
  });

  test('[LOG-07] [CON-04] state, nonce and an S256 challenge go there; the answer comes to an address of this upstream alone', async (t) => {
    const on = await begin(t);
    const browser = on.browser();
    const sent = new URL(await on.leave(browser, await browser.open('/login'))).searchParams;

    assert.deepEqual(Object.fromEntries([...sent].filter(([name]) => !/state|nonce|challenge$/.test(name))), {
      client_id: 'auth-agent',
      response_type: 'code',
      redirect_uri: 'https://auth.example.com/login/upstream/acme/callback',
      scope: 'openid profile email',
      code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) assert.match(sent.get(name) ?? '', /^[A-Za-z0-9_-]{43}$/);
  });

  test('[LOG-07] consent is asked of everybody who comes back, also when the upstream asked nothing', async (t) => {
    const on = await begin(t);
    await on.linked();
    const browser = on.browser();
    for (const scope of ['files:read', 'files:read files:write']) {
      const page = await browser.open(
        on.acme.agree(
          await on.leave(
            browser,
            await on
              .browser()
              .open('/login')
              .then(() => browser.open(on.url({ scope }))),
          ),
        ),
      );
      assert.match(page.title, /^(Allow|Claude Code asks)/);
      browser.cookies.delete(sessionCookie);
    }
  });

  test('what the upstream says of the sign-in is what our tokens say; what nobody registered is not', async (t) => {
    for (const [told, amr, age] of [
      [{ amr: ['pwd', 'otp', 'mfa', 'unheard-of', 7, 'pwd'], auth_time: start - 50 }, ['fed', 'pwd', 'otp', 'mfa'], 50],
      [{ amr: 'pwd' }, ['fed'], 0],
      [{ auth_time: start + 20 }, ['fed'], 0],
    ] as const) {
      const on = await begin(t);
      await on.linked();
      on.acme.claims = told;
      await on.through(on.browser());
      const [session] = await on.store.listSessions(on.user.id, on.clock.now());

      assert.deepEqual([session?.amr, session?.authTime], [amr, start - age]);
    }
  });

  test('a device that waits goes on, too', async (t) => {
    const on = await begin(t);
    await on.linked();
    const page = await on.through(on.browser(), '/login?to=device&user_code=WDJB-MJHT');

    assert.equal(pathOf(page.url), '/device');
  });

  test('who was switched off here is not signed in, and is told so', async (t) => {
    const on = await begin(t);
    await on.linked();
    const { auditEvent } = await import('../../src/audit/event.ts');
    await on.store.setUserDisabled(on.user.id, true, auditEvent('user.disabled', on.clock.now(), 'test'));
    const browser = on.browser();
    const page = await on.through(browser);

    assert.deepEqual([page.status, browser.cookies.has(sessionCookie)], [400, false]);
    assert.match(page.title, /switched off/);
  });

  test('somebody who is linked to several upstreams has one account; the subject of one is nobody at the other', async (t) => {
    const on = await begin(t);
    const { upstreamProvider } = await import('../upstream-provider.ts');
    const hub = upstreamProvider('https://hub.example', on.clock.now);
    await on.list('hub', hub);
    await on.linked();
    const browser = on.browser();
    const page = await browser.open(hub.agree(await on.leave(browser, await browser.open('/login'), 'hub')));

    assert.match(page.title, /^No account here yet/);
    assert.equal(browser.cookies.has(sessionCookie), false);
  });
});

describe('a fresh sign-in', () => {
  test('prompt=login and max_age are passed on, and an answer that does not prove it signs nobody in', async (t) => {
    const on = await begin(t);
    await on.linked();
    for (const [asked, sent, old] of [
      [{ prompt: 'login' }, { prompt: 'login', max_age: '0' }, 60],
      [{ max_age: '300' }, { max_age: '300' }, 400],
    ] as const) {
      const browser = on.browser();
      const there = await on.leave(browser, await browser.open(on.url(asked)));
      const parameters = new URL(there).searchParams;
      assert.deepEqual(Object.fromEntries(Object.keys(sent).map((name) => [name, parameters.get(name)])), sent);
      assert.equal(parameters.has('prompt'), 'prompt' in sent);
      for (const auth_time of [undefined, on.clock.now() - old]) {
        on.acme.claims = { auth_time };
        const again = await on.leave(browser, await browser.open(on.url(asked)));
        const page = await browser.open(on.acme.agree(again));
        assert.match(page.title, /did not ask you again/);
        assert.equal(browser.cookies.has(sessionCookie), false);
      }
      on.acme.claims = { auth_time: on.clock.now() };
      assert.match((await browser.open(on.acme.agree(there))).title, /^Allow Claude Code\?/);
    }
  });

  test('an upstream that cannot ask again is not offered where a fresh sign-in is demanded', async (t) => {
    const on = await begin(t);
    const { upstreamProvider } = await import('../upstream-provider.ts');
    await on.list('google', upstreamProvider('https://accounts.google.com', on.clock.now), { recipe: 'google' });

    assert.match((await on.browser().open(on.url())).html, /Continue with <bdi>Google/);
    const page = await on.browser().open(on.url({ prompt: 'login' }));
    assert.doesNotMatch(page.html, /Google/);
    assert.match(page.html, /Continue with <bdi>Acme/);
  });

  test('who is signed in confirms it there, as the same person only', async (t) => {
    const on = await begin(t);
    const browser = await on.signedIn();
    assert.doesNotMatch((await browser.open(on.url({ prompt: 'login' }))).html, /Confirm with/);
    await on.linked();
    on.clock.advance(100);
    const page = await browser.open(on.url({ prompt: 'login' }));
    const there = await on.leave(browser, page);
    const again = await on.leave(browser, page);

    on.acme.claims = { auth_time: on.clock.now(), sub: 'somebody else' };
    assert.match((await browser.open(on.acme.agree(there))).title, /another account/);
    on.acme.claims = { auth_time: on.clock.now() };
    assert.match((await browser.open(on.acme.agree(again))).title, /^Allow Claude Code\?/);
  });
});

describe('somebody new', () => {
  test('[LOG-07] makes an account where sign-up is open, by pressing a button that says what it will hold', async (t) => {
    const on = await begin(t, open);
    const browser = on.browser();
    const page = await on.through(browser, on.url());
    assert.match(page.title, /^No account here yet/);
    assert.match(page.html, /Grace Hopper[\s\S]*grace@hopper\.example/);
    assert.equal(browser.cookies.has(sessionCookie), false);

    const consent = await browser.submit(page, { arrival: page.forms[0]?.fields.find(({ name }) => name === 'arrival')?.value ?? '' });
    const found = await on.store.findUpstreamUser(on.acme.issuer, 'subject-1');

    assert.match(consent.title, /^Allow Claude Code\?/);
    assert.deepEqual([found?.username, found?.name, found?.email, found?.role], ['grace', 'Grace Hopper', 'grace@hopper.example', 'user']);
    assert.equal((await on.store.listEvents({ type: 'upstream.signed_up', limit: 9 })).length, 1);
  });

  test('the next time they are signed in at once', async (t) => {
    const on = await begin(t, open);
    const browser = on.browser();
    await browser.submit(await on.through(browser));
    assert.equal(pathOf((await on.through(on.browser())).url), '/account/agents');
  });

  test('[LOG-07] an address that the upstream did not verify is not kept', async (t) => {
    for (const email_verified of [false, undefined, 'true', 1]) {
      const on = await begin(t, open);
      on.acme.userinfo = { ...on.acme.userinfo, email_verified };
      const browser = on.browser();
      await browser.submit(await on.through(browser));
      assert.equal((await on.store.findUpstreamUser(on.acme.issuer, 'subject-1'))?.email, undefined);
    }
  });

  test('a username that is taken, or cannot be one, gets another', async (t) => {
    const on = await begin(t, open);
    for (const [sub, preferred_username, wanted] of [
      ['a', 'ada', /^ada-\w{4}$/],
      ['b', '…', /^person-\w{4}$/],
      ['c', 'Zoë/../etc', /^Zoë..etc$/],
      ['d', 'mallory@ada.example', /^mallory$/],
    ] as const) {
      on.acme.claims = { sub };
      on.acme.userinfo = { sub, preferred_username };
      const browser = on.browser();
      await browser.submit(await on.through(browser));
      assert.match((await on.store.findUpstreamUser(on.acme.issuer, sub))?.username ?? '', wanted);
    }
  });

  test('closed and by invitation: nobody is made, and the page says whom to ask', async (t) => {
    for (const [signUp, text] of [
      ['closed', /only for people it knows/],
      ['invitation', /by invitation/],
    ] as const) {
      const on = await begin(t, { signIn: { signUp } });
      const browser = on.browser();
      const page = await on.through(browser);
      assert.match(page.html, text);
      assert.ok(!page.forms.some(({ action }) => action.endsWith('/login/first-time')));

      const [, arrival = ''] = /arrival=([\w-]+)/.exec(page.url) ?? [];
      const { formToken } = await import('../../src/account/form-token.ts');
      const { sha256 } = await import('../../src/crypto/hash.ts');
      const id = browser.cookies.get('__Host-aa_browser') ?? '';
      const csrf = formToken({ purpose: 'first-time', subject: [arrival] }, { id, hash: sha256(id), cookies: [] }, on.context);
      const forged = await browser.submit({ ...page, forms: [{ action: '/login/first-time', method: 'post', fields: [], buttons: [] }] });
      assert.equal(forged.status, 403);
      const form = {
        action: '/login/first-time',
        method: 'post',
        fields: Object.entries({ csrf, arrival }).map(([name, value]) => ({ name, value })),
        buttons: [],
      };
      await browser.submit({ ...page, forms: [form] });
      assert.equal((await on.store.listUsers()).length, 1);
    }
  });
});

describe('linking', () => {
  test('[LOG-07] an e-mail address of somebody here links nothing: they sign in to their account and say so', async (t) => {
    for (const overrides of [open, {}]) {
      const on = await begin(t, overrides);
      on.acme.userinfo = { ...on.acme.userinfo, email: on.user.email, preferred_username: 'ada' };
      const browser = on.browser();
      const page = await on.through(browser, on.url());
      if (overrides === open) assert.match(page.title, /^You have an account here/);
      assert.equal(browser.cookies.has(sessionCookie), false);
      assert.equal(await on.store.findUpstreamUser(on.acme.issuer, 'subject-1'), undefined);
      assert.equal((await on.store.listUsers()).length, 1);

      const [, href = ''] = /href="(\/login\?arrival=[\w-]+)"/.exec(page.html) ?? [];
      const question = await signInOn(browser, await browser.open(href));
      assert.equal(pathOf(question.url), '/account/link');
      assert.equal(await on.store.findUpstreamUser(on.acme.issuer, 'subject-1'), undefined);
      const consent = await browser.submit(question, {}, 'link');

      assert.match(consent.title, /^Allow Claude Code\?/);
      assert.equal((await on.store.findUpstreamUser(on.acme.issuer, 'subject-1'))?.id, on.user.id);
      assert.equal((await on.store.listEvents({ type: 'upstream.linked', limit: 9 })).length, 1 + 0);
    }
  });

  test('who says "not now" goes on without a link, and the question is gone', async (t) => {
    const on = await begin(t);
    const browser = on.browser();
    const page = await on.through(browser, on.url());
    const [, href = ''] = /href="(\/login\?arrival=[\w-]+)"/.exec(page.html) ?? [];
    const question = await signInOn(browser, await browser.open(href));
    const consent = await browser.submit(question, {}, 'not-now');

    assert.match(consent.title, /^Allow Claude Code\?/);
    assert.equal(await on.store.findUpstreamUser(on.acme.issuer, 'subject-1'), undefined);
    assert.equal((await browser.submit(question, {}, 'link')).status, 400);
  });

  test('a session that is not of lately confirms itself first', async (t) => {
    const on = await begin(t);
    const browser = await on.signedIn();
    on.clock.advance(3600);
    const page = await on.through(browser, '/login?switch=1');
    const [, href = ''] = /href="(\/login\?arrival=[\w-]+)"/.exec(page.html) ?? [];
    const confirm = await browser.open(href);
    assert.match(confirm.title, /^Confirm it's you/);
    const question = await signInOn(browser, confirm);

    assert.match(question.html, /signed in here as/);
    await browser.submit(question, {}, 'link');
    assert.equal((await on.store.findUpstreamUser(on.acme.issuer, 'subject-1'))?.id, on.user.id);
  });

  test('a subject that is somebody else here stays theirs', async (t) => {
    const on = await begin(t);
    const grace = await on.addUser({ username: 'grace' });
    const browser = on.browser();
    const page = await on.through(browser);
    const [, href = ''] = /href="(\/login\?arrival=[\w-]+)"/.exec(page.html) ?? [];
    const question = await signInOn(browser, await browser.open(href));
    await on.linked(grace.id);
    const after = await browser.submit(question, {}, 'link');

    assert.deepEqual([after.status, (await on.store.findUpstreamUser(on.acme.issuer, 'subject-1'))?.id], [400, grace.id]);
  });
});

test('tenants have upstreams of their own: ids, links and secrets do not meet', async (t) => {
  const on = await begin(t);
  await on.server.storage.addTenant({ tenant: 'beta', name: 'Beta', createdAt: on.clock.now() });
  await on.linked();

  assert.doesNotMatch((await on.browser().open('/t/beta/login')).html, /Acme/);
  const browser = on.browser();
  const there = await on.leave(browser, await browser.open('/login'));
  const wrong = on.acme.agree(there).replace('/login/upstream', '/t/beta/login/upstream');
  assert.equal((await browser.open(wrong)).status, 400);
  assert.equal(browser.cookies.has(sessionCookie), false);
});

test('without a fetch for upstreams there is no button and no way there', async (t) => {
  const on = await begin(t, { fetchUpstream: undefined });
  const page = await on.browser().open('/login');

  assert.doesNotMatch(page.html, /Acme|login\/upstream/);
});
