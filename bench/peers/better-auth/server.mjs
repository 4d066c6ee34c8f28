/**
 * better-auth with its OAuth provider plugin as a subject (bench/subject.ts), as its documents set it up: SQLite in a file by `node:sqlite` (WAL,
 * `synchronous=FULL`, as for this server), `toNodeHandler` on node:http, JWT access tokens signed with ES256. Only its limits are off: all load comes from
 * one address. Plain JavaScript: it is not part of this project.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';

const [file = ':memory:'] = process.argv.slice(2);
const issuer = 'https://auth.example.com';
const app = { id: 'client_bench', redirectUri: 'http://127.0.0.1:4711/callback' };
const machine = { id: 'machine_bench', secret: 'machine-secret-of-the-benchmark' };
const resource = 'https://mcp.example.com/mcp';
const scope = 'files:read files:write';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
const scopes = ['offline_access', ...scope.split(' ')];

const database = new DatabaseSync(file);
database.exec('pragma journal_mode = wal; pragma synchronous = full');
const plugins = [
  jwt({ jwks: { keyPairConfig: { alg: 'ES256' } } }),
  oauthProvider({
    loginPage: '/login',
    consentPage: '/consent',
    scopes,
    resources: [resource],
    codeExpiresIn: 3600,
    clientPrivileges: () => true,
    resourcePrivileges: () => true,
  }),
];
const options = {
  baseURL: issuer,
  secret: randomBytes(32).toString('base64'),
  database,
  emailAndPassword: { enabled: true },
  disabledPaths: ['/token'],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
};
// Tables first: the provider writes its resources down when it starts.
await (await getMigrations({ ...options, plugins })).runMigrations();
const auth = betterAuth({ ...options, plugins });

// On a database that is there from an earlier start, all of it is.
const seeded = database.prepare('select 1 from "oauthClient"').get() !== undefined;
const cookie = seeded ? '' : await signUp();
if (!seeded) await seed();

async function seed() {
  await addClient(machine, {
    client_name: 'Machine',
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'client_secret_basic',
    client_credentials_scopes: scope.split(' '),
  });
  await addClient(app, {
    client_name: 'App',
    redirect_uris: [app.redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    skip_consent: true,
  });
}

/** Made as an operator makes it, then given the name and the secret that the benchmark knows. */
async function addClient({ id, secret }, body) {
  const headers = new Headers({ Cookie: cookie });
  const made = await auth.api.adminCreateOAuthClient({ headers, body });
  const hash = secret && createHash('sha256').update(secret).digest('base64url');
  database.prepare('update "oauthClient" set "clientId" = ?, "clientSecret" = ? where "clientId" = ?').run(id, hash ?? null, made.client_id);
  await auth.api.adminLinkClientResource({ headers, params: { identifier: resource, client_id: id } });
}

async function signUp() {
  const body = JSON.stringify({ name: 'Ada', email: 'ada@example.com', password: 'correct horse battery staple' });
  const headers = { 'Content-Type': 'application/json', Origin: issuer };
  const response = await auth.handler(new Request(`${issuer}/api/auth/sign-up/email`, { method: 'POST', headers, body }));
  return response.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
}

async function newCode() {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: app.id,
    redirect_uri: app.redirectUri,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    scope: scopes.join(' '),
    resource,
    state: 'af0ifjsldkj',
  });
  const response = await auth.handler(new Request(`${issuer}/api/auth/oauth2/authorize?${query}`, { headers: { Cookie: cookie } }));
  const code = new URL(response.headers.get('location') ?? issuer).searchParams.get('code');
  if (!code) throw new Error(`no code: ${response.status} ${response.headers.get('location')} ${await response.text()}`);
  return code;
}

const server = createServer(toNodeHandler(auth));
server.listen(0, '127.0.0.1', () =>
  process.send({
    port: server.address().port,
    introspector: { Authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
    people: [],
    paths: {
      token: '/api/auth/oauth2/token',
      metadata: '/api/auth/.well-known/oauth-authorization-server',
      jwks: '/api/auth/jwks',
      introspect: '/api/auth/oauth2/introspect',
    },
  }),
);
process.on('disconnect', () => process.exit());
process.on('message', async ({ codes }) => {
  const made = [];
  for (let count = 0; count < codes; count += 1) made.push(await newCode());
  process.send({ codes: made });
});
