/**
 * grant_type=authorization_code (OAuth 2.1 §4.1.3) with PKCE (RFC 7636): redeems a code once, and begins the refresh family. Codes are made by authorize/.
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context } from '../../context.ts';
import { sha256At } from '../../crypto/hash.ts';
import { randomId } from '../../crypto/random.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import type { Parameters } from '../../rules/parameters.ts';
import { checkVerifier } from '../../rules/pkce.ts';
import { type Client, type Code, type Grant, MAX_CODE_FAILURES } from '../../storage/store.ts';
import { checkBoundKey, spendProof } from '../dpop.ts';
import { issue } from '../issue.ts';
import { grantPaused } from '../paused.ts';
import { beginFamily } from '../refresh-family.ts';
import { askedGrant } from './asked-grant.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';

export const authorizationCode: GrantType = { name: 'authorization_code', redeem };

type Found = { code: Code; grant: Grant };

async function redeem(request: TokenRequest, context: Context): Promise<Answer> {
  const codeHash = presentedCode(request.parameters);

  const found = await context.store.findCode(codeHash, context.now());
  if (!found || found.code.clientId !== request.client.id) throw notValid('unknown, or of another client');
  await checkProofs(request, found.code, context);
  // What came of a code ends with its replay, whichever resource is named: only secrets prove a replay.
  if (found.code.redeemedAt !== undefined) throw await replayed(found, request, context);
  if (found.paused) throw grantPaused();
  if (!found.standing) throw notValid('the grant no longer stands');
  const asked = await askedGrant(request.parameters.all('resource'), found, context);
  if (asked.paused) throw grantPaused();
  if (!asked.standing) throw notValid('the grant no longer stands');

  const dpopJkt = await spendProof(request.proof, context);
  const refresh = beginFamily({ client: request.client, grant: found.grant, authTime: found.code.authTime, amr: found.code.amr, dpopJkt }, context);
  const outcome = await context.store.redeemCode({ codeHash, now: context.now(), redemptionId: randomId('red_', 12), family: refresh?.family });
  if (outcome === 'spent') throw await spent(codeHash, request, context);

  return answer(found, { grant: asked.grant, client: request.client, refreshToken: refresh?.token, dpopJkt }, context);
}

function presentedCode(parameters: Parameters): string {
  const code = parameters.get('code');
  if (code === undefined) throw new OAuthError('invalid_request', 'code is required');
  return sha256At(code);
}

/** Whoever holds the code but not the verifier, or not the key it is bound to, gets a few tries, then the code is dead even for those who do (COD-08). */
async function checkProofs({ parameters, proof }: TokenRequest, code: Code, context: Context): Promise<void> {
  try {
    checkRedirectUri(parameters.get('redirect_uri'), code.redirectUri);
    checkVerifier(parameters.get('code_verifier'), code.codeChallenge);
    checkBoundKey(code.dpopJkt, proof);
  } catch (error) {
    if (code.redeemedAt === undefined && code.failures < MAX_CODE_FAILURES) await context.store.failCode(code.codeHash);
    throw error;
  }
}

/** OAuth 2.1 §10.2: clients of 2.0 send it, those of 2.1 do not; when it is there it is the same string. */
function checkRedirectUri(sent: string | undefined, used: string): void {
  if (sent !== undefined && sent !== used) throw new OAuthError('invalid_grant', 'redirect_uri differs from the authorization request');
}

/** A code lost in a race was redeemed by somebody else at this moment: that is a replay too (COD-07). */
async function spent(codeHash: string, request: TokenRequest, context: Context): Promise<OAuthError> {
  const found = await context.store.findCode(codeHash, context.now());
  if (found?.code.redeemedAt !== undefined) return replayed(found, request, context);
  return notValid('expired, failed too often, or its grant has ended');
}

/**
 * D6, OAuth 2.1 §4.1.3: only a replay that proves everything (client, verifier, redirect URI) shows that two parties hold all secrets, and ends what came
 * of the code. Anybody else could use that to disconnect people.
 */
async function replayed({ grant }: Found, { client, exchange }: TokenRequest, context: Context): Promise<OAuthError> {
  const event = auditEvent('code.replayed', context.now(), `client:${client.id}`, {
    userId: grant.userId,
    clientId: client.id,
    serverId: grant.serverId,
    grantId: grant.id,
    address: exchange.address,
    requestId: exchange.requestId,
  });
  if (grant.approvedWith === undefined) await context.store.revokeGrant(grant.id, 'code_replayed', event);
  else await context.store.revokeApproval(grant.approvedWith, 'code_replayed', event);
  return notValid('replayed: the grant is revoked');
}

/** `grant` is the one for the resource that was asked for. */
type Made = { grant: Grant; client: Client; refreshToken: string | undefined; dpopJkt: string | undefined };

function answer({ code, grant: first }: Found, { grant, client, ...made }: Made, context: Context): Promise<Answer> {
  context.uses.grant(grant.id, context.now());
  return issue(
    {
      grantId: grant.id,
      subject: personOf(grant),
      clientId: grant.clientId,
      resource: grant.resource,
      // TOK-12: a scope sent with the code changes nothing; it was decided at the authorization endpoint.
      scope: grant.scope,
      authTime: code.authTime,
      amr: code.amr,
      grantExpiresAt: grant.expiresAt,
      ...made,
      idToken: first.scope.includes('openid') ? { client, nonce: code.nonce, sid: code.sid } : undefined,
    },
    context,
  );
}

function personOf(grant: Grant): string {
  if (grant.userId === undefined) throw new Error('a code without a person');
  return grant.userId;
}

/** COD-01: one text for every reason; `reason` is for the log. */
function notValid(reason: string): OAuthError {
  return new OAuthError('invalid_grant', 'The code is not valid', { cause: reason });
}
