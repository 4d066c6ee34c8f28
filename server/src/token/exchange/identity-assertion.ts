/**
 * Issues identity assertions (ID-JAG): a client that signed a person in here takes our word about them to another server, which then asks nobody. Only to the servers
 * and resources that an operator listed for this client, as the client it is there. Not here: believing such assertions (jwt-bearer/), which we never do of our own.
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context } from '../../context.ts';
import { sha256 } from '../../crypto/hash.ts';
import { randomId } from '../../crypto/random.ts';
import { OAuthError } from '../../errors.ts';
import { type Answer, json } from '../../route.ts';
import { canonicalResource } from '../../rules/resource.ts';
import { askedScope } from '../../rules/scope.ts';
import type { AssertionTarget, Client, Grant } from '../../storage/store.ts';
import { checkBoundKey, spendProof } from '../dpop.ts';
import { parseRefreshToken } from '../refresh-token-value.ts';
import { type ExchangeRequest, idJagTokenType, idTokenType, type RequestedTokenType, refreshTokenType } from './token-type.ts';

export const identityAssertion: RequestedTokenType = { name: idJagTokenType, exchange };

const lifetimeSeconds = 300;
/** Who signed in, and when. */
type SignedIn = { userId: string; authTime?: number };

async function exchange(request: ExchangeRequest, context: Context): Promise<Answer> {
  const asked = askedScope(request.parameters.get('scope'));

  checkConfidential(request.client);
  if (request.actor) throw new OAuthError('invalid_request', 'An identity assertion has no actor');
  const person = await signedIn(request, context);
  const target = await listedTarget(request, context);
  const scope = asked.length > 0 ? target.scope.filter((name) => asked.includes(name)) : target.scope;
  if (scope.length === 0) throw new OAuthError('invalid_scope', 'None of the scopes is listed for this client and resource');

  const jkt = await spendProof(request.proof, context);
  await record({ request, person, target, scope }, context);

  return answer({ person, target, scope, jkt }, context);
}

/** EMA §7.7: "client authentication MUST be enforced". @throws {OAuthError} unauthorized_client */
function checkConfidential({ metadata }: Client): void {
  if (metadata.tokenEndpointAuthMethod === 'none') throw new OAuthError('unauthorized_client', 'Only confidential clients get identity assertions');
}

/** RFC 8693 §2.2.2: whatever is wrong with the subject token is invalid_request. @throws {OAuthError} invalid_request */
async function signedIn(request: ExchangeRequest, context: Context): Promise<SignedIn> {
  const { type } = request.subject;
  if (type === idTokenType) return ofIdToken(request, context);
  if (type === refreshTokenType) return ofRefreshToken(request, context);
  throw new OAuthError('invalid_request', 'An identity assertion is made from an ID token or a refresh token');
}

/** JAG-11: "MUST validate that the audience of the Subject Token matches the client_id of the client authentication". */
async function ofIdToken({ subject, client }: ExchangeRequest, context: Context): Promise<SignedIn> {
  const keys = await context.signing.current();
  const { header, claims } = keys.verify(subject.value) ?? {};
  if (header?.typ !== 'JWT' || claims?.iss !== context.issuer || claims.aud !== client.id) throw unacceptable('not an ID token of this client');
  // Signed userinfo has the same typ and no exp.
  if (typeof claims.exp !== 'number' || claims.exp <= context.now()) throw unacceptable('ended, or not an ID token');
  const userId = String(claims.sub);
  const user = await context.store.findUser(userId);
  const grants = await context.store.listGrants({ userId, clientId: client.id }, context.now());
  // An agent that was disconnected, or is paused, signs nobody in any more, whatever it kept.
  const signsIn = ({ scope, pausedAt, holdId }: Grant) => scope.includes('openid') && pausedAt === undefined && holdId === undefined;
  if (!user || user.disabledAt !== undefined || user.agentsPausedAt !== undefined || !grants.some(signsIn)) throw unacceptable('the sign-in no longer stands');
  return { userId, authTime: typeof claims.auth_time === 'number' ? claims.auth_time : undefined };
}

/** The current token of a family, which stays current: the client goes on refreshing with it. */
async function ofRefreshToken({ subject, client, proof }: ExchangeRequest, context: Context): Promise<SignedIn> {
  const parsed = parseRefreshToken(subject.value, context);
  const found = parsed && (await context.store.findFamily(parsed.familyId, context.now()));
  if (!found || found.family.clientId !== client.id || !found.living || !found.standing) throw unacceptable('unknown, of another client, or ended');
  if (found.family.currentHash !== sha256(subject.value)) throw unacceptable('not the newest of its family');
  if (found.grant.userId === undefined || !found.grant.scope.includes('openid')) throw unacceptable('nobody signed in with it');
  checkBoundKey(found.family.dpopJkt, proof);
  return { userId: found.grant.userId, authTime: found.family.authTime };
}

/** EMA §7.6.1: "MUST maintain a mapping of valid (audience, resource) pairs". @throws {OAuthError} invalid_request, invalid_target */
async function listedTarget({ parameters, client }: ExchangeRequest, context: Context): Promise<AssertionTarget> {
  const [audience, ...more] = parameters.all('audience');
  if (audience === undefined || more.length > 0) throw new OAuthError('invalid_request', 'audience is required, once: the issuer of the other server');
  const resources = parameters.all('resource').map(canonicalResource);
  const listed = (await context.store.listAssertionTargets(client.id)).filter((target) => sameIssuer(target.audience, audience));
  const fitting = listed.filter(({ resource }) => resources.every((asked) => asked === resource));
  const [target] = fitting;
  if (!target || fitting.length > 1) throw new OAuthError('invalid_target', 'This client may not take an assertion to that server and resource');
  return target;
}

/** Clients that hold issuers as URL objects add a root slash; what is signed is the issuer as it was listed. */
function sameIssuer(listed: string, asked: string): boolean {
  return asked === listed || asked === `${listed}/` || `${asked}/` === listed;
}

type Issued = { request: ExchangeRequest; person: SignedIn; target: AssertionTarget; scope: string[] };

async function record({ request: { client, exchange: at }, person, target, scope }: Issued, context: Context): Promise<void> {
  const { audience, resource, clientIdThere } = target;
  const about = { userId: person.userId, clientId: client.id, address: at.address, requestId: at.requestId };
  const detail = { audience, resource, client_there: clientIdThere, scope };
  await context.store.recordEvent(auditEvent('assertion.issued', context.now(), `client:${client.id}`, { ...about, detail }));
}

type Said = { person: SignedIn; target: AssertionTarget; scope: string[]; jkt: string | undefined };

/** No name and no e-mail: the other server knows people by issuer and subject (EMA §7.4.3). */
async function answer({ person, target, scope, jkt }: Said, context: Context): Promise<Answer> {
  const keys = await context.signing.current();
  const now = context.now();
  const claims = {
    iss: context.issuer,
    sub: person.userId,
    aud: target.audience,
    client_id: target.clientIdThere,
    resource: target.resource,
    scope: scope.join(' '),
    jti: randomId('', 16),
    iat: now,
    exp: now + lifetimeSeconds,
    auth_time: person.authTime,
    cnf: jkt === undefined ? undefined : { jkt },
  };
  return json({
    issued_token_type: idJagTokenType,
    access_token: keys.sign('oauth-id-jag+jwt', claims),
    token_type: 'N_A',
    expires_in: lifetimeSeconds,
    scope: scope.join(' '),
  });
}

function unacceptable(reason: string): OAuthError {
  return new OAuthError('invalid_request', 'The subject token is not valid', { cause: reason });
}
