/**
 * The first operator: a link that works once, for a quarter of an hour, and an owner token that is shown once.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { makeSetupLink } from '../../src/account/setup.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { textOf } from '../browser.ts';
import { form, issuer } from '../harness.ts';
import { type Stage, signInOn, stage } from './authorize-stage.ts';

const operator = { username: 'root', email: 'root@example.com', password: 'a long enough password' };

describe('the setup link', () => {
  let on: Stage;
  beforeEach(async () => {
    on = await stage();
  });
  afterEach(() => on.close());

  test('it creates an operator, signs them in and shows an owner token once', async () => {
    const link = await makeSetupLink(on.context);
    assert.match(link, /^https:\/\/auth\.example\.com\/setup\?token=st_[A-Za-z0-9_-]{43}$/);
    const browser = on.browser();

    const done = await browser.submit(await browser.open(link), operator);

    const token = /aat_[A-Za-z0-9_-]{43}/.exec(done.html)?.[0] ?? '';
    const owner = await on.store.findOwner(sha256(token), on.clock.now());
    assert.deepEqual([owner?.username, owner?.role, owner?.email], ['root', 'operator', 'root@example.com']);
    assert.equal((await browser.open('/account/agents')).status, 200);
    assert.equal(new URL((await browser.open('/account/agents')).url).pathname, '/account/agents');
    const [event] = await on.store.listEvents({ type: 'setup.completed', limit: 1 });
    assert.equal(event?.userId, owner?.id);
    const other = on.browser();
    assert.equal(new URL((await signInOn(other, await other.open('/login'), 'root@example.com', operator.password)).url).pathname, '/account/agents');
  });

  test('it works once, and not after fifteen minutes', async () => {
    const link = await makeSetupLink(on.context);
    const [first, second] = [on.browser(), on.browser()];
    const [one, two] = [await first.open(link), await second.open(link)];
    const results = await Promise.all([
      first.submit(one, { ...operator, username: 'one', email: 'one@example.com' }),
      second.submit(two, { ...operator, username: 'two', email: 'two@example.com' }),
    ]);

    assert.deepEqual(results.map((page) => page.status).sort(), [200, 400]);
    assert.equal((await first.open(link)).status, 400);
    const late = await makeSetupLink(on.context);
    on.clock.advance(900);
    assert.match(textOf(await first.open(late)), /auth-agent setup-link/);
    assert.equal((await first.open(`${issuer}/setup?token=st_guess`)).status, 400);
    assert.equal((await first.open(`${issuer}/setup`)).status, 400);
  });

  test('another link that is still open makes nobody an operator after the first one', async () => {
    const [link, second] = [await makeSetupLink(on.context), await makeSetupLink(on.context)];
    const [first, late] = [on.browser(), on.browser()];
    const form = await late.open(second);
    assert.equal((await first.submit(await first.open(link), operator)).status, 200);

    assert.equal((await late.submit(form, { ...operator, username: 'eve', email: 'eve@example.com' })).status, 400);
    assert.equal((await late.open(second)).status, 400);
    assert.equal(await on.store.findUserByLogin('eve'), undefined);
  });

  test('[LOG-02] its form works only in the browser that opened it', async () => {
    const link = await makeSetupLink(on.context);
    const token = new URL(link).searchParams.get('token') ?? '';
    const browser = on.browser();
    const csrf = (await browser.open(link)).forms[0]?.fields.find((field) => field.name === 'csrf')?.value ?? '';

    assert.equal((await on.request('/setup', form({ token, csrf, ...operator, username: 'eve' }))).status, 403);
    assert.equal(await on.store.findUserByLogin('eve'), undefined);
  });

  test('[LOG-06] [LOG-21] what cannot be used is said beside the field, and nothing is created', async () => {
    const link = await makeSetupLink(on.context);
    const browser = on.browser();
    const wrong: Record<string, string>[] = [
      { username: '' },
      { username: 'has@sign' },
      { username: '<b>' },
      { email: 'no address' },
      { password: 'short' },
      { password: 'password1234' },
      { password: 'fresh@example.com' },
      { password: 'x'.repeat(1025) },
      { username: 'ada' },
    ];
    for (const change of wrong) {
      const page = await browser.submit(await browser.open(link), { ...operator, username: 'fresh', email: 'fresh@example.com', ...change });
      assert.equal(page.status, 400, JSON.stringify(change).slice(0, 60));
      assert.match(page.html, /aria-invalid="true"/);
      assert.doesNotMatch(page.html, /a long enough password|xxxxx/);
    }
    assert.equal(await on.store.findUserByLogin('fresh@example.com'), undefined);
    assert.equal((await browser.submit(await browser.open(link), { ...operator, username: 'fresh', email: 'fresh@example.com' })).status, 200);
  });
});
