/**
 * Whatever is sent to the front door and its pages, it never breaks, never shows its inside, never repeats input unescaped and never redirects to a place that
 * is not registered.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { issuer, pkce } from '../harness.ts';
import { loopback, type Stage, stage, webRedirect } from './authorize-stage.ts';

const canary = '"><img src=x onerror=alert(7)>';
const names = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'state',
  'scope',
  'resource',
  'code_challenge',
  'code_challenge_method',
  'prompt',
  'max_age',
  'nonce',
  'login_hint',
  'acr_values',
  'request',
  'request_uri',
  'authorization_details',
  'tx',
  'csrf',
  'decision',
  'username',
  'password',
  'token',
  'grant',
  'done',
  'reason',
  'switch',
];
const goods = [
  'client_known',
  'client_dynamic',
  loopback,
  webRedirect,
  'code',
  'query',
  'files:read files:write',
  'https://mcp.example.com/mcp',
  pkce.challenge,
  'S256',
  'none',
  'login',
  'consent',
  '60',
  'allow',
  'ada',
];
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...goods) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      canary,
      'javascript:alert(7)',
      '__proto__',
      'constructor',
      '',
      ' ',
      '0',
      '-1',
      '😀',
      '\u0000',
      'a\r\nSet-Cookie: x=y',
      '%',
      'https://evil.example/cb',
      '../../x',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
);
const parameters = fc.array(
  fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.string({ maxLength: 12 }) }), value),
  { maxLength: 16 },
);
const wellMeant: [string, string][] = [
  ['client_id', 'client_known'],
  ['redirect_uri', loopback],
  ['response_type', 'code'],
  ['code_challenge', pkce.challenge],
  ['code_challenge_method', 'S256'],
];

describe('random requests', () => {
  let on: Stage;
  let cookie = '';
  before(async () => {
    on = await stage();
    const browser = await on.signedIn();
    cookie = [...browser.cookies].map(([name, text]) => `${name}=${text}`).join('; ');
  });
  after(() => on.close());
  let count = 0;
  const address = () => `2001:db8:${(count++).toString(16)}::1`;

  async function assertDecent(response: Response): Promise<void> {
    const body = await response.text();
    assert.ok(response.status < 500, `${response.status}: ${on.logged.at(-1)}`);
    assert.doesNotMatch(body, /<img src=x|onerror=alert\(7\)>|\n\s+at .+\.ts:\d+/);
    assert.doesNotMatch(body, /href="javascript:|url=javascript:/i);
    const location = response.headers.get('location');
    if (location !== null) assert.ok(location.startsWith('/') || location.startsWith(loopback.slice(0, 17)) || location.startsWith(webRedirect), location);
    if (location?.startsWith('/')) assert.ok(!location.startsWith('//'));
    if (location?.includes('error=')) assert.equal(new URL(location).searchParams.getAll('iss').join(), issuer);
    for (const line of response.headers.getSetCookie()) assert.match(line, /^__Host-aa_(browser|session)=/);
  }

  test('[LOG-10] [AZ-29] random parameters to /authorize never break it, nor come back unescaped', async () => {
    await fc.assert(
      fc.asyncProperty(parameters, fc.boolean(), fc.boolean(), fc.boolean(), async (given, helped, signedIn, posted) => {
        const changed = new Set(given.map(([name]) => name));
        const query = new URLSearchParams(helped ? [...wellMeant.filter(([name]) => !changed.has(name)), ...given] : given).toString();
        const headers: Record<string, string> = signedIn ? { Cookie: cookie } : {};
        const init = posted ? { method: 'POST', body: query, headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' } } : { headers };
        await assertDecent(await on.request(posted ? '/authorize' : `/authorize?${query}`, { ...init, address: address() }));
      }),
      { numRuns: 600 },
    );
  });

  test('[LOG-10] random parameters to the pages never break them, nor come back unescaped', async () => {
    const places = fc.constantFrom(
      ['GET', '/authorize/consent'],
      ['POST', '/consent'],
      ['GET', '/authorize/return'],
      ['GET', '/login'],
      ['POST', '/logout'],
      ['GET', '/account/agents'],
      ['POST', '/account/agents/disconnect'],
      ['GET', '/setup'],
      ['POST', '/setup'],
      ['POST', '/login'],
      ['GET', '/'],
    );
    await fc.assert(
      fc.asyncProperty(places, parameters, fc.boolean(), async ([method = '', path = ''], given, signedIn) => {
        const query = new URLSearchParams(given).toString();
        const headers: Record<string, string> = signedIn ? { Cookie: cookie } : {};
        const init = method === 'POST' ? { method, body: query, headers: { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' } } : { headers };
        await assertDecent(await on.request(method === 'POST' ? path : `${path}?${query}`, { ...init, address: address() }));
      }),
      { numRuns: 500 },
    );
  });

  test('random cookies are strangers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[ -~]{0,80}$/), async (text) => {
        const headers = { Cookie: `__Host-aa_session=${text}; __Host-aa_browser=${text}` };
        assert.equal((await on.request('/account/agents', { headers })).headers.get('location'), '/login');
        await assertDecent(await on.request(on.url(), { headers, address: address() }));
      }),
      { numRuns: 100 },
    );
  });
});
