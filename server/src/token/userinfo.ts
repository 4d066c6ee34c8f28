/**
 * GET and POST /userinfo (OIDC Core §5.3): who the person behind an access token is, as far as the granted scopes say. The token comes in the header only:
 * one in the query or body is not looked at (UI-03). Challenges follow RFC 6750 §3 and RFC 9449 §7.1, Bearer first (D17).
 */
import { findClientForToken } from '../clients/find.ts';
import { responseAlgorithm } from '../clients/response-algorithm.ts';
import { subjectFor } from '../clients/sector.ts';
import type { Context, Exchange } from '../context.ts';
import { dpopAlgorithms } from '../crypto/dpop-proof.ts';
import { type ErrorCode, OAuthError } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import { type Answer, json } from '../route.ts';
import { allowedNow } from '../rules/allowed-scope.ts';
import type { Client, User } from '../storage/store.ts';
import { type AccessToken, readAccessToken } from './access-token.ts';
import { type Proof, presentedProof, spendProof, withNextNonce } from './dpop.ts';

type Scheme = 'Bearer' | 'DPoP';
type Presented = { scheme: Scheme; value: string };

/** The handler of /userinfo. */
export async function userinfo(exchange: Exchange, context: Context): Promise<Answer> {
  const presented = presentedToken(exchange.request);
  if (!presented) throw new OAuthError('invalid_token', 'An access token is required', { headers: challenges(context) });
  const refused = refusalOf(presented.scheme, context);

  const proof = await proofOf(presented, exchange, context);
  const token = await readAccessToken(presented.value, context);
  if (!token || !isBoundAs(token, proof)) throw refused('invalid_token', 'The access token is not valid');
  checkScope(token, refused, context);
  const person = await personBehind(token, context);
  if (!person) throw refused('invalid_token', 'The access token is not valid');
  await spendProof(proof, context).catch((error: unknown) => refuseProof(error, context));

  return withNextNonce(await answerFor({ ...token, scope: allowedNow(token.scope, person.removedScope) }, person.user, context), proof);
}

/** RFC 6750 §2.1, RFC 9449 §7.1; undefined for no header or another scheme. */
function presentedToken(request: HttpRequest): Presented | undefined {
  const [, scheme = '', value] = /^(Bearer|DPoP) +(\S+) *$/i.exec(request.headers.get('authorization') ?? '') ?? [];
  return value === undefined ? undefined : { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', value };
}

/** A proof beside a Bearer token proves nothing and is not looked at. @throws {OAuthError} invalid_dpop_proof, use_dpop_nonce */
async function proofOf({ scheme, value }: Presented, exchange: Exchange, context: Context): Promise<Proof | undefined> {
  if (scheme === 'Bearer') return undefined;
  const proof = await presentedProof(exchange, { nonces: 'userinfo', accessToken: value }, context).catch((error: unknown) => refuseProof(error, context));
  if (!proof) throw refusalOf('DPoP', context)('invalid_dpop_proof', 'A DPoP proof is required');
  return proof;
}

/** RFC 9449 §7.2: a bound token as Bearer is a stolen one; an unbound one under DPoP claims a protection it has not. */
function isBoundAs({ jkt }: AccessToken, proof: Proof | undefined): boolean {
  return jkt === proof?.jkt;
}

/** UI-01: a token for another resource is good here only if it was issued with openid. */
function checkScope(token: AccessToken, refused: Refusal, context: Context): void {
  if (token.scope.split(' ').includes('openid')) return;
  if (token.audience !== context.issuer) throw refused('invalid_token', 'The access token is not valid');
  throw refused('insufficient_scope', 'The token does not allow openid', 'scope="openid"');
}

async function personBehind(token: AccessToken, context: Context): Promise<{ user: User; removedScope?: string[] } | undefined> {
  const grant = await context.store.standing({ grantId: token.grantId, jti: token.jti, now: context.now() });
  const user = grant?.active && grant.userId === token.subject ? await context.store.findUser(token.subject) : undefined;
  return user && { user, removedScope: grant?.removedScope };
}

/** OIDC Core §5.3.2: signed for clients that registered for it; "the sub Claim in the UserInfo Response MUST be verified to exactly match" the ID token's. */
async function answerFor(token: AccessToken, user: User, context: Context): Promise<Answer> {
  const { client } = (await findClientForToken(token.clientId, context)) as { client?: Client };
  const claims = claimsOf(user, client ? subjectFor(client, user.id, context) : user.id, token.scope.split(' '));
  const asked = client?.metadata.userinfoSignedResponseAlg;
  if (asked === undefined) return json(claims);
  const keys = await context.signing.current();
  const signed = keys.sign('JWT', { iss: context.issuer, aud: token.clientId, ...claims }, responseAlgorithm(asked, context.options));
  return { status: 200, text: signed, headers: { 'Content-Type': 'application/jwt' } };
}

/** OIDC Core §5.4. An address is verified once the person has opened mail that was sent there, or an upstream provider said so. */
function claimsOf(user: User, sub: string, scope: string[]): Record<string, unknown> {
  const profile = scope.includes('profile') ? { name: user.name, preferred_username: user.username } : {};
  const known = scope.includes('email') && user.email !== undefined;
  const email = known ? { email: user.email, email_verified: user.emailProvenAt !== undefined } : {};
  return { sub, ...profile, ...email };
}

type Refusal = (code: ErrorCode, description: string, more?: string) => OAuthError;

/** Makes errors whose challenge stands under the scheme that was used. */
function refusalOf(scheme: Scheme, context: Context): Refusal {
  return (code, description, more) => {
    const parameters = [`error="${code}"`, more ?? `error_description="${description}"`].join(', ');
    return new OAuthError(code, description, { status: code === 'insufficient_scope' ? 403 : 401, headers: challenges(context, { scheme, parameters }) });
  };
}

/** At a resource a refused proof is a 401 with a challenge (RFC 9449 §7.1, §9). */
function refuseProof(error: unknown, context: Context): never {
  if (!(error instanceof OAuthError)) throw error;
  const refusal = refusalOf('DPoP', context)(error.code, error.message);
  throw new OAuthError(error.code, error.message, { status: 401, headers: { ...refusal.headers, ...error.headers } });
}

function challenges({ issuer }: Context, error?: { scheme: Scheme; parameters: string }): Record<string, string> {
  const said = (scheme: Scheme) => (error?.scheme === scheme ? `, ${error.parameters}` : '');
  const bearer = `Bearer realm="${issuer}", resource_metadata="${issuer}/.well-known/oauth-protected-resource"${said('Bearer')}`;
  return { 'WWW-Authenticate': `${bearer}, DPoP algs="${dpopAlgorithms.join(' ')}"${said('DPoP')}` };
}
