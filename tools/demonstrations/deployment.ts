/**
 * What an operator starts: not the sources, but the packages that `npm run build` makes, with what they depend on and nothing else, as the Dockerfile puts them
 * together. A dependency that is only there for development, a file that was not published, a message left behind is noticed here.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { freePort, type Program } from '../documents/program.ts';
import { type Image, makeImage } from './image.ts';

const tool = 'https://tasks.example.com';
const env: Record<string, string> = {
  AUTH_AGENT_ISSUER: 'https://auth.example.com',
  AUTH_AGENT_SECRET: randomBytes(48).toString('base64'),
  AUTH_AGENT_TRUSTED_PROXIES: '127.0.0.1',
};
let image: Image;
let server: Program;
let address = '';

before(async () => {
  image = await makeImage();
  env['AUTH_AGENT_PORT'] = String(await freePort());
  address = `http://127.0.0.1:${env['AUTH_AGENT_PORT']}`;
});
after(() => {
  server?.[Symbol.dispose]();
  image?.remove();
});

test('what the Dockerfile makes starts, and finds itself well', async () => {
  server = image.start('exec auth-agent start', env);
  await server.says(/server\.ready/);

  using check = image.start(image.healthcheck.replace(':9000', `:${env['AUTH_AGENT_PORT']}`), env);
  await check.ends();

  assert.match(image.healthcheck, /health\/ready/);
  assert.equal(check.status(), 0);
});

test('its command line writes to the database of the server, and has its list of common passwords', async () => {
  await ran('auth-agent db status');
  await ran(`printf 'a sentence nobody else has' | auth-agent users add op --role operator --email op@example.com --password-stdin`);
  using usual = image.start(`printf 'password1234' | auth-agent users add usual --password-stdin`, env);
  const printed = await usual.ends();

  assert.equal(usual.status(), 6);
  assert.match(printed, /tried first/);
});

test('a machine gets a token, a key set verifies it, and a person gets the page to sign in, in her language', async () => {
  await ran(`auth-agent servers add ${tool} --name Tasks --scope tasks:read`);
  const machine = JSON.parse(await ran(`auth-agent clients add --name Nightly --machine --scope tasks:read --resource ${tool} --json`)).data;
  const app = JSON.parse(await ran('auth-agent clients add --name App --redirect-uri https://app.example.com/cb --json')).data;

  const basic = Buffer.from(`${machine.client_id}:${machine.client_secret}`).toString('base64');
  const answer = await fetch(`${address}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token = '' } = (await answer.json()) as Record<string, string>;
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
  const { keys } = (await (await fetch(`${address}/.well-known/jwks.json`)).json()) as { keys: { kid: string }[] };
  const asked = { client_id: app.client_id, redirect_uri: 'https://app.example.com/cb', response_type: 'code', scope: 'tasks:read', resource: tool };
  const pkce = { code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' };
  const page = await fetch(`${address}/oauth/authorize?${new URLSearchParams({ ...asked, ...pkce })}`, { headers: { 'accept-language': 'de' } });
  const html = await page.text();

  assert.equal(answer.status, 200);
  assert.ok(keys.some(({ kid }) => kid === header.kid));
  assert.match(html, /<html lang="de"/);
  assert.match(html, /name="password"/);
});

test('asked to stop it ends by itself, with nothing to complain of', async () => {
  server.stop();
  const printed = await server.ends();

  assert.equal(server.status(), 0);
  assert.match(printed, /server\.stopped/);
  assert.doesNotMatch(printed, /"level":"(warn|error)"/);
});

/** What a command printed that must succeed. */
async function ran(command: string): Promise<string> {
  using program = image.start(command, env);
  const printed = await program.ends();
  assert.equal(program.status(), 0, printed);
  return printed;
}
