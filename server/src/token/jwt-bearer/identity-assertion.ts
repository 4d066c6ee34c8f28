/**
 * Redeems an identity assertion (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant; MCP Enterprise-Managed Authorization): a company says that a client may
 * act for one of its people at one of our servers, and the person is not asked. They see the grant and can end it; no refresh token, the company is asked again.
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context } from '../../context.ts';
import { randomId, randomIdAt, randomWord } from '../../crypto/random.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import { askedScope, identityScopes, isSubset, parseScope } from '../../rules/scope.ts';
import { findTarget, type Target } from '../../servers/resource.ts';
import type { Client, User } from '../../storage/store.ts';
import { displayText } from '../../views/display-text.ts';
import { spendProof } from '../dpop.ts';
import type { TokenRequest } from '../grants/grant-type.ts';
import { checkResource } from '../grants/narrow.ts';
import { issue } from '../issue.ts';
import { grantPaused } from '../paused.ts';
import { type Believed, believe, notValid, useUp } from './trusted-assertion.ts';

/** JAG-01: the one `typ` of an identity assertion; an ID token or an access token has another. */
export const idJagType = 'oauth-id-jag+jwt';
const maxLifetimeSeconds = 600;

export async function redeemIdentityAssertion(assertion: string, request: TokenRequest, context: Context): Promise<Answer> {
  const asked = askedScope(request.parameters.get('scope'));

  checkConfidential(request.client);
  const believed = await believe(assertion, { kind: 'identity', types: [idJagType], maxLifetimeSeconds }, context);
  checkHolder(believed, request);
  const target = await assertedTarget(believed, request, context);
  const scope = assertedScope(asked, believed, target);
  const known = await knownPerson(believed, context);
  await checkPerson(known, target, context);
  await checkPause(known, target, request, context);

  await useUp(believed, context);
  const dpopJkt = await spendProof(request.proof, context);
  const user = known ?? (await provision(believed, request, context));
  const granted = await ensureGrant({ believed, user, target, scope, request }, context);
  context.uses.grant(granted.grantId, context.now());

  return issue(
    {
      grantId: granted.grantId,
      subject: user.id,
      clientId: request.client.id,
      resource: target.resource,
      scope: granted.scope,
      authTime: timeOf(believed.claims.auth_time),
      grantExpiresAt: granted.expiresAt,
      dpopJkt,
    },
    context,
  );
}

/** JAG-04: "SHOULD only be supported for confidential clients". @throws {OAuthError} unauthorized_client */
function checkConfidential({ metadata }: Client): void {
  if (metadata.tokenEndpointAuthMethod === 'none') throw new OAuthError('unauthorized_client', 'Identity assertions are for confidential clients');
}

/** JAG-02, JAG-04, JAG-09. @throws {OAuthError} invalid_grant */
function checkHolder({ claims }: Believed, { client, proof }: TokenRequest): void {
  if (claims.client_id !== client.id) throw notValid('its client_id is another client');
  if (typeof claims.iat !== 'number') throw notValid('it has no iat');
  if (claims.cnf === undefined) return;
  const jkt = typeof claims.cnf === 'object' && claims.cnf !== null ? (claims.cnf as Record<string, unknown>).jkt : undefined;
  if (typeof jkt !== 'string' || jkt !== proof?.jkt) throw notValid('it is bound to a key that the request does not prove');
}

/** JAG-05: `aud` and `resource` are a pair; a request may repeat the resource and not choose another. @throws {OAuthError} invalid_grant, invalid_target */
async function assertedTarget({ claims }: Believed, { client, parameters }: TokenRequest, context: Context): Promise<Target> {
  if (typeof claims.resource !== 'string') throw notValid('it names no resource');
  const target = await findTarget([claims.resource], client, context).catch(() => undefined);
  if (!target?.server) throw notValid('its resource is not an MCP server here');
  checkResource(parameters.all('resource'), target.resource);
  return target;
}

/** EMA §7.2.1, §7.6.2: what both the company and the client ask for, and nothing that this server does not know. @throws {OAuthError} invalid_grant, invalid_scope */
function assertedScope(asked: string[], { claims }: Believed, target: Target): string[] {
  if (claims.scope !== undefined && typeof claims.scope !== 'string') throw notValid('its scope is no string');
  const offered = target.scopes.map(({ name }) => name).filter((name) => !identityScopes.includes(name));
  const asserted = claims.scope === undefined ? target.defaultScopes : parseScope(claims.scope);
  if (!isSubset(asserted, offered)) throw notValid('its scope is not of its resource');
  const scope = asked.length > 0 ? asserted.filter((name) => asked.includes(name)) : asserted;
  if (scope.length === 0) throw new OAuthError('invalid_scope', 'The assertion allows none of the scopes');
  return scope;
}

