import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { jwksMaxAge, publishAhead } from '../../src/crypto/signing-keys.ts';
import { createServer } from '../../src/server.ts';
import type { Statement } from '../../src/storage/driver.ts';
import { testDatabase } from '../database.ts';
import { type Stage, stage } from './token-stage.ts';

type PublicKey = Record<string, string>;
async function published({ request }: Stage): Promise<PublicKey[]> {
  return ((await (await request('/.well-known/jwks.json')).json()) as { keys: PublicKey[] }).keys;
}
const kidOf = (token: string) => String(decodeProtectedHeader(token).kid);

test('[KEY-01] the key set holds public members only, each with kid, use and alg, and may be cached for ten minutes', async () => {
  const scene = await stage();

  const response = await scene.request('/.well-known/jwks.json');

  assert.equal(response.headers.get('cache-control'), `public, max-age=${jwksMaxAge}`);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const { keys } = (await response.json()) as { keys: PublicKey[] };
  assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length);
  assert.deepEqual(keys.map(({ alg }) => alg).sort(), ['ES256', 'RS256']);
  for (const key of keys) {
    assert.equal(key.use, 'sig');
    assert.match(key.kid ?? '', /^k[\w-]{21}$/, 'no dash in front: it is typed in command lines');
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) assert.equal(secret in key, false, secret);
  }
});

test('[KEY-02] a new key is published before it signs, and the old one until its last token has ended', async () => {
  const scene = await stage();
  const old = kidOf((await scene.tokens()).access_token);

  const fresh = await scene.context.signing.rotate('ES256');
  const told = scene.untilAllNodesKnow();

  assert.ok((await published(scene)).some(({ kid }) => kid === fresh));
  assert.equal(kidOf((await scene.tokens()).access_token), old, 'not yet: caches do not know the new key');
  scene.clock.advance(publishAhead - told - 1);
  const last = (await scene.tokens()).access_token;
  assert.equal(kidOf(last), old);
  scene.clock.advance(31);
  assert.equal(kidOf((await scene.tokens()).access_token), fresh);
  scene.clock.advance(3600 - 31 - 1);
  assert.ok((await published(scene)).some(({ kid }) => kid === old));
  assert.equal((await scene.introspect(last)).active, true);
  scene.clock.advance(120);
  assert.equal(
    (await published(scene)).some(({ kid }) => kid === old),
    false,
  );
});

test('[KEY-02] an operator in a hurry has the new key sign at once, and tokens of the old one stay good', async () => {
  const scene = await stage();
  const before = (await scene.tokens()).access_token;
  const old = kidOf(before);

  const fresh = await scene.context.signing.rotate('ES256', { actor: 'cli', atOnce: true });
  scene.untilAllNodesKnow();

  const after = (await scene.tokens()).access_token;
  assert.equal(kidOf(after), fresh);
  for (const token of [before, after]) assert.equal((await scene.introspect(token)).active, true);
  assert.ok((await published(scene)).some(({ kid }) => kid === old));
  const [event] = await scene.store.listEvents({ type: 'signing_key.added', limit: 1 });
  assert.deepEqual([event?.actor, event?.detail], ['cli', { algorithm: 'ES256', kid: fresh, at_once: true }]);
  // A node that has not read the keys again yet may sign with the old one for half a minute: that token ends before its key goes.
  scene.clock.advance(30 + 3600);
  assert.ok((await published(scene)).some(({ kid }) => kid === old));
  scene.clock.advance(61);
  assert.equal(
    (await published(scene)).some(({ kid }) => kid === old),
    false,
  );
});

