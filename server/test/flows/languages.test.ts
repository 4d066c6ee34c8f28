/**
 * The language of pages: what decides it, that nothing hostile does, and that choosing another one leads back to the same page and nowhere else.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { offeredLanguages } from '../../src/languages.ts';
import { noteLanguage, pageLanguage } from '../../src/page-language.ts';
import { type Browser, openBrowser, type Page } from '../browser.ts';
import { issuer } from '../harness.ts';
import { password, type Stage, stage } from './authorize-stage.ts';

const languageOf = ({ html, headers }: Page) => {
  const shown = /<html lang="([^"]*)"/.exec(html)?.[1];
  assert.equal(headers.get('content-language'), shown);
  assert.equal(headers.get('vary'), 'Accept-Language');
  return shown;
};

describe('the language of pages', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());
  const browser = (acceptLanguage?: string) =>
    openBrowser(
      (url, init) => on.request(url, { ...init, headers: { ...init.headers, ...(acceptLanguage && { 'Accept-Language': acceptLanguage }) } }),
      issuer,
    );
  const choose = (from: Browser, page: Page, language: string) => from.submit(page, { language });

  test('the browser says what its person reads; without a word it is the default', async () => {
    assert.equal(languageOf(await browser('fi, de-AT;q=0.8, en;q=0.5').open('/login')), 'de');
    assert.equal(languageOf(await browser('fi').open('/login')), 'en');
    assert.equal(languageOf(await browser().open('/login')), 'en');
  });

  test('ui_locales of the request wins over the browser, from the first page to the last', async () => {
    const visitor = browser('en');
    const signIn = await visitor.open(on.url({ ui_locales: 'tlh de' }));
    const consent = await visitor.submit(signIn, { username: 'ada', password });
    const back = await visitor.submit(consent, {}, 'deny');

    assert.deepEqual([signIn, consent, back].map(languageOf), ['de', 'de', 'de']);
    assert.match(consent.html, /Erlauben/);
  });

  test('[AZ-23] ui_locales that we do not offer, or that is no list of languages, changes nothing', async () => {
    for (const evil of ['xx', 'sv', '*', '../../en', '"><b>', 'a'.repeat(2000)]) {
      const page = await browser('en').open(on.url({ ui_locales: evil }));
      assert.equal(page.status, 200, page.html);
      assert.equal(languageOf(page), 'en', evil);
    }
  });

  test('the account knows its language, wherever its person signs in', async () => {
    const user = await on.addUser({ username: 'dora', password });
    assert.equal(await on.store.setLanguage(user.id, 'de'), true);
    const visitor = browser('en');
    const account = await visitor.submit(await visitor.open('/login'), { username: 'dora', password });

    assert.equal(languageOf(account), 'de');
  });

  test('a language chosen in the footer holds for this browser and the account, and leads back to the page with its request', async () => {
    const user = await on.addUser({ username: 'emil', password });
    const visitor = browser('en');
    const signIn = await visitor.open(on.url({ ui_locales: 'en' }));
    const inGerman = await choose(visitor, signIn, 'de');
    const consent = await visitor.submit(inGerman, { username: 'emil', password });
    const inEnglish = await choose(visitor, consent, 'en');

    assert.equal(languageOf(inGerman), 'de');
    assert.match(inGerman.url, /\/login\?tx=tx_/);
    assert.equal(languageOf(consent), 'de');
    assert.equal(inEnglish.url, consent.url);
    assert.equal(languageOf(inEnglish), 'en');
    assert.equal((await on.store.findUser(user.id))?.language, 'en');
    assert.match(visitor.setCookies.join('\n'), /^aa_language=de; Path=\/; HttpOnly; SameSite=Lax; Secure$/m);
  });

  test('[LOG-04] the form leads to no place that we did not put there, from no other site, and to no language we lack', async () => {
    const visitor = browser('en');
    const menu = (await visitor.open('/login')).forms.find(({ action }) => action === '/language');
    const at = menu?.fields.find(({ name }) => name === 'at')?.value ?? '';
    const send = (fields: Record<string, string>, headers = {}) =>
      on.request('/language', { method: 'POST', headers, body: new URLSearchParams({ language: 'de', at, ...fields }) });

    assert.equal((await send({})).status, 303);
    for (const evil of [
      'https://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '/login',
      '',
      at.slice(1),
      `${at}AAAA`,
      `${btoa('https://evil.example/')}.${at.split('.')[1]}`,
      `${btoa('/login?x')}.`,
    ])
      assert.deepEqual([(await send({ at: evil })).status, evil], [403, evil]);
    assert.equal((await send({}, { 'Sec-Fetch-Site': 'cross-site' })).status, 403);
    assert.equal((await send({}, { Origin: 'https://evil.example' })).status, 403);
    for (const language of ['', 'sv', 'xx', 'en-XA', 'de; Domain=evil.example']) {
      const answer = await send({ language });
      assert.deepEqual([answer.status, answer.headers.get('set-cookie')], [400, null]);
    }
  });

  test('an address that would name another host has no menu that leads there', async () => {
    for (const path of ['//evil.example/', '/\\evil.example']) {
      const page = await on.request(`${issuer}${path}`, { headers: { Accept: 'text/html' } });
      assert.doesNotMatch(await page.text(), /name="at"/);
    }
  });

  test('whatever a browser sends, a page comes in one of our languages', async () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z*;=,. -]{0,40}$/)).map((value) => value.replace(/[^\x20-\x7e]/g, ''));
    await fc.assert(
      fc.asyncProperty(text, text, text, async (accept, cookie, asked) => {
        const url = `/login?${new URLSearchParams({ ui_locales: asked })}`;
        const page = await on.request(url, { headers: { 'Accept-Language': accept, Cookie: `aa_language=${cookie}` } });
        assert.equal(page.status, 200);
        assert.ok(offeredLanguages.some(({ tag }) => tag === page.headers.get('content-language')));
      }),
      { numRuns: 60 },
    );
  });

  test("[CON-05] the owner's words for a scope come in the language of the person, and the receipt keeps them with the language", async () => {
    const scopes = [{ name: 'notes:read', description: 'Read notes', descriptions: { 'de-DE': 'Notizen lesen', fr: 'Lire' } }];
    const notes = await on.addServer({ name: 'Notes', resource: 'https://notes.example.com', serverUrl: 'https://notes.example.com', scopes });
    const user = await on.addUser({ username: 'nora', password });
    const visitor = browser('en');
    const signIn = await visitor.open(on.url({ resource: notes.resource, scope: 'notes:read', ui_locales: 'de' }));
    const consent = await visitor.submit(signIn, { username: 'nora', password });
    await visitor.submit(consent, {}, 'allow');
    const [grant] = await on.store.listGrants({ userId: user.id }, on.clock.now());
    const receipt = JSON.parse((await visitor.open(`/account/agents/${grant?.id}/receipt.json`)).html);
    const agents = await visitor.open('/account/agents');

    assert.match(consent.html, /Notizen lesen/);
    assert.doesNotMatch(consent.html, /Read notes/);
    assert.deepEqual([receipt.language, receipt.scopes[0].text], ['de', 'Notizen lesen']);
    assert.match(agents.html, /Read notes/, 'their own language is English');
  });

  test('what a request says of its person is forgotten with it', () => {
    const exchange = { request: new Request(`${issuer}/login`), address: '203.0.113.7', requestId: 'req_1', params: {} };
    noteLanguage(exchange, { account: 'de' });
    noteLanguage(exchange, { asked: undefined });

    assert.equal(pageLanguage(exchange, on.context), 'de');
    assert.equal(pageLanguage({ ...exchange }, on.context), 'en');
  });

  test('metadata names the languages', async () => {
    const metadata = (await (await on.request('/.well-known/openid-configuration')).json()) as Record<string, unknown>;
    assert.deepEqual(metadata['ui_locales_supported'], ['en', 'de', 'es', 'fr', 'pt-BR', 'ar', 'ja', 'zh-Hans']);
  });
});

test('defaultLanguage is the language of whoever says nothing, and must be one that is offered', async () => {
  const on = await stage({ defaultLanguage: 'de' });
  assert.match(await (await on.request('/login')).text(), /<html lang="de"/);
  await on.close();
  await assert.rejects(stage({ defaultLanguage: 'tlh' }), /"defaultLanguage"/);
});
