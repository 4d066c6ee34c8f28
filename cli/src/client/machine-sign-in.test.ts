import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { OAuthError } from '@modelcontextprotocol/client';
import { type MachineCredentials, signInMachine } from './machine-sign-in.ts';

const metadata = {
  issuer: 'https://as.example',
  authorization_endpoint: 'https://as.example/authorize',
  token_endpoint: 'https://as.example/token',
  response_types_supported: ['code'],
};
const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
const secret: MachineCredentials = { kind: 'secret', clientId: 'a b', clientSecret: 'p:%' };
const company: MachineCredentials = {
  kind: 'company',
  clientId: 'agent',
  clientSecret: 'cs',
  provider: { tokenEndpoint: 'https://idp.example/token', clientId: 'sso', idToken: 'id.to.ken' },
};

type Asked = { url: string; form: Record<string, string>; authorization: string | null };

/** Two token endpoints that answer as told and remember what they were asked. */
function endpoints(answers: Record<string, [status: number, body: unknown]>) {
  const asked: Asked[] = [];
  const fetch = async (url: string | URL, init: RequestInit = {}) => {
    const form = Object.fromEntries(new URLSearchParams(String(init.body)));
    asked.push({ url: String(url), form, authorization: new Headers(init.headers).get('authorization') });
    const [status, body] = answers[new URL(url).host] ?? [404, {}];
    return new Response(JSON.stringify(body), { status });
  };
  const enter = (credentials: MachineCredentials) =>
    signInMachine(credentials, { metadata, resource: 'https://mcp.example/mcp', scope: 'files:read', fetch, now: 1000 });
  return { asked, enter };
}
const good: [number, unknown] = [200, { access_token: 'at', token_type: 'Bearer', expires_in: 60 }];

test('[CL-24] a company is asked for an assertion about this server and resource, and that is brought to the server', async () => {
  const { asked, enter } = endpoints({
    'idp.example': [200, { access_token: 'as.ser.tion', issued_token_type: idJag, token_type: 'N_A' }],
    'as.example': good,
  });

  const tokens = await enter(company);

  assert.deepEqual([tokens.accessToken, tokens.expiresAt, tokens.scope], ['at', 1060, 'files:read']);
  const [exchange, redemption] = asked;
  assert.deepEqual(
    [exchange?.form.audience, exchange?.form.resource, exchange?.form.requested_token_type, exchange?.form.subject_token, exchange?.form.client_id],
    ['https://as.example', 'https://mcp.example/mcp', idJag, 'id.to.ken', 'sso'],
  );
  assert.deepEqual([redemption?.form.assertion, redemption?.form.resource], ['as.ser.tion', 'https://mcp.example/mcp']);
  assert.match(redemption?.authorization ?? '', /^Basic /);
});

test('[CL-24] whoever refuses, nothing else is tried', async () => {
  for (const credentials of [secret, { kind: 'workload', token: 'w' } as const, company]) {
    const { asked, enter } = endpoints({
      'idp.example': [200, { access_token: 'a', issued_token_type: idJag }],
      'as.example': [400, { error: 'invalid_grant', error_description: 'no' }],
    });
    await assert.rejects(enter(credentials), (error) => error instanceof OAuthError && error.code === 'invalid_grant');
    assert.equal(asked.filter(({ url }) => url === metadata.token_endpoint).length, 1);
  }
  for (const answer of [
    [400, { error: 'invalid_target' }],
    [200, { access_token: 'at', issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' }],
    [500, 'x'],
  ] as [number, unknown][]) {
    const { asked, enter } = endpoints({ 'idp.example': answer, 'as.example': good });
    await assert.rejects(enter(company));
    assert.deepEqual(
      asked.map(({ url }) => url),
      ['https://idp.example/token'],
    );
  }
});

test('a secret is form-encoded in the header, a key signs for the issuer, a workload sends its token and nothing of itself', async () => {
  const { asked, enter } = endpoints({ 'as.example': good });
  const privateKey = String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }));

  await enter(secret);
  await enter({ kind: 'key', clientId: 'nightly', privateKey, algorithm: 'ES256' });
  await enter({ kind: 'workload', token: 'w.w.w' });

  const [bySecret, byKey, byPlatform] = asked;
  assert.equal(Buffer.from(bySecret?.authorization?.slice(6) ?? '', 'base64').toString(), 'a+b:p%3A%25');
  const claims = JSON.parse(Buffer.from(byKey?.form.client_assertion?.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  assert.deepEqual([claims.iss, claims.sub, claims.aud, byKey?.authorization], ['nightly', 'nightly', 'https://as.example', null]);
  assert.deepEqual(byPlatform, {
    url: metadata.token_endpoint,
    authorization: null,
    form: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'w.w.w', resource: 'https://mcp.example/mcp', scope: 'files:read' },
  });
});
