/**
 * `response_mode=form_post` (OAuth 2.0 Form Post Response Mode): the answer is posted to the client, so that no code is in an address. Whatever the answer is,
 * code or error, it goes by the form, and the page that has the form may post to that client only.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openBrowser, type Page } from '../browser.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, loopback, type Stage, signInOn, stage, webRedirect } from './authorize-stage.ts';

const posted = { response_mode: 'form_post' };

/** What the page would post, where to, and what its policy allows. */
function formOn(page: Pick<Page, 'html' | 'headers'>) {
  const fields = [...page.html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, value]);
  return {
    action: /<form method="post" action="([^"]*)"/.exec(page.html)?.[1],
    automatic: page.html.includes(' data-auto'),
    fields: Object.fromEntries(fields) as Record<string, string>,
    formAction: /form-action ([^;]*)/.exec(page.headers.get('content-security-policy') ?? '')?.[1],
  };
}

describe('form_post', () => {
  let on: Stage;
  before(async () => {
    on = await stage({ clients: { trustedHosts: ['trusted.example'] } });
    await on.addClient({ id: 'client_trusted', metadata: { redirectUris: ['https://trusted.example/cb'] } });
    await on.addClient({ id: 'client_odd', metadata: { redirectUris: ['com.example.app:/cb', 'http://[::1]/cb'] } });
  });
  after(() => on.close());

  test('[AZ-15] [AZ-26] a code is posted with state and iss, from a page whose policy names the origin of the client alone', async () => {
    const browser = await on.signedIn();
    const page = await browser.submit(await browser.open(on.url(posted)), {}, 'allow');
    const { action, automatic, fields, formAction } = formOn(page);

    assert.deepEqual([action, automatic, formAction], [loopback, true, 'http://localhost:4711']);
    assert.deepEqual(Object.keys(fields), ['code', 'state', 'iss']);
    assert.deepEqual([fields.state, fields.iss], ['xyz', issuer]);
    assert.equal(page.refresh, undefined);
    assert.doesNotMatch(page.url, /code/);
    const policy = page.headers.get('content-security-policy') ?? '';
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) assert.ok(policy.includes(part));
    assert.equal(page.headers.get('cache-control'), 'no-store');

    const redemption = { grant_type: 'authorization_code', client_id: 'client_known', code: fields.code ?? '', code_verifier: pkce.verifier };
    assert.equal((await on.request('/token', form({ ...redemption, redirect_uri: loopback }))).status, 200);
  });

  test('[AZ-26] [AZ-32] no is posted too', async () => {
    const browser = await on.signedIn();
    const page = await browser.submit(await browser.open(on.url(posted)), {}, 'deny');

    const { action, fields } = formOn(page);
    assert.deepEqual([action, fields.error, fields.error_uri], [loopback, 'access_denied', `${issuer}/docs/errors/access_denied`]);
  });

  test('[AZ-26] an error found at once is posted; one that comes with a wrong response_mode is in the query', async () => {
    const response = await on.request(on.url({ ...posted, scope: 'x' }));
    const { action, fields } = formOn({ html: await response.text(), headers: response.headers });
    assert.deepEqual([response.status, action, fields.error, fields.state], [200, loopback, 'invalid_scope', 'xyz']);

    const twice = await on.request(`${on.url(posted)}&response_mode=form_post`);
    assert.equal(answerOf(twice.headers.get('location') ?? '').error, 'invalid_request');
  });

  test('[AZ-26] an answer from remembered consent is a form as well', async () => {
    const browser = await on.signedIn();
    const address = on.url({ ...posted, client_id: 'client_trusted', redirect_uri: 'https://trusted.example/cb' });
    await browser.submit(await browser.open(address), {}, 'allow');

    const { action, fields, formAction } = formOn(await browser.open(address));
    assert.deepEqual([action, formAction], ['https://trusted.example/cb', 'https://trusted.example']);
    assert.match(fields.code ?? '', /^ac_/);
  });

  test('[AZ-26] [AZ-31] a stranger client gets its form only after somebody has pressed the button', async () => {
    const response = await on.request(on.dynamicUrl({ ...posted, scope: 'x' }));
    const { action, automatic, fields, formAction } = formOn({ html: await response.text(), headers: response.headers });

    assert.deepEqual([response.status, action, automatic, formAction], [400, webRedirect, false, 'https://app.example.org']);
    assert.equal(fields.error, 'invalid_scope');
  });

  test('[AZ-26] what no form can reach is refused in the query', async () => {
    for (const redirect_uri of ['com.example.app:/cb', 'http://[::1]:4711/cb']) {
      const response = await on.request(on.url({ ...posted, client_id: 'client_odd', redirect_uri }));
      const location = response.headers.get('location') ?? '';
      assert.ok(location.startsWith(`${redirect_uri}?`), location);
      assert.equal(answerOf(location).error, 'invalid_request');
    }
  });

  test('[AZ-26] [LOG-10] a state with markup stays text', async () => {
    const browser = openBrowser((url, init) => on.request(url, init), issuer);
    const consent = await signInOn(browser, await browser.open(on.url({ ...posted, state: '"><script>alert(1)</script>' })));
    const page = await browser.submit(consent, {}, 'allow');

    assert.doesNotMatch(page.html, /<script>alert/);
    assert.equal(formOn(page).fields.state, '&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  test('[PAR-02] [AZ-26] a pushed request keeps its response mode', async () => {
    const push = await on.request('/par', form(Object.fromEntries(new URL(on.url(posted)).searchParams)));
    const { request_uri } = (await push.json()) as { request_uri: string };
    const browser = await on.signedIn();
    const consent = await browser.open(`${issuer}/authorize?${new URLSearchParams({ client_id: 'client_known', request_uri })}`);

    assert.equal(formOn(await browser.submit(consent, {}, 'allow')).action, loopback);
  });
});
