/**
 * An OpenID provider for tests, in which everything can be made wrong: what it signs, what it answers, how long it takes. It speaks through a `fetchUpstream` of its own, so no
 * socket is needed, and keeps what it was asked.
 */
import { sha256 } from '../src/crypto/hash.ts';
import { randomId } from '../src/crypto/random.ts';
import type { UpstreamFetch } from '../src/options.ts';
import { type Signer, signer } from './signer.ts';

type Claims = Record<string, unknown>;
export type Asked = { url: string; method: string; body: URLSearchParams; headers: Record<string, string>; privateNetwork: boolean };
type Code = { nonce: string | null; challenge: string | null; redirectUri: string | null; used: boolean };

export type Provider = {
  issuer: string;
  clientId: string;
  secret: string;
  keys: Signer;
  fetch: UpstreamFetch;
  /** Every request it got, oldest first. */
  asked: Asked[];
  metadata: Claims;
  userinfo: Claims;
  /** Changes to the next ID tokens; undefined takes a claim away. */
  claims: Claims;
  /** Makes the ID token in the place of the provider's own key. */
  sign?: (claims: Claims) => Promise<string>;
  /** Answers in its place, where it returns something. */
  instead?: (asked: Asked) => Promise<Response> | Response | undefined;
  /** What a person who agrees at this authorization address is sent back to. `changes` are of the parameters; undefined takes one away. */
  agree(authorizationUrl: string, changes?: Record<string, string | undefined>): string;
};

export function upstreamProvider(issuer: string, now: () => number, more: { metadata?: Claims } = {}): Provider {
  const codes = new Map<string, Code>();
  const keys = signer(`key of ${issuer}`, 'RS256');
  const at = (path: string) => issuer + path;

  async function answer(asked: Asked): Promise<Response> {
    const special = await self.instead?.(asked);
    if (special) return special;
    if (asked.url === at('/.well-known/openid-configuration')) return Response.json(self.metadata);
    if (asked.url === at('/jwks')) return Response.json({ keys: [keys.jwk] });
    if (asked.url === at('/userinfo')) return Response.json(self.userinfo);
    return asked.url === at('/token') ? token(asked) : new Response('nothing here', { status: 404 });
  }

  async function token({ body }: Asked): Promise<Response> {
    const code = codes.get(body.get('code') ?? '');
    const fits = code && !code.used && code.redirectUri === body.get('redirect_uri') && code.challenge === sha256(body.get('code_verifier') ?? '');
    if (!fits || body.get('client_secret') !== self.secret) return Response.json({ error: 'invalid_grant' }, { status: 400 });
    code.used = true;
    const time = now();
    const claims = Object.fromEntries(
      Object.entries({ iss: issuer, sub: 'subject-1', aud: self.clientId, iat: time, exp: time + 300, nonce: code.nonce, ...self.claims }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    return Response.json({ access_token: 'an access token', token_type: 'Bearer', id_token: await (self.sign ?? ((made) => keys.sign(made)))(claims) });
  }

  const self: Provider = {
    issuer,
    clientId: 'auth-agent',
    secret: 'secret of the client',
    keys,
    asked: [],
    metadata: {
      issuer,
      authorization_endpoint: at('/authorize'),
      token_endpoint: at('/token'),
      jwks_uri: at('/jwks'),
      userinfo_endpoint: at('/userinfo'),
      token_endpoint_auth_methods_supported: ['client_secret_post'],
      id_token_signing_alg_values_supported: ['RS256'],
      authorization_response_iss_parameter_supported: true,
      ...more.metadata,
    },
    userinfo: { sub: 'subject-1', name: 'Grace Hopper', email: 'grace@hopper.example', email_verified: true, preferred_username: 'grace' },
    claims: {},
    async fetch(url, { method, headers, body = '', privateNetwork }) {
      const asked = { url, method, headers, body: new URLSearchParams(body), privateNetwork };
      self.asked.push(asked);
      return answer(asked);
    },
    agree(authorizationUrl, changes = {}) {
      const { searchParams: given } = new URL(authorizationUrl);
      const code = randomId('', 16);
      codes.set(code, { nonce: given.get('nonce'), challenge: given.get('code_challenge'), redirectUri: given.get('redirect_uri'), used: false });
      const back = new URL(given.get('redirect_uri') ?? 'about:blank');
      for (const [name, value] of Object.entries({ code, state: given.get('state') ?? undefined, iss: issuer, ...changes }))
        if (value !== undefined) back.searchParams.set(name, value);
      return back.href;
    },
  };
  return self;
}
