import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OAuthError } from '@modelcontextprotocol/client';
import { Failure } from '../exit-codes.ts';
import { awaitDevice, beginDevice, type DeviceSignIn } from './device-sign-in.ts';
import { legacyMetadata } from './server-metadata.ts';

const issuer = 'https://as.example';
const metadata = { ...legacyMetadata(issuer), device_authorization_endpoint: `${issuer}/device_authorization` };
const client = { clientId: 'c', method: 'none' as const, redirectUri: '' };
const begun = { deviceCode: 'dc', userCode: 'WDJB-MJHT', verificationUri: `${issuer}/device`, intervalSeconds: 5, expiresAt: 1600 };
const tokens = { access_token: 'at', token_type: 'Bearer', expires_in: 60, scope: 'a' };

/** A server with these answers, one after the other, and the seconds that were waited before each. */
function against(answers: (object | Failure)[]) {
  let clock = 1000;
  const waited: number[] = [];
  const sent: URLSearchParams[] = [];
  const how: DeviceSignIn = {
    metadata,
    client,
    scope: 'a',
    resource: 'https://h.example/mcp',
    now: () => clock,
    wait: async (milliseconds) => {
      waited.push(milliseconds / 1000);
      clock += milliseconds / 1000;
    },
    fetch: async (_url, init) => {
      sent.push(new URLSearchParams(String(init?.body)));
      const answer = answers.shift() ?? { error: 'authorization_pending' };
      if (answer instanceof Failure) throw answer;
      const { status = 'error' in answer ? 400 : 200, retryAfter, ...body } = answer as { status?: number; retryAfter?: string };
      return new Response(JSON.stringify(body), { status, headers: retryAfter === undefined ? {} : { 'Retry-After': retryAfter } });
    },
  };
  return { how, waited, sent };
}
const away = () => new Failure('unreachable', 'away');

test('[CL-19] it waits the interval before each poll, five seconds longer after each slow_down, for good', async () => {
  const { how, waited, sent } = against([
    { error: 'authorization_pending' },
    { error: 'slow_down' },
    { error: 'authorization_pending' },
    { error: 'slow_down' },
    tokens,
  ]);

  const made = await awaitDevice(begun, how);

  assert.deepEqual([made.accessToken, made.scope, made.requestedScope, made.expiresAt], ['at', 'a', 'a', 1000 + 5 + 5 + 10 + 10 + 15 + 60]);
  assert.deepEqual(waited, [5, 5, 10, 10, 15]);
  assert.deepEqual(Object.fromEntries(sent[0] ?? []), {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: 'dc',
    resource: 'https://h.example/mcp',
    client_id: 'c',
  });
});

test('[CL-19] a server that does not answer is asked ever more slowly, and Retry-After is obeyed', async () => {
  const { how, waited } = against([away(), away(), { status: 503, error: 'temporarily_unavailable', retryAfter: '90' }, tokens]);

  await awaitDevice(begun, how);

  assert.deepEqual(waited, [5, 10, 20, 90]);
});

test('[CL-19] every other answer ends it at once: no, too late, and errors', async () => {
  const ends = async (answer: object) => {
    const { how, waited } = against([answer]);
    const error = await awaitDevice(begun, how).catch((reason: unknown) => reason);
    assert.equal(waited.length, 1);
    return error instanceof Failure ? error.exit : error instanceof OAuthError ? String(error.code) : 'something else';
  };

  assert.equal(await ends({ error: 'access_denied' }), 'denied');
  assert.equal(await ends({ error: 'expired_token' }), 'timedOut');
  assert.equal(await ends({ error: 'invalid_grant', error_description: 'no' }), 'invalid_grant');
  assert.equal(await ends({ status: 500 }), 'failed');
  assert.equal(await ends({ ...tokens, token_type: 'mac' }), 'refused');
});

test('[CL-19] it never polls after the code has ended', async () => {
  const { how, sent } = against([]);

  await assert.rejects(awaitDevice({ ...begun, expiresAt: 1018 }, how), (error) => error instanceof Failure && error.exit === 'timedOut');
  assert.equal(sent.length, 3);
});

test('[CL-07] [CL-15] [CL-22] it asks with scope and resource; the page is https, and what is shown cannot drive the terminal', async () => {
  const answer = { device_code: 'dc', user_code: 'WD\u001b[2JJB', verification_uri: 'https://as.example/device', expires_in: 300 };
  const { how, sent } = against([answer]);

  const waiting = await beginDevice(how);

  assert.deepEqual([waiting.intervalSeconds, waiting.expiresAt, waiting.verificationUriComplete], [5, 1300, undefined]);
  assert.ok(!waiting.userCode.includes('\u001b'));
  assert.deepEqual(Object.fromEntries(sent[0] ?? []), { scope: 'a', resource: 'https://h.example/mcp', client_id: 'c' });
  for (const wrong of ['http://as.example/device', 'javascript:alert(1)', 'file:///etc/passwd', 'nothing'])
    await assert.rejects(
      beginDevice(against([{ ...answer, verification_uri: wrong }]).how),
      (error) => error instanceof Failure && error.exit === 'refused',
      wrong,
    );
  for (const wrong of [{}, { ...answer, device_code: 5 }, { ...answer, user_code: undefined }])
    await assert.rejects(beginDevice(against([wrong]).how), (error) => error instanceof Failure && error.exit === 'failed');
  await assert.rejects(
    beginDevice(against([{ error: 'unauthorized_client' }]).how),
    (error) => error instanceof OAuthError && error.code === 'unauthorized_client',
  );
});
