/**
 * "My agent runs on another computer": a code is shown instead of sent, only where the operator turned it on, only right after a sign-in, for a minute and one more.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sha256At } from '../../src/crypto/hash.ts';
import type { Browser, Page } from '../browser.ts';
import { form, pkce } from '../harness.ts';
import { loopback, type Stage, signInOn, stage } from './authorize-stage.ts';

const unescaped = (text: string) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'");
const shownUrl = (page: Page) => new URL(unescaped(/curl --globoff (?:'|&#39;)([^<]*?)(?:'|&#39;)<\/code>/.exec(page.html)?.[1] ?? 'about:blank'));
const offers = (page: Page) => page.forms.some(({ fields }) => fields.some(({ name }) => name === 'hand_off'));

/** A signed-in browser on the page of consent, with the sign-in for this very request behind it. */
async function confirmed(on: Stage, more: Record<string, string> = {}): Promise<{ browser: Browser; page: Page; tx: string }> {
  const browser = await on.signedIn();
  on.clock.advance(5);
  const before = await browser.open(on.url(more));
  const tx = new URL(before.url).searchParams.get('tx') ?? '';
  const page = await signInOn(browser, await browser.open(`/login?tx=${tx}&reason=confirm`));
  return { browser, page, tx };
}

describe('hand-off', () => {
  test('it is off unless the operator turns it on, and for nothing but loopback addresses', async () => {
    const off = await stage();
    const there = await confirmed(off);
    assert.doesNotMatch(there.page.html, /another computer/);
    const back = await there.browser.submit(there.page, {}, 'allow');
    assert.ok(back.refresh?.startsWith(loopback));
    await off.close();

    const on = await stage({ handOff: true });
    const browser = await on.signedIn();
    assert.doesNotMatch((await browser.open(on.dynamicUrl())).html, /another computer/);
    await on.close();
  });

  test('it asks who one is first: an older session gets no box, and a form that ticks it all the same is sent to sign in', async () => {
    const on = await stage({ handOff: true });
    const browser = await on.signedIn();
    on.clock.advance(5);

    const page = await browser.open(on.url());
    assert.match(page.html, /Confirm it(&#39;|')s you to go this way/);
    assert.equal(offers(page), false);
    const fields = Object.fromEntries(page.forms[0]?.fields.filter(({ ticked }) => ticked !== false).map(({ name, value }) => [name, value]) ?? []);
    const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const sent = await on.request('/consent', form({ ...fields, decision: 'allow', hand_off: '1' }, { Cookie }));

    assert.match(sent.headers.get('location') ?? '', /\/login\?tx=.*&reason=confirm/);
    assert.equal((await on.store.listGrants({ userId: on.user.id }, on.clock.now())).length, 0);
    await on.close();
  });

  test('the code is shown to be carried, with its warning; the browser is sent nowhere, and the code works there once', async () => {
    const on = await stage({ handOff: true });
    const { browser, page } = await confirmed(on);
    assert.ok(offers(page));

    const shown = await browser.submit(page, { hand_off: '1' }, 'allow');

    assert.equal(shown.refresh, undefined);
    assert.match(shown.html, /Never send it to a person/);
    const url = shownUrl(shown);
    assert.equal(`${url.origin}${url.pathname}`, loopback);
    assert.equal(url.searchParams.get('state'), 'xyz');
    const code = url.searchParams.get('code') ?? '';
    const values = { client_id: 'client_known', grant_type: 'authorization_code', code, redirect_uri: loopback, code_verifier: pkce.verifier };
    assert.equal((await on.request('/token', form(values))).status, 200);
    const [event] = await on.store.listEvents({ type: 'grant.approved', limit: 1 });
    assert.equal(event?.detail?.['hand_off'], true);
    await on.close();
  });

  test('it can be made longer once: the code before is dead, the next lives a minute, and a third there is not', async () => {
    const on = await stage({ handOff: true });
    const { browser, page } = await confirmed(on);
    const shown = await browser.submit(page, { hand_off: '1' }, 'allow');
    const first = shownUrl(shown).searchParams.get('code') ?? '';
    on.clock.advance(50);

    const again = await browser.submit(shown);

    const second = shownUrl(again).searchParams.get('code') ?? '';
    assert.notEqual(second, first);
    assert.ok(again.forms.every(({ action }) => !action.endsWith('/authorize/return')));
    assert.equal(await on.store.findCode(sha256At(first), on.clock.now()), undefined);
    assert.equal((await browser.submit(shown)).status, 400);
    assert.equal((await on.store.listEvents({ type: 'grant.hand_off_extended', limit: 9 })).length, 1);
    on.clock.advance(59);
    const values = { client_id: 'client_known', grant_type: 'authorization_code', code: second, redirect_uri: loopback, code_verifier: pkce.verifier };
    assert.equal((await on.request('/token', form(values))).status, 200);
    await on.close();
  });

  test('a minute that is over, or a code that was used, is not made longer', async () => {
    const on = await stage({ handOff: true });
    for (const [late, used] of [
      [60, false],
      [1, true],
    ] as const) {
      const { browser, page } = await confirmed(on, { prompt: 'consent' });
      const shown = await browser.submit(page, { hand_off: '1' }, 'allow');
      const code = shownUrl(shown).searchParams.get('code') ?? '';
      const values = { client_id: 'client_known', grant_type: 'authorization_code', code, redirect_uri: loopback, code_verifier: pkce.verifier };
      if (used) assert.equal((await on.request('/token', form(values))).status, 200);
      on.clock.advance(late);

      assert.equal((await browser.submit(shown)).status, 400);
    }
    assert.equal((await on.store.listEvents({ type: 'grant.hand_off_extended', limit: 9 })).length, 0);
    await on.close();
  });

  test('[LOG-02] [LOG-03] another browser, or a form that is not ours, makes nothing longer and sees nothing', async () => {
    const on = await stage({ handOff: true });
    const { browser, page, tx } = await confirmed(on);
    const shown = await browser.submit(page, { hand_off: '1' }, 'allow');
    const csrf = shown.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const stranger = await on.signedIn();
    const cookies = (one: Browser) => ({ Cookie: [...one.cookies].map(([name, value]) => `${name}=${value}`).join('; ') });

    assert.equal((await on.request('/authorize/return', form({ tx, csrf }, cookies(stranger)))).status, 400);
    assert.equal((await on.request('/authorize/return', form({ tx, csrf: 'A'.repeat(43) }, cookies(browser)))).status, 403);
    assert.doesNotMatch((await stranger.open(`/authorize/return?tx=${tx}`)).html, /curl/);
    assert.equal((await on.store.listEvents({ type: 'grant.hand_off_extended', limit: 9 })).length, 0);
    await on.close();
  });
});
