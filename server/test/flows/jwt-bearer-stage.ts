/** The stage for stories about the word of others: a company and a cluster that are trusted here, each with a key, and who their subjects are. */
import { auditEvent } from '../../src/audit/event.ts';
import type { ServerOptions } from '../../src/options.ts';
import type { Client, TrustedIssuer } from '../../src/storage/store.ts';
import { issuer, start } from '../harness.ts';
import { type Signer, signer } from '../signer.ts';
import { basic, type Stage, stage } from './token-stage.ts';

export const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const company = 'https://idp.example';
export const cluster = 'https://kubernetes.example';
export const resource = 'https://mcp.example.com/mcp';
export const subject = 'system:serviceaccount:agents:nightly';

export type Trusting = Stage & {
  idp: Signer;
  platform: Signer;
  /** Registered for jwt-bearer, with the secret `cs_agent`. */
  agent: Client;
  trust(issuer: Partial<TrustedIssuer>): Promise<unknown>;
  /** An identity assertion of the company, good unless changed. */
  idJag(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** A token of the cluster, good unless changed. */
  workloadToken(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
  /** What the agent sends with an identity assertion. */
  redeem(assertion: string, more?: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
  /** What a workload sends. */
  enter(assertion: string, more?: Record<string, string>): Promise<Response>;
};

let ids = 0;

/** The claims of a good identity assertion. */
export const goodClaims = (now = start): Record<string, unknown> => ({
  iss: company,
  sub: 'U019488227',
  aud: issuer,
  client_id: 'agent',
  resource,
  scope: 'files:read files:write',
  jti: `jag-${++ids}`,
  iat: now,
  exp: now + 300,
});

export async function trusting(overrides: Partial<ServerOptions> = {}): Promise<Trusting> {
  const scene = await stage(overrides);
  const { store, clock, user } = scene;
  const idp = signer('idp-1');
  const platform = signer('platform-1', 'RS256');
  const event = (type: Parameters<typeof auditEvent>[0]) => auditEvent(type, clock.now(), 'test');
  const trust = (given: Partial<TrustedIssuer>) =>
    store.addIssuer({ issuer: company, kind: 'identity', provisioning: 'linked', once: true, createdAt: clock.now(), ...given }, event('issuer.trusted'));
  await trust({ jwks: { keys: [idp.jwk] } });
  await trust({ issuer: cluster, kind: 'workload', provisioning: undefined, once: false, jwks: { keys: [platform.jwk] } });
  await store.linkIdentity({ issuer: company, subject: 'U019488227', userId: user.id }, event('identity.linked'));
  const metadata = { grantTypes: [grantType], redirectUris: [], responseTypes: [] };
  const agent = await scene.addClient({ id: 'agent', secret: 'cs_agent', metadata });
  await scene.addClient({ id: 'nightly', defaultResource: resource, metadata: { ...metadata, scope: 'files:read' } });
  await store.addWorkload({ issuer: cluster, subject, clientId: 'nightly' }, event('workload.added'));

  return {
    ...scene,
    idp,
    platform,
    agent,
    trust,
    idJag: (claims = {}, header = {}) => idp.sign({ ...goodClaims(clock.now()), ...claims }, { typ: 'oauth-id-jag+jwt', ...header }),
    workloadToken: (claims = {}, header = {}) =>
      platform.sign({ iss: cluster, sub: subject, aud: [issuer], iat: clock.now(), exp: clock.now() + 3600, jti: `w-${++ids}`, ...claims }, header),
    redeem: (assertion, more = {}, headers = basic('agent', 'cs_agent')) => scene.post('/token', { grant_type: grantType, assertion, ...more }, headers),
    enter: (assertion, more = {}) => scene.post('/token', { grant_type: grantType, assertion, ...more }),
  };
}
