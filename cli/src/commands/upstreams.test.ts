import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { openDatabase, openStorage, ROOT_TENANT } from 'auth-agent-mcp-server/node';
import { run } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-upstreams-'));
after(() => rmSync(folder, { recursive: true }));
const databaseUrl = `sqlite:${join(folder, 'auth-agent.db')}`;
const env = {
  AUTH_AGENT_DATABASE_URL: databaseUrl,
  AUTH_AGENT_ISSUER: 'https://auth.example.com',
  AUTH_AGENT_SECRET: randomBytes(32).toString('base64'),
  LANG: 'en_US.UTF-8',
};
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const secretFile = file('secret', 'GOCSPX-very-secret\n');

async function cli(line: string) {
  const out: string[] = [];
  const terminal = {
    env,
    stdin: Object.assign(Readable.from(['']), { isTTY: false }),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => out.push(text) },
    untilStopped: async () => 'SIGINT' as const,
  };
  const exit = await run(line.split(' '), terminal);
  return { exit, out: out.join('') };
}
async function data(line: string) {
  const { exit, out } = await cli(`${line} --json`);
  assert.equal(exit, 0, out);
  return JSON.parse(out).data;
}
const rows = async () => {
  const storage = openStorage(await openDatabase(databaseUrl));
  const found = await storage.forTenant(ROOT_TENANT).listUpstreams();
  await storage.close();
  return found;
};

before(() => data('db migrate'));

test('a recipe knows where it is and what to ask for; the secret is sealed and printed nowhere', async () => {
  const added = await cli(`upstreams add google --client-id 123.apps --client-secret-file ${secretFile}`);

  assert.equal(added.exit, 0, added.out);
  assert.match(added.out, /https:\/\/auth\.example\.com\/login\/upstream\/google\/callback/);
  const [row] = await rows();
  assert.deepEqual([row?.issuer, row?.name, row?.recipe, row?.scope], ['https://accounts.google.com', 'Google', 'google', ['openid', 'profile', 'email']]);
  const everything = JSON.stringify(await rows()) + added.out + (await cli('upstreams list --json')).out + (await cli('upstreams list')).out;
  assert.doesNotMatch(everything, /GOCSPX/);
});

test('a key may take the place of the secret, and is changed without touching anything else', async () => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  await data(`upstreams add acme https://login.acme.example --name Acme --client-id auth-agent --client-key-file ${file('key.pem', pem)}`);
  const before = (await rows()).find(({ id }) => id === 'acme');
  await data(`upstreams secret acme --client-secret-file ${secretFile}`);
  const after = (await rows()).find(({ id }) => id === 'acme');

  assert.notEqual(before?.credentialSealed, after?.credentialSealed);
  assert.deepEqual({ ...before, credentialSealed: '' }, { ...after, credentialSealed: '' });
});

test('what cannot be an upstream is refused before anything is written', async () => {
  for (const [line, exit] of [
    ['upstreams add', 2],
    [`upstreams add google --client-id x --client-secret-file ${secretFile}`, 5],
    [`upstreams add google2 --recipe google --client-id x --client-secret-file ${secretFile}`, 5],
    ['upstreams add UPPER https://x.example --name X --client-id x', 2],
    ['upstreams add x --name X --client-id x', 2],
    ['upstreams add x https://x.example --client-id x', 2],
    ['upstreams add x https://x.example --name X', 2],
    ['upstreams add x http://x.example --name X --client-id x', 2],
    ['upstreams add x http://localhost:1 --name X --client-id x', 2],
    ['upstreams add x http://x.example --name X --client-id x --private-network', 2],
    ['upstreams add x https://x.example?q --name X --client-id x', 2],
    ['upstreams add x https://auth.example.com --name X --client-id x', 6],
    ['upstreams add x https://x.example --name X --client-id x --recipe gitlab', 2],
    ['upstreams add github --client-id x', 2],
    [`upstreams add github https://evil.example --client-id x --client-secret-file ${secretFile}`, 2],
    [`upstreams add microsoft https://login.microsoftonline.com/evil/v2.0 --client-id x --client-secret-file ${secretFile}`, 2],
    [`upstreams add x https://x.example --name X --client-id x --client-secret-file ${secretFile} --client-key-file ${secretFile}`, 2],
    [`upstreams add x https://x.example --name X --client-id x --client-key-file ${secretFile}`, 2],
    ['upstreams add x https://x.example --name X --client-id x --client-secret-file /nowhere', 4],
    ['upstreams check never', 4],
    ['upstreams secret acme', 2],
    ['upstreams rm never --yes', 4],
    ['upstreams rm acme', 2],
  ] as const)
    assert.equal((await cli(line)).exit, exit, line);

  assert.deepEqual((await rows()).map(({ id }) => id).toSorted(), ['acme', 'google']);
});

test('an upstream is asked for its metadata; one on loopback only when it was added as such', async (t) => {
  const listening = createServer((_, answer) =>
    answer
      .writeHead(200, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ issuer: origin, authorization_endpoint: `${origin}/go`, token_endpoint: `${origin}/token`, jwks_uri: `${origin}/jwks` })),
  ).listen(0, '127.0.0.1');
  t.after(() => listening.close());
  await new Promise((ready) => listening.once('listening', ready));
  const origin = `http://localhost:${(listening.address() as AddressInfo).port}`;
  await data(`upstreams add local ${origin} --name Local --client-id x --private-network`);
  await data('upstreams add hidden https://127.0.0.1:1 --name Hidden --client-id x');

  assert.equal((await data('upstreams check local')).authorization_endpoint, `${origin}/go`);
  assert.equal((await cli('upstreams check hidden')).exit, 7);
});

test('what is removed is gone', async () => {
  await data('upstreams rm acme --yes');
  assert.equal(
    (await rows()).some(({ id }) => id === 'acme'),
    false,
  );
});
