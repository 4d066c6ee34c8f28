import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { basic, bearer, stage } from './token-stage.ts';

const names = [
  'grant_type',
  'client_id',
  'client_secret',
  'code',
  'code_verifier',
  'redirect_uri',
  'refresh_token',
  'scope',
  'resource',
  'token',
  'token_type_hint',
  'client_assertion',
  'client_assertion_type',
  'x',
];
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '<script>canary</script>',
    "' or 1=1 --",
    '__proto__',
    'constructor',
    '%00',
    '\ud800',
    'a.b.c',
    'rt_',
    `rt_${'A'.repeat(64)}`,
    `ac_${'A'.repeat(43)}`,
  ),
  fc.constantFrom(
    'authorization_code',
    'refresh_token',
    'client_credentials',
    'password',
    'https://mcp.example.com/mcp',
    'urn:x',
    'files:read',
    'machine',
    'cs_secret',
  ),
);
const pairs = fc.array(fc.tuple(fc.constantFrom(...names), hostile), { maxLength: 8 });
const authorization = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: 'binary-ascii', maxLength: 80 }).map((text) => `Basic ${Buffer.from(text).toString('base64')}`),
  fc.base64String({ maxLength: 60 }).map((text) => `Basic ${text}`),
  fc.string({ unit: fc.constantFrom(...'abcXYZ019_-.=~ '), maxLength: 90 }).map((text) => `Bearer ${text}`),
  fc.constantFrom(basic('machine', 'cs_secret').Authorization),
);
const body = fc.oneof(
  pairs.map((list) => ({ type: 'application/x-www-form-urlencoded', text: new URLSearchParams(list).toString() })),
  pairs.map((list) => ({ type: 'application/json', text: JSON.stringify(Object.fromEntries(list)) })),
  fc.json({ maxDepth: 3 }).map((text) => ({ type: 'application/json', text })),
  fc.string({ maxLength: 200 }).map((text) => ({ type: 'application/x-www-form-urlencoded', text })),
);

test('[TOK-05] [TOK-10] whatever is sent to the back channel, the answer is never a 5xx, a trace or an echo', async () => {
  const scene = await stage();
  await scene.addClient({
    id: 'machine',
    secret: 'cs_secret',
    metadata: { grantTypes: ['client_credentials'], scope: 'files:read' },
    defaultResource: scene.mcp.resource,
  });
  const { secret } = await scene.keyOf();
  const good = bearer(secret).Authorization;

  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/token', '/introspect', '/revoke', '/userinfo'),
      body,
      fc.oneof(authorization, fc.constant(good)),
      async (path, { type, text }, header) => {
        const headers = new Headers({ 'Content-Type': type });
        if (header !== undefined) headers.set('Authorization', header);

        const response = await scene.request(path, { method: 'POST', body: text, headers });

        const answer = await response.text();
        assert.ok(response.status < 500, `${response.status} ${answer}`);
        assert.doesNotMatch(answer, /canary|\n\s+at |node:|\/server\/src/);
        if (answer !== '') assert.doesNotMatch(answer, /:null/);
        scene.clock.advance(1);
      },
    ),
    { numRuns: 600 },
  );
  assert.equal(
    scene.logged.some((line) => line.startsWith('error')),
    false,
  );
});

test('[TOK-02] whatever order the parameters come in, the answer is the same', async () => {
  const scene = await stage();
  const { code } = await scene.code();
  const values = Object.entries({ grant_type: 'authorization_code', client_id: scene.client.id, code, code_verifier: 'd'.repeat(43), scope: 'x' });

  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(values, { minLength: values.length }), async (shuffled) => {
      const response = await scene.post('/token', Object.fromEntries(shuffled));
      assert.match(await response.text(), /Invalid PKCE verifier/);
    }),
    { numRuns: 20 },
  );
});
