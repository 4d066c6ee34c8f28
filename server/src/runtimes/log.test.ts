import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { LogFields } from '../context.ts';
import { newWebhookSecret } from '../crypto/webhook-signature.ts';
import { newKey } from '../servers/key-value.ts';
import { newOwnerToken } from '../servers/owner-token.ts';
import { type LogFormat, nodeLog } from './log.ts';
import { redactText } from './redact.ts';

function logged(format: LogFormat, event: string, fields: LogFields, cause?: unknown): string {
  const lines: string[] = [];
  nodeLog({ format, now: () => 0, output: { write: (line) => lines.push(line) } }).error(event, fields, cause);
  return lines.join('');
}

const random = (bytes = 32) => randomBytes(bytes).toString('base64url');
const jwt = `eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ1c3JfMSJ9.${random(64)}`;

test('[TOK-10] [KEY-06] whatever looks like a token, code, secret or key is masked wherever it stands', () => {
  for (let round = 0; round < 50; round++) {
    const canaries = [
      jwt,
      `ac_${random()}`,
      `rt_${random(48)}`,
      newOwnerToken('usr_1', 'x', 0).value,
      `st_${random()}`,
      newKey().secret,
      newWebhookSecret(),
      random(),
      randomBytes(32).toString('hex'),
    ];
    const wrappings = [
      (secret: string) => secret,
      (secret: string) => `the value ${secret} was refused`,
      (secret: string) => `Authorization: Bearer ${secret}`,
      (secret: string) => `/callback?code=${secret}&state=abc`,
      (secret: string) => `{"refresh_token":"${secret}"}`,
      (secret: string) => `duplicate key (token_hash)=(${secret})`,
    ];
    for (const canary of canaries)
      for (const wrap of wrappings)
        for (const format of ['json', 'pretty'] as const) {
          const text = wrap(canary);
          const written = logged(format, 'test', { text }, new Error(text, { cause: new Error(text) }));
          // The last part is the secret one; a key's id may stay.
          assert.ok(!written.includes(canary) && !written.includes(canary.slice(-20)), `${written} hides ${canary}`);
          assert.ok(!written.includes('eyJzdWIi'), 'the claims of a token are masked, too');
        }
  }
});

test('[TOK-10] fields with a secret name are masked whatever they hold', () => {
  const written = logged('json', 'test', {
    password: 'hunter2',
    client_secret: 'short',
    cookie: 'a=b',
    code_verifier: 'v',
    api_key: 'k',
    code: 'invalid_grant',
  });

  for (const canary of ['hunter2', 'short', 'a=b', '"v"', '"k"']) assert.ok(!written.includes(canary));
  assert.match(written, /"code":"invalid_grant"/);
});

test('[TOK-10] passwords in addresses, parameters in URLs and PEM blocks are masked', () => {
  const pem = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----';
  const text = redactText(`postgres://app:pw123@db/x https://c.example/cb?code=abc&state=xyz client_secret=s3cr3t Basic dXNlcjpwYXNz ${pem}`);

  for (const canary of ['pw123', 'abc', 'xyz', 's3cr3t', 'dXNlcjpwYXNz', 'MIGH']) assert.ok(!text.includes(canary), canary);
});

test('what a reader needs stays readable', () => {
  const text =
    'request req_Ab3dE9fG0001 of client_k3JdX0aQm2LpZ9vB for srv_8Qm2LpZk3JdX0aQm key sk_7fK3x9Qm2LpZ grant grant_k3JdX0aQm2LpZ9vB user usr_k3JdX0aQm2LpZ9vB';

  assert.equal(redactText(text), text);
  assert.equal(redactText('/api/servers/srv_8Qm2LpZk3JdX0aQm/keys'), '/api/servers/srv_8Qm2LpZk3JdX0aQm/keys');
  assert.equal(
    redactText('at file:///srv/app/node_modules/pg/lib/connection-parameters-of-this-server/index.js:12:3'),
    'at file:///srv/app/node_modules/pg/lib/connection-parameters-of-this-server/index.js:12:3',
  );
});

test('a line is one JSON object, and no field can pretend to be its time, level or event', () => {
  const written = logged('json', 'request.refused', { event: 'user.signed_in', level: 'info', time: 'x', text: 'a\nb', gone: undefined });

  assert.equal(written.split('\n').length, 2);
  assert.deepEqual(JSON.parse(written), { time: '1970-01-01T00:00:00.000Z', level: 'error', event: 'request.refused', text: 'a\nb' });
});

test('no control character of a stranger reaches a terminal', () => {
  const written = logged('pretty', 'test', { text: 'a\u001b[2Jb\r\nfake line\u202E' });

  assert.equal(written, '00:00:00 error test text=a\\u001b[2Jb\\u000d\\u000afake line\\u202e\n');
});

test('an error is written with its causes and without its other properties', () => {
  const cause = Object.assign(new Error('outer', { cause: new Error('inner') }), { parameters: ['hunter2'] });
  const written = logged('json', 'request.failed', {}, cause);

  assert.match(written, /outer.*caused by Error: inner/);
  assert.ok(!written.includes('hunter2'));
});

test('lines below the level are dropped', () => {
  const lines: string[] = [];
  const log = nodeLog({ format: 'json', level: 'warn', output: { write: (line) => lines.push(line) } });
  log.info('one');
  log.warn('two');

  assert.deepEqual(
    lines.map((line) => JSON.parse(line).event),
    ['two'],
  );
});
