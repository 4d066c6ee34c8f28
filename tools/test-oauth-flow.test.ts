/** `./test-oauth-flow.sh` holds against a real server, and tells what is wrong when something is. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { startDevelopment } from '../server/src/runtimes/node.ts';
import { freePort } from './documents/program.ts';

const script = new URL('../test-oauth-flow.sh', import.meta.url).pathname;
const missing = ['bash', 'curl', 'openssl'].filter((tool) => spawnSync(tool, ['--version']).error);
const skip = missing.length > 0 && `${missing.join(' and ')} not installed`;
const quiet = { info() {}, warn() {}, error: console.error };

test('the script prints six numbered lines and leaves no server behind', { skip }, async () => {
  const { issuer, stop } = await startDevelopment({ port: 0, ephemeral: true, log: quiet });
  const serversBefore = await serversOf(issuer);

  const { code, stdout, stderr } = await run({ AUTH_AGENT_URL: issuer });
  const serversAfter = await serversOf(issuer);
  await stop();

  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(
    stdout.match(/^\d ✓ [^:]+/gm),
    ['Registered a test MCP server', 'Generated an API key', 'Discovery', 'PKCE challenge', 'Authorization URL', 'Introspection'].map(
      (text, index) => `${index + 1} ✓ ${text}`,
    ),
  );
  assert.doesNotMatch(stdout, /sk_\w+_\w+/, 'the secret was printed');
  assert.deepEqual(serversAfter, serversBefore);
});

test('nobody listening, a wrong owner token and another issuer end it with status 1 and the reason', { skip }, async () => {
  const { issuer, port, stop } = await startDevelopment({ port: 0, ephemeral: true, log: quiet });

  const nobody = await run({ AUTH_AGENT_URL: `http://localhost:${await freePort()}` });
  const stranger = await run({ AUTH_AGENT_URL: issuer, AUTH_AGENT_OWNER_TOKEN: 'aat_wrong' });
  const other = await run({ AUTH_AGENT_URL: `http://127.0.0.1:${port}` });
  await stop();

  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /1 ✗ Nobody answers at .* npm start/);
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /1 ✗ .* wants an owner token: set AUTH_AGENT_OWNER_TOKEN/);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /3 ✗ it calls itself http:\/\/localhost:/);
});

async function serversOf(issuer: string): Promise<string[]> {
  const { servers } = (await (await fetch(`${issuer}/api/servers`)).json()) as { servers: { server_id: string }[] };
  return servers.map(({ server_id: id }) => id).sort();
}

function run(env: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AUTH_AGENT_')));
  return new Promise((resolve) => {
    execFile(script, { env: { ...own, ...env } }, (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }));
  });
}