/** JAG-10: by issuer and subject, and by nothing else that the assertion says. @throws {OAuthError} invalid_grant */
async function knownPerson({ issuer, subject }: Believed, context: Context): Promise<User | undefined> {
  const user = await context.store.findLinkedUser(issuer.issuer, subject);
  if (!user && issuer.provisioning !== 'create') throw notValid('its subject is nobody here');
  if (user?.disabledAt !== undefined) throw notValid('its subject is disabled here');
  return user;
}

/** AZ-37: a server that is for the people on its list is not for whom only the company knows. @throws {OAuthError} invalid_grant */
async function checkPerson(user: User | undefined, { server }: Target, { store }: Context): Promise<void> {
  if (server?.people === undefined || (user && (await store.mayUseServer({ serverId: server.id, userId: user.id })))) return;
  throw notValid('its subject may not use this server');
}

/** ACC-01: before the assertion is used up, so that it is good when the agent is resumed. @throws {OAuthError} access_denied */
async function checkPause(user: User | undefined, { resource }: Target, { client }: TokenRequest, { store, now }: Context): Promise<void> {
  if (user && (await store.agentPause({ userId: user.id, clientId: client.id, resource }, now()))) throw grantPaused();
}

/** A new person without a password and without an e-mail address, which would have to be proven first. */
async function provision({ issuer, subject, claims }: Believed, { client, exchange }: TokenRequest, context: Context): Promise<User> {
  const now = context.now();
  const name = typeof claims.name === 'string' ? displayText(claims.name, 100) : '';
  const user: User = {
    id: randomId('usr_', 12),
    username: `person-${randomWord(12).toLowerCase()}`,
    role: 'user',
    createdAt: now,
    ...(name === '' ? {} : { name }),
  };
  const about = { userId: user.id, clientId: client.id, address: exchange.address, requestId: exchange.requestId, detail: { issuer: issuer.issuer } };
  const made = await context.store.provisionIdentity(
    { issuer: issuer.issuer, subject, user },
    auditEvent('identity.provisioned', now, `client:${client.id}`, about),
  );
  if (made) return user;
  const first = await context.store.findLinkedUser(issuer.issuer, subject);
  if (!first || first.disabledAt !== undefined) throw notValid('its subject could not be made known here');
  return first;
}

type Asserted = { believed: Believed; user: User; target: Target; scope: string[]; request: TokenRequest };

/** Lasts as long as its tokens: without another assertion the company has stopped saying so. */
async function ensureGrant(
  { believed, user, target, scope, request }: Asserted,
  context: Context,
): Promise<{ grantId: string; scope: string[]; expiresAt: number }> {
  const now = context.now();
  const { client, exchange } = request;
  const { issuer } = believed.issuer;
  const expiresAt = now + context.options.accessTokenSeconds;
  const grant = {
    id: randomIdAt('grant_', now, 6),
    userId: user.id,
    clientId: client.id,
    serverId: target.server?.id,
    resource: target.resource,
    scope,
    receipt: JSON.stringify({ v: 1, at: now, asked: false, asserted_by: issuer, scopes: scope.map((name) => ({ name, granted: true })) }),
    createdAt: now,
    lastUsedAt: now,
    expiresAt,
  };
  const event = auditEvent('grant.asserted', now, `client:${client.id}`, {
    userId: user.id,
    clientId: client.id,
    serverId: grant.serverId,
    grantId: grant.id,
    address: exchange.address,
    requestId: exchange.requestId,
    detail: { issuer, scope },
  });
  const ensured = await context.store.ensureIssuerGrant({ issuer, grant }, event);
  if (!ensured) throw notValid('its issuer is not trusted any more, or the server not open to its subject');
  const { id, paused, removedScope } = ensured;
  const left = scope.filter((name) => !removedScope?.includes(name));
  if (paused || left.length === 0) throw grantPaused();
  return { grantId: id, scope: left, expiresAt };
}

function timeOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? Math.floor(value) : undefined;
}
