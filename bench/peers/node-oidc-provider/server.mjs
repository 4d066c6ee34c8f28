/**
 * node-oidc-provider as a subject (bench/subject.ts), set up for the same work: PKCE, resource indicators, rotation, ES256. It keeps everything in memory and
 * commits nothing. `jwt` or `opaque` says which access tokens it issues; it cannot introspect or revoke JWTs. Plain JavaScript: it is not part of this project.
 */
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [, format = 'jwt'] = process.argv.slice(2);
const app = { id: 'client_bench', redirectUri: 'http://127.0.0.1:4711/callback' };
const machine = { id: 'machine_bench', secret: 'machine-secret-of-the-benchmark' };
const resource = 'https://mcp.example.com/mcp';
const scope = 'files:read files:write';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/** The least that a store in memory can do; the built-in one forgets after 1000 entries. */
class MapAdapter {
  static rows = new Map();
  constructor(model) {
    this.model = model;
  }
  key(id) {
    return `${this.model}:${id}`;
  }
  async upsert(id, payload) {
    MapAdapter.rows.set(this.key(id), payload);
  }
  async find(id) {
    return MapAdapter.rows.get(this.key(id));
  }
  async findByUid() {}
  async findByUserCode() {}
  async consume(id) {
    MapAdapter.rows.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) {
    MapAdapter.rows.delete(this.key(id));
  }
  async revokeByGrantId() {}
}

const keys = [
  { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'es' },
  { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'rs' },
];
const provider = new Provider('https://auth.example.com', {
  adapter: MapAdapter,
  jwks: { keys },
  clients: [
    {
      client_id: app.id,
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [app.redirectUri],
    },
    { client_id: machine.id, client_secret: machine.secret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
  ],
  scopes: ['openid', 'offline_access', ...scope.split(' ')],
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope, audience: resource, accessTokenTTL: 3600, accessTokenFormat: format, jwt: { sign: { alg: 'ES256' } } }),
    },
  },
});
provider.proxy = false;

async function newCode() {
  const client = await provider.Client.find(app.id);
  const grant = new provider.Grant({ accountId: 'usr_bench', clientId: app.id });
  grant.addResourceScope(resource, scope);
  const grantId = await grant.save();
  const code = new provider.AuthorizationCode({
    accountId: 'usr_bench',
    client,
    grantId,
    gty: 'authorization_code',
    codeChallenge: challenge,
    codeChallengeMethod: 'S256',
    redirectUri: app.redirectUri,
    resource,
    scope,
  });
  return code.save();
}

const server = provider.listen(0, '127.0.0.1', () => {
  const opaque = format === 'opaque';
  process.send({
    port: server.address().port,
    introspector: { Authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
    people: [],
    paths: {
      token: '/token',
      metadata: '/.well-known/openid-configuration',
      jwks: '/jwks',
      introspect: opaque ? '/token/introspection' : undefined,
      revoke: opaque ? '/token/revocation' : undefined,
    },
  });
});
process.on('disconnect', () => process.exit());
process.on('message', async ({ codes }) => {
  const made = [];
  for (let count = 0; count < codes; count += 1) made.push(await newCode());
  process.send({ codes: made });
});
