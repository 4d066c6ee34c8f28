/** What a provider's metadata changes: how we show who we are, whether the request is pushed, and which issuer a directory of Microsoft is. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { start, testServer } from '../../test/harness.ts';
import { type Provider, upstreamProvider } from '../../test/upstream-provider.ts';
import { decodeJwt } from '../crypto/jwt.ts';
import type { Upstream } from '../storage/store.ts';
import { type Credential, sealCredential } from './client.ts';
import { type Passage, providerOf } from './provider.ts';

const issuer = 'https://login.acme.example';
const passage: Passage = { state: 's', nonce: 'n', verifier: 'v'.repeat(43), redirectUri: 'https://auth.example.com/login/upstream/acme/callback' };

async function at(fake: Provider, credential: Credential | undefined, more: Partial<Upstream> = {}) {
  const { context, clock } = await testServer({ fetchUpstream: fake.fetch });
  const upstream: Upstream = {
    id: 'acme',
    name: 'Acme',
    recipe: 'openid',
    issuer: fake.issuer,
    clientId: fake.clientId,
    credentialSealed: credential && sealCredential('acme', credential, context),
    scope: ['openid'],
    privateNetwork: false,
    createdAt: 0,
    ...more,
  };
  return { provider: providerOf(upstream, context), clock };
}
const tokenRequest = (fake: Provider) => fake.asked.find(({ url }) => url.endsWith('/token'));

test('a secret travels in the body where that is taken, else in the header', async () => {
  for (const [methods, inBody] of [
    [['client_secret_basic', 'client_secret_post'], true],
    [['client_secret_basic'], false],
    [undefined, false],
  ] as const) {
    const fake = upstreamProvider(issuer, () => start, { metadata: { token_endpoint_auth_methods_supported: methods } });
    const { provider } = await at(fake, { secret: fake.secret });
    await provider.finish(new URL(fake.agree((await provider.begin(passage)).href)), passage).catch(() => undefined);

    const sent = tokenRequest(fake);
    assert.deepEqual([sent?.body.has('client_secret'), sent?.headers.authorization?.startsWith('Basic ') ?? false], [inBody, !inBody]);
  }
});

test('with a key, an assertion of ours for that issuer is sent and no secret', async () => {
  for (const { privateKey } of [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ]) {
    const fake = upstreamProvider(issuer, () => start);
    const { provider } = await at(fake, { privateJwk: { ...privateKey.export({ format: 'jwk' }), kid: 'ours' } });
    await provider.finish(new URL(fake.agree((await provider.begin(passage)).href)), passage).catch(() => undefined);

    const body = tokenRequest(fake)?.body;
    const assertion = decodeJwt(body?.get('client_assertion') ?? '');
    assert.deepEqual(
      [assertion?.header.kid, assertion?.claims.iss, assertion?.claims.sub, assertion?.claims.aud],
      ['ours', 'auth-agent', 'auth-agent', issuer],
    );
    assert.equal(body?.has('client_secret'), false);
  }
});

test('where a provider demands pushed requests, the request is pushed', async () => {
  const metadata = { require_pushed_authorization_requests: true, pushed_authorization_request_endpoint: `${issuer}/par` };
  const fake = upstreamProvider(issuer, () => start, { metadata });
  fake.instead = ({ url }) => (url.endsWith('/par') ? Response.json({ request_uri: 'urn:x:1', expires_in: 60 }, { status: 201 }) : undefined);
  const { provider } = await at(fake, { secret: fake.secret });
  const url = await provider.begin(passage);

  assert.deepEqual(Object.fromEntries(url.searchParams), { client_id: 'auth-agent', request_uri: 'urn:x:1' });
  assert.equal(fake.asked.find(({ url: asked }) => asked.endsWith('/par'))?.body.get('state'), 's');
});

test('[LOG-07] with {tenantid} in the metadata of Microsoft, each directory is an issuer of its own, and no token speaks for another', async () => {
  const common = 'https://login.microsoftonline.com/common/v2.0';
  const directory = (id: string) => `https://login.microsoftonline.com/${id}/v2.0`;
  const metadata = { issuer: directory('{tenantid}'), authorization_response_iss_parameter_supported: undefined };
  const fake = upstreamProvider(common, () => start, { metadata });
  const { provider } = await at(fake, { secret: fake.secret }, { recipe: 'microsoft' });
  const come = async () => provider.finish(new URL(fake.agree((await provider.begin(passage)).href, { iss: undefined })), passage);

  fake.claims = { iss: directory('one'), tid: 'one' };
  assert.equal((await come()).issuer, directory('one'));
  for (const claims of [
    { iss: directory('one'), tid: 'two' },
    { iss: directory('{tenantid}'), tid: 'one' },
    { iss: directory('one') },
    { iss: 'https://evil.example/one/v2.0', tid: 'one' },
  ]) {
    fake.claims = claims;
    await assert.rejects(come(), { kind: 'invalid' }, JSON.stringify(claims));
  }
});

test('metadata is fetched once an hour, and at once again after a failure', async () => {
  const fake = upstreamProvider(issuer, () => start);
  const { provider, clock } = await at(fake, { secret: fake.secret });
  fake.instead = () => new Response('down', { status: 503 });
  await assert.rejects(provider.begin(passage), { kind: 'unavailable' });
  fake.instead = undefined;
  for (const [later, times] of [
    [0, 2],
    [3599, 2],
    [1, 3],
  ] as const) {
    clock.advance(later);
    await provider.begin(passage);
    assert.equal(fake.asked.length, times);
  }
});
