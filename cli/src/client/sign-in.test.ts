import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';
import { Failure } from '../exit-codes.ts';
import { launchOf } from './browser.ts';
import { openListener } from './reception.ts';
import { authenticate } from './registration.ts';
import { legacyMetadata } from './server-metadata.ts';
import { scopeFor } from './session.ts';
import { codeOf } from './sign-in.ts';

const issuer = 'https://as.example';
const metadata = { ...legacyMetadata(issuer), authorization_response_iss_parameter_supported: true };
const read = (text: string, given = metadata) => codeOf({ parameters: new URLSearchParams(text) }, { state: 's', metadata: given });
const isRefused = (error: unknown): boolean => error instanceof Failure && error.exit === 'refused';

test('[CL-05] iss is compared in its four cases, byte for byte, before an error is shown or a code redeemed', () => {
  const silent = { ...metadata, authorization_response_iss_parameter_supported: false };

  assert.equal(read(`code=c&state=s&iss=${issuer}`).code, 'c');
  assert.equal(read('code=c&state=s', silent).code, 'c');
  for (const [text, given] of [
    ['code=c&state=s', metadata],
    ['code=c&state=s&iss=https://evil.example', metadata],
    [`code=c&state=s&iss=${issuer}/`, metadata],
    [`code=c&state=s&iss=${issuer}&iss=https://evil.example`, metadata],
    ['code=c&state=s&iss=https://evil.example', silent],
  ] as const)
    assert.throws(() => read(text, given), isRefused, text);
  assert.throws(
    () => read('error=access_denied&error_description=call+this+number&state=s&iss=https://evil.example'),
    (error) => isRefused(error) && !JSON.stringify(error).includes('number'),
  );
  assert.throws(
    () => read(`error=access_denied&state=s&iss=${issuer}`),
    (error) => error instanceof Failure && error.exit === 'denied',
  );
});

test('[CL-06] state is checked first: an answer of another sign-in is refused', () => {
  for (const text of [`code=c&iss=${issuer}`, `code=c&state=x&iss=${issuer}`, `code=c&state=s&state=s&iss=${issuer}`, `code=c&code=d&state=s&iss=${issuer}`])
    assert.throws(() => read(text), isRefused, text);
});

test('[CL-06] the listener hears only its path, host and state, sends a page without outside parts, and closes after one answer', async () => {
  let visited: URL | undefined;
  const reception = await openListener({ visit: (url) => (visited = url), timeoutMs: 5000 });
  const answer = reception.receive(new URL('https://as.example/authorize'), 'good');
  const { origin, port, hostname } = new URL(reception.redirectUri);

  assert.equal(hostname, '127.0.0.1');
  assert.equal(visited?.href, 'https://as.example/authorize');
  assert.equal((await fetch(`${origin}/other?state=good&code=c`)).status, 404);
  assert.equal((await fetch(`${origin}/callback?state=bad&code=c`)).status, 400);
  assert.equal((await fetch(`${origin}/callback?state=good&code=c`, { method: 'POST' })).status, 404);
  assert.equal((await fetch(`http://localhost:${port}/callback?state=good&code=c`)).status, 404);
  const page = await fetch(`${origin}/callback?state=good&code=c`);
  assert.equal((await answer).parameters.get('code'), 'c');
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.doesNotMatch(await page.text(), /src=|href=/);
  await assert.rejects(fetch(`${origin}/callback?state=good&code=c`));
});

test('[CL-06] a request target that is no address is answered 404, and the sign-in goes on', async () => {
  const reception = await openListener({ visit: () => {}, timeoutMs: 5000 });
  const answer = reception.receive(new URL('https://as.example/authorize'), 'good');

  for (const path of ['//', '//[', 'http://a:b']) {
    const [response] = await once(request(reception.redirectUri, { path }).end(), 'response');
    response.resume();
    assert.equal(response.statusCode, 404, path);
  }
  await fetch(`${reception.redirectUri}?state=good&code=c`);

  assert.equal((await answer).parameters.get('code'), 'c');
});

test('[CL-06] nobody coming back ends the wait', async () => {
  const reception = await openListener({ visit: () => {}, timeoutMs: 1 });

  await assert.rejects(reception.receive(new URL('https://as.example/authorize'), 's'), (error) => error instanceof Failure && error.exit === 'timedOut');
});

test('[CL-08] scopes come from the challenge, then the metadata, then nowhere; offline_access only where it is offered', () => {
  const found = { metadata, resource: 'https://h.example', scopesSupported: ['a', 'b'] };
  const offering = { ...found, metadata: { ...metadata, scopes_supported: ['offline_access'] } };

  assert.equal(scopeFor(found, { scope: 'c' }), 'c');
  assert.equal(scopeFor(found, {}), 'a b');
  assert.equal(scopeFor({ ...offering, scopesSupported: undefined }, {}), undefined);
  assert.equal(scopeFor(offering, { scope: 'c' }), 'c offline_access');
  assert.equal(scopeFor(found, { scope: 'c' }, undefined, 'a'), 'a c', '[CL-09] what was requested before stays');
});

test('[CL-13] the registered method is used, and Basic is form-encoded', () => {
  const sent = (method: 'none' | 'client_secret_basic' | 'client_secret_post') => {
    const [headers, body] = [new Headers(), new URLSearchParams()];
    authenticate({ clientId: 'a:b', clientSecret: 'p%+ é', method, redirectUri: '' })(headers, body);
    return [headers.get('authorization'), body.toString()];
  };

  assert.deepEqual(sent('client_secret_basic'), [`Basic ${btoa('a%3Ab:p%25%2B+%C3%A9')}`, '']);
  assert.deepEqual(sent('client_secret_post'), [null, 'client_id=a%3Ab&client_secret=p%25%2B+%C3%A9']);
  assert.deepEqual(sent('none'), [null, 'client_id=a%3Ab']);
});

test('[CL-15] only web addresses are opened, as one argument of a program that is no shell', () => {
  const nasty = new URL('https://as.example/a?x=1&calc.exe|$(id)`id`%26"');

  for (const platform of ['linux', 'darwin', 'win32'] as const) {
    const { file, args } = launchOf(nasty, platform);
    assert.ok(!/cmd|sh$|powershell/i.test(file));
    assert.equal(args.at(-1), nasty.href);
  }
  for (const bad of ['file:///etc/passwd', 'javascript:alert(1)', 'vscode://x']) assert.throws(() => launchOf(new URL(bad), 'linux'), TypeError);
});
