/**
 * An MCP server calls the next one for the person whose agent called it (RFC 8693): the token the agent sent is exchanged for one that is good at the other
 * server only, says who acts through whom, and allows no more than agent and server were each allowed by the person. Not here: reading the token (subject.ts),
 * the person's approval (authorize/, like any other consent).
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context } from '../../context.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import { isByOperator } from '../../rules/registered-by.ts';
import { askedScope, identityScopes, isSubset, parseScope } from '../../rules/scope.ts';
import { findTarget, type Target } from '../../servers/resource.ts';
import type { Approval, Client, McpServer } from '../../storage/store.ts';
import type { AccessToken } from '../access-token.ts';
import { type Actor, actorsOf } from '../delegation.ts';
import { spendProof } from '../dpop.ts';
import { issue } from '../issue.ts';
import { checkActorToken, readSubject } from './subject.ts';
import { accessTokenType, type ExchangeRequest, type RequestedTokenType } from './token-type.ts';

export const delegatedAccess: RequestedTokenType = { name: accessTokenType, exchange };

/** How old a note of use may be before it is written again: an exchange that changes nothing writes nothing. */
const noteSeconds = 60;

async function exchange(request: ExchangeRequest, context: Context): Promise<Answer> {
  const asked = askedScope(request.parameters.get('scope'));

  const server = await serverOf(request.client, context);
  const subject = await readSubject(request, server, context);
  checkStaysBound(subject, request);
  await checkActorToken(request, context);
  const act = nextActor(request.client, subject, context);
  const target = await exchangeTarget(request, subject, context);
  const { approval, scope } = await approvedScope(asked, { subject, client: request.client, target }, context);

  const dpopJkt = await spendProof(request.proof, context);
  await note(approval, { subject, act, scope, target, request }, context);
  context.uses.grant(approval.grant.id, context.now());
  context.uses.grant(subject.grantId, context.now());

  return issue(
    {
      grantId: approval.grant.id,
      subject: subject.subject,
      clientId: request.client.id,
      resource: target.resource,
      scope,
      authTime: subject.authTime,
      amr: subject.amr,
      dpopJkt,
      grantExpiresAt: Math.min(subject.expiresAt, approval.grant.expiresAt ?? Number.POSITIVE_INFINITY),
      delegation: { act, via: [{ grantId: subject.grantId, jti: subject.jti }, ...(subject.delegation?.via ?? [])] },
    },
    context,
  );
}

/** TEX-05, DCR-13: only a confidential client that an operator registered for the MCP server it speaks for. @throws {OAuthError} unauthorized_client */
async function serverOf(client: Client, context: Context): Promise<McpServer> {
  const { serverId, metadata } = client;
  const speaksForServer = isByOperator(client) && metadata.tokenEndpointAuthMethod !== 'none';
  const server = speaksForServer && serverId !== undefined ? await context.store.findServer(serverId) : undefined;
  if (!server) throw new OAuthError('unauthorized_client', 'Only a confidential client that an operator registered for an MCP server may exchange its tokens');
  return server;
}

/**
 * TEX-07: the agent proved its key to the server the token was made for, which is a confidential client of ours; only what comes of it must not be worth less.
 *
 * @throws {OAuthError} invalid_dpop_proof
 */
function checkStaysBound({ jkt }: AccessToken, { proof }: ExchangeRequest): void {
  if (jkt !== undefined && !proof)
    throw new OAuthError('invalid_dpop_proof', 'The subject token is bound to a key: a DPoP proof is required to bind the new one');
}

/**
 * RFC 8693 §4.1: "nested act claims represent prior actors". The first of them is the client the person connected.
 *
 * @throws {OAuthError} invalid_request when the client is in the chain already, or the chain is as long as it may be.
 */
function nextActor(client: Client, { clientId, delegation }: AccessToken, { options }: Context): Actor {
  const before: Actor = delegation?.act ?? { sub: clientId };
  if (actorsOf(before).includes(client.id)) throw new OAuthError('invalid_request', 'The client already acts in the chain of the subject token');
  if ((delegation?.via.length ?? 0) >= options.delegationDepth)
    throw new OAuthError('invalid_request', 'The subject token was handed on as often as it may be');
  return { sub: client.id, act: before };
}

/** RFC 8693 §2.1: `resource` and `audience` both say where the token will be used; here both name a registered MCP server. @throws {OAuthError} invalid_target */
async function exchangeTarget({ parameters, client }: ExchangeRequest, { audience }: AccessToken, context: Context): Promise<Target & { server: McpServer }> {
  const named = [...parameters.all('resource'), ...parameters.all('audience')];
  if (named.length === 0) throw new OAuthError('invalid_request', 'resource is required');
  const target = await findTarget(named, client, context);
  const { server } = target;
  if (!server || target.resource === audience) throw new OAuthError('invalid_target', 'A token is exchanged for another MCP server, and for no other resource');
  return { ...target, server };
}

type Parties = { subject: AccessToken; client: Client; target: Target };

/** TEX-05: within what the person allowed the agent here, and within what they allowed this client there. @throws {OAuthError} invalid_scope, delegation_not_approved */
async function approvedScope(asked: string[], { subject, client, target }: Parties, context: Context): Promise<{ approval: Approval; scope: string[] }> {
  const offered = target.scopes.map(({ name }) => name);
  const most = parseScope(subject.scope).filter((name) => offered.includes(name) && !identityScopes.includes(name));
  if (!isSubset(asked, most)) throw new OAuthError('invalid_scope', 'The scope exceeds that of the subject token or the scopes of the resource');

  const key = { userId: subject.subject, clientId: client.id, resource: target.resource, subjectGrantId: subject.grantId };
  const approvals = await context.store.listApprovals(key, context.now());
  const approval = approvals.find(({ grant }) => isSubset(asked, grant.scope));
  if (!approval) throw notApproved();

  const scope = asked.length > 0 ? asked : most.filter((name) => approval.grant.scope.includes(name));
  if (scope.length === 0) throw new OAuthError('invalid_scope', 'The subject token and the approval have no scope of the resource in common');
  return { approval, scope };
}

function notApproved(): OAuthError {
  return new OAuthError('delegation_not_approved', 'The person has not allowed this client to act for them there', {
    members: { code: 'delegation_not_approved' },
  });
}

type Use = { subject: AccessToken; act: Actor; scope: string[]; target: Target; request: ExchangeRequest };

/** What the person sees under connected agents, and the audit event of the first time. */
async function note({ grant, notedAt }: Approval, { subject, act, scope, target, request }: Use, context: Context): Promise<void> {
  const now = context.now();
  if (notedAt !== undefined && now - notedAt < noteSeconds) return;
  const { client, exchange } = request;
  const event = auditEvent('grant.delegated', now, `client:${client.id}`, {
    userId: subject.subject,
    clientId: client.id,
    serverId: target.server?.id,
    grantId: grant.id,
    address: exchange.address,
    requestId: exchange.requestId,
    detail: { scope, chain: actorsOf(act), subject_grant: subject.grantId },
  });
  const expiresAt = grant.expiresAt ?? now + context.options.refreshLifetimeSeconds;
  await context.store.noteDelegation({ grantId: grant.id, subjectGrantId: subject.grantId, userId: subject.subject, expiresAt }, event);
}