test('[KEY-02] a token of a key that another node made just now is good here at once, and made-up keys are not looked for without end', async () => {
  const { driver: database } = await testDatabase();
  let reads = 0;
  const read = (statement: Statement) => {
    if (statement.text.includes('from signing_keys')) reads += 1;
    return database.read(statement);
  };
  const scene = await stage({ driver: { ...database, read } });
  const { access_token: before } = await scene.tokens();
  const other = createServer(scene.context.options);
  const there = await other.context();
  await there?.signing.rotate('ES256', { atOnce: true });
  const keys = await there?.signing.current();
  const { jti: _jti, ...claims } = decodeJwt(before);
  const token = keys?.sign('at+jwt', { ...claims, jti: 'another' }) ?? '';

  assert.equal((await scene.introspect(token)).active, true);

  const [header = '', ...rest] = token.split('.');
  const made = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), kid: 'nobody' };
  const madeUp = [Buffer.from(JSON.stringify(made)).toString('base64url'), ...rest].join('.');
  reads = 0;
  for (let tried = 0; tried < 30; tried++) assert.deepEqual(await scene.introspect(madeUp), { active: false });
  assert.ok(reads <= 10, `${reads} reads`);
});

test('[KEY-02] nodes that find a key old one after the other make one successor, whatever keys they have at hand', async () => {
  const scene = await stage();
  const there = (await createServer(scene.context.options).context()) ?? assert.fail();
  const added = async () => (await scene.store.listEvents({ type: 'signing_key.added', limit: 10 })).length;
  await scene.context.signing.current();
  scene.clock.advance(scene.context.options.signingKeySeconds - 1);
  for (const { signing } of [scene.context, there]) await signing.current();
  const before = await added();
  scene.clock.advance(1);

  for (const { signing } of [scene.context, there, scene.context]) await signing.rotateIfDue();

  assert.equal((await added()) - before, 2, 'one of each algorithm');
});

test('[KEY-02] a clock that goes back behind all keys still signs, with the key that is next, and reads the keys again', async () => {
  const scene = await stage();
  const { access_token: ahead } = await scene.tokens();

  scene.clock.advance(-300);

  const { access_token: behind } = await scene.tokens();
  assert.equal(kidOf(behind), kidOf(ahead));
  const kid = await scene.context.signing.rotate('ES256');
  await scene.context.signing.drop(kidOf(ahead), 'cli');
  scene.untilAllNodesKnow();
  assert.equal(kidOf((await scene.tokens()).access_token), kid, 'the only one that is left');
});

test('[KEY-03] a dropped key leaves the set at once, its tokens fail, remembered or not, and another key signs', async () => {
  const scene = await stage();
  const { access_token, refresh_token } = await scene.tokens();
  assert.equal((await scene.introspect(access_token)).active, true);
  const compromised = kidOf(access_token);

  await scene.context.signing.drop(compromised, 'cli');
  scene.untilAllNodesKnow();

  assert.equal(
    (await published(scene)).some(({ kid }) => kid === compromised),
    false,
  );
  assert.deepEqual(await scene.introspect(access_token), { active: false });
  const next = (await (await scene.refresh(refresh_token)).json()) as { access_token: string };
  assert.notEqual(kidOf(next.access_token), compromised);
  assert.equal((await scene.introspect(next.access_token)).active, true);
});

test('[KEY-06] private keys are sealed in their rows and never logged', async () => {
  const scene = await stage();
  await scene.tokens();

  const rows = await scene.store.listSigningKeys(scene.clock.now());

  for (const { privateSealed } of rows)
    assert.doesNotMatch(`${privateSealed}${Buffer.from(privateSealed, 'base64url').toString('latin1')}`, /PRIVATE KEY|"d":/);
  assert.doesNotMatch(scene.logged.join('\n'), /PRIVATE KEY|privateSealed/);
});

test('with another secret than that of the keys no key is added, also of an algorithm that has none', async () => {
  const scene = await stage();
  await scene.context.signing.current();
  const other = createServer({ ...scene.context.options, secret: 'another secret, long enough to be taken', signingAlgorithm: 'EdDSA' });

  await assert.rejects(async () => (await other.context())?.signing.current());

  assert.deepEqual((await scene.store.listSigningKeys(scene.clock.now())).map(({ algorithm }) => algorithm).toSorted(), ['ES256', 'RS256']);
});
