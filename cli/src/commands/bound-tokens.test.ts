/** The client before our own server and SDK where only tokens bound to a key are accepted, with nonces. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { enterCode, openStage, type Stage } from '../../test/stage.ts';

type Kept = { tokens: Record<string, { accessToken: string; refreshToken: string; proofKey?: { x: string; y: string; d: string } }> };

let stage: Stage;
before(async () => {
  stage = await openStage({ dpopRequired: true, dpopNonceSecret: 'a nonce secret of thirty-two chars' });
});
after(() => stage.stop());

const file = () => join(stage.folder, 'credentials.json');
const kept = () => Object.values((JSON.parse(readFileSync(file(), 'utf8')) as Kept).tokens)[0];

test('[CL-21] the client binds its tokens where the server asks for it, and keeps the key beside them', async () => {
  const ran = await stage.cli(['try', stage.mcpUrl, '{"name":"a.txt","text":"hi"}', '--call', 'write_file', '--no-browser']);

  assert.equal(ran.exit, 0, ran.out + ran.err);
  assert.ok(ran.out.includes('Wrote a.txt'));
  assert.ok(kept()?.proofKey?.d);
  assert.equal(statSync(file()).mode & 0o777, 0o600);
  assert.ok(!(ran.out + ran.err).includes(kept()?.proofKey?.d ?? ''));
});

test('[CL-21] what is kept is used again, and renewed with the same key', async () => {
  const key = kept()?.proofKey;
  const all = JSON.parse(readFileSync(file(), 'utf8')) as Kept;
  for (const tokens of Object.values(all.tokens)) tokens.accessToken = 'ended';
  writeFileSync(file(), JSON.stringify(all));

  const renewed = await stage.cli(['try', stage.mcpUrl, '--no-login']);
  const again = await stage.cli(['try', stage.mcpUrl, '--no-login']);

  assert.equal(renewed.exit, 0, renewed.out + renewed.err);
  assert.ok(renewed.out.includes('renewed without asking you'));
  assert.equal(again.exit, 0, again.out + again.err);
  assert.deepEqual(kept()?.proofKey, key);
});

test('[CL-21] [RT-04] without its key the refresh token is worth nothing: the person is asked again', async () => {
  const all = JSON.parse(readFileSync(file(), 'utf8')) as Kept;
  for (const tokens of Object.values(all.tokens)) {
    tokens.accessToken = 'ended';
    delete tokens.proofKey;
  }
  writeFileSync(file(), JSON.stringify(all));

  const ran = await stage.cli(['try', stage.mcpUrl, '--no-login']);

  assert.equal(ran.exit, 3, ran.out + ran.err);
});

test('[CL-21] by device code the tokens are bound too, in one step and in two', async () => {
  const clear = () => writeFileSync(file(), JSON.stringify({ ...JSON.parse(readFileSync(file(), 'utf8')), tokens: {}, places: {} }));
  clear();
  const ran = await stage.cli(['login', stage.mcpUrl, '--device'], { visit: (url, _type, said) => enterCode(url, said) });
  assert.equal(ran.exit, 0, ran.out + ran.err);
  assert.ok(kept()?.proofKey?.d);
  assert.equal((await stage.cli(['try', stage.mcpUrl, '--no-login'])).exit, 0);

  clear();
  const { data } = JSON.parse((await stage.cli(['login', stage.mcpUrl, '--no-wait', '--json'])).out);
  await enterCode(data.browser_url, data.user_code);
  const done = await stage.cli(['login', '--check', data.id, '--json']);
  assert.equal(done.exit, 0, done.out + done.err);
  assert.ok(kept()?.proofKey?.d);
  assert.equal((await stage.cli(['try', stage.mcpUrl, '--no-login'])).exit, 0);
});
