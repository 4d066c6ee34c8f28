/**
 * Keycloak as a subject (bench/subject.ts), set up as its documents say for production behind a proxy that ends TLS: `start --optimized`, Postgres, a fixed
 * hostname, its own cache in one node. PKCE, ES256, rotation of refresh tokens. This process starts Java and answers for it; it does nothing while Java is
 * measured. Argument: the postgres:// URL of an empty database. Plain JavaScript: it is not part of this project.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [databaseUrl = ''] = process.argv.slice(2);
const home = new URL('dist', import.meta.url).pathname;
const app = { id: 'client_bench', redirectUri: 'http://127.0.0.1:4711/callback' };
const machine = { id: 'machine_bench', secret: 'machine-secret-of-the-benchmark' };
const resource = 'https://mcp.example.com/mcp';
const scopes = ['files:read', 'files:write'];
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
/** Codes come from sessions of as many people, so that no row of a session is written by everybody. */
const people = Array.from({ length: 64 }, (_, index) => ({ username: `person${index}`, password: 'correct horse battery staple' }));
/** Java's heap: what its documents give a small node. */
const heap = '-Xms512m -Xmx1400m';

const began = performance.now();
const port = await freePort();
mkdirSync(`${home}/data/import`, { recursive: true });
writeFileSync(`${home}/data/import/bench-realm.json`, JSON.stringify(realm()));
const database = new URL(databaseUrl);
const keycloak = spawn(
  `${home}/bin/kc.sh`,
  [
    'start',
    '--optimized',
    '--import-realm',
    `--db-url=jdbc:postgresql://${database.host}${database.pathname}`,
    `--db-username=${database.username}`,
    '--db-password=trusted',
    '--http-enabled=true',
    '--http-host=127.0.0.1',
    `--http-port=${port}`,
    '--hostname=https://auth.example.com',
    '--proxy-headers=xforwarded',
    '--cache=local',
    '--log-level=warn',
  ],
  { env: { ...process.env, JAVA_OPTS_KC_HEAP: heap }, stdio: ['ignore', 'inherit', 'inherit'] },
);
keycloak.once('exit', (code) => process.exit(code ?? 1));
process.on('SIGTERM', () => keycloak.kill());
process.on('disconnect', () => keycloak.kill());

const base = `http://127.0.0.1:${port}`;
const oidc = '/realms/bench/protocol/openid-connect';
await firstAnswer();
const startMilliseconds = performance.now() - began;
let cookies;

process.on('message', async ({ codes }) => {
  cookies ??= await inTurn(people.length, signIn);
  process.send({ codes: await inTurn(codes, newCode) });
});
process.send({
  port,
  pid: javaPid(),
  startMilliseconds,
  introspector: { Authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
  people: [],
  paths: {
    token: `${oidc}/token`,
    metadata: '/realms/bench/.well-known/openid-configuration',
    jwks: `${oidc}/certs`,
    introspect: `${oidc}/token/introspect`,
    revoke: `${oidc}/revoke`,
  },
});

function realm() {
  const subject = { name: 'sub', protocol: 'openid-connect', protocolMapper: 'oidc-sub-mapper', config: { 'access.token.claim': 'true' } };
  const audience = {
    name: 'audience',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'included.custom.audience': resource, 'access.token.claim': 'true' },
  };
  const client = { enabled: true, defaultClientScopes: ['basic'], optionalClientScopes: scopes, protocolMappers: [audience] };
  return {
    realm: 'bench',
    enabled: true,
    defaultSignatureAlgorithm: 'ES256',
    revokeRefreshToken: true,
    refreshTokenMaxReuse: 0,
    // Long enough that what is prepared is still good when it is sent.
    accessCodeLifespan: 3600,
    accessTokenLifespan: 3600,
    ssoSessionIdleTimeout: 36_000,
    clientScopes: [
      { name: 'basic', protocol: 'openid-connect', attributes: { 'include.in.token.scope': 'false' }, protocolMappers: [subject] },
      ...scopes.map((name) => ({ name, protocol: 'openid-connect', attributes: { 'include.in.token.scope': 'true' } })),
    ],
    clients: [
      {
        ...client,
        clientId: machine.id,
        secret: machine.secret,
        serviceAccountsEnabled: true,
        standardFlowEnabled: false,
      },
      {
        ...client,
        clientId: app.id,
        publicClient: true,
        standardFlowEnabled: true,
        redirectUris: [app.redirectUri],
        attributes: { 'pkce.code.challenge.method': 'S256' },
      },
    ],
    users: people.map(({ username, password }) => ({
      username,
      enabled: true,
      email: `${username}@example.com`,
      emailVerified: true,
      firstName: 'Ada',
      lastName: 'Person',
      credentials: [{ type: 'password', value: password }],
    })),
  };
}

/** Until it answers, which is what an operator waits for. */
async function firstAnswer() {
  for (;;) {
    const response = await fetch(`${base}/realms/bench/.well-known/openid-configuration`).catch(() => undefined);
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function authorizationRequest() {
  return `${base}${oidc}/auth?${new URLSearchParams({
    response_type: 'code',
    client_id: app.id,
    redirect_uri: app.redirectUri,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    scope: scopes.join(' '),
    state: 'af0ifjsldkj',
  })}`;
}

/** Signs in as a browser does; the cookies of the session. */
async function signIn(index) {
  const page = await fetch(authorizationRequest(), { redirect: 'manual' });
  const action = /action="([^"]+)"/.exec(await page.text())?.[1]?.replaceAll('&amp;', '&');
  if (!action) throw new Error(`no form of Keycloak: ${page.status}`);
  const { pathname, search } = new URL(action);
  const body = new URLSearchParams({ ...people[index], credentialId: '' });
  const answer = await fetch(base + pathname + search, { method: 'POST', body, redirect: 'manual', headers: { Cookie: cookiesOf(page) } });
  if (answer.status !== 302) throw new Error(`no session of Keycloak: ${answer.status}`);
  return cookiesOf(answer);
}

async function newCode(index) {
  const response = await fetch(authorizationRequest(), { redirect: 'manual', headers: { Cookie: cookies[index % cookies.length] } });
  const code = new URL(response.headers.get('location') ?? base).searchParams.get('code');
  await response.arrayBuffer();
  if (!code) throw new Error(`no code of Keycloak: ${response.status}`);
  return code;
}

function cookiesOf(response) {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .filter((cookie) => !cookie.endsWith('='))
    .join('; ');
}

/** Eight at a time, in their order. */
async function inTurn(count, make) {
  const made = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      made[index] = await make(index);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return made;
}

/** kc.sh starts Java as its child. */
function javaPid() {
  return Number(readFileSync(`/proc/${keycloak.pid}/task/${keycloak.pid}/children`, 'utf8').trim().split(' ')[0]);
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
