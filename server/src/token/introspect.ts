/**
 * POST /introspect (RFC 7662): is this access token good, asked by the MCP server it is for (with its API key) or by the confidential client it was given
 * to. Whatever is wrong with a token, and whoever asks about somebody else's, the answer is {"active":false}. One question to the store per answer.
 */
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, json } from '../route.ts';
import { allowedNow } from '../rules/allowed-scope.ts';
import type { Parameters } from '../rules/parameters.ts';
import type { Client, Standing } from '../storage/store.ts';
import { type AccessToken, readAccessToken } from './access-token.ts';
import { checkKey, type PresentedKey, presentedKey } from './api-key.ts';
import { readBackChannel } from './back-channel.ts';
import { authenticateClient } from './client-auth.ts';
import { type StandingChain, standingChain } from './delegation.ts';
import { signIntrospection, wantsSigned } from './signed-introspection.ts';

const inactive: Answer = { status: 200, json: '{"active":false}' };

/** The handler of /introspect. `token_type_hint` is not needed to find a token, so it is not read (INT-05). */
export async function introspect(exchange: Exchange, context: Context): Promise<Answer> {
  const parameters = await readBackChannel(exchange);
  const key = presentedKey(exchange, parameters);
  const signed = wantsSigned(exchange.request);
  if (key) {
    const answer = await forServer(key, parameters, context);
    exchange.outcome = answer === inactive ? 'inactive' : 'active';
    return signed ? signIntrospection(answer, (await context.store.findKey(key.hash))?.resource, context) : answer;
  }
  const client = await confidentialClient(exchange, parameters, context);
  const answer = await forClient(client, parameters, context);
  exchange.outcome = answer === inactive ? 'inactive' : 'active';
  return signed ? signIntrospection(answer, client.id, context) : answer;
}

async function forServer(key: PresentedKey, parameters: Parameters, context: Context): Promise<Answer> {
  // By the hash: who knows only the id of a key must not use up what its server needs.
  context.limits.checkHere('introspect.caller', key.hash);
  const presented = parameters.get('token');
  const token = presented === undefined ? undefined : await readLimited(presented, key.hash, context);
  if (presented === undefined || !token) return withoutToken(key, presented, context);

  const standing = await context.store.standingForKey({ keyHash: key.hash, grantId: token.grantId, jti: token.jti, now: context.now() });
  const { id, resource } = checkKey(standing?.key, context);
  context.uses.key(id, context.now());

  // INT-03: a key sees what is for its own server and nothing else.
  if (token.audience !== resource || !standing?.grant?.active) return inactive;
  const chain = token.delegation && (await standingChain(token.delegation, context));
  if (token.delegation && !chain) return inactive;
  context.uses.grant(token.grantId, context.now());
  return active(token, standing.grant, chain, context);
}

/** The caller is checked even when there is nothing to say, else anybody could ask. */
async function withoutToken(key: PresentedKey, presented: string | undefined, context: Context): Promise<Answer> {
  const { id } = checkKey(await context.store.findKey(key.hash), context);
  context.uses.key(id, context.now());
  if (presented === undefined) throw tokenRequired();
  return inactive;
}

/** INT-07: what a caller may ask is limited where it costs: tokens this node has not seen yet. */
function readLimited(token: string, caller: string, context: Context): Promise<AccessToken | undefined> {
  return readAccessToken(token, context, () => context.limits.checkHere('introspect.unseen', caller));
}

/** INT-03: who can prove nothing may ask about nothing. */
async function confidentialClient(exchange: Exchange, parameters: Parameters, context: Context): Promise<Client> {
  const client = await authenticateClient(exchange, parameters, context);
  if (client.metadata.tokenEndpointAuthMethod === 'none')
    throw new OAuthError('invalid_client', 'A public client may not introspect', { headers: { 'WWW-Authenticate': 'Basic realm="clients", charset="UTF-8"' } });
  return client;
}

/** contracts §7.8: a confidential client may ask about tokens that were issued to it. */
async function forClient(client: Client, parameters: Parameters, context: Context): Promise<Answer> {
  context.limits.checkHere('introspect.caller', client.id);
  const presented = parameters.get('token');
  if (presented === undefined) throw tokenRequired();

  const token = await readLimited(presented, client.id, context);
  if (token?.clientId !== client.id) return inactive;
  const grant = await context.store.standing({ grantId: token.grantId, jti: token.jti, now: context.now() });
  const chain = token.delegation && (await standingChain(token.delegation, context));
  if (!grant?.active || (token.delegation && !chain)) return inactive;
  return active(token, withinScope(token, grant), chain, context);
}

/** A client hears the e-mail address where userinfo would tell it (OIDC Core §5.4); the server a token is for hears who came. The username says no more than `sub`. */
function withinScope({ scope }: AccessToken, grant: NonNullable<Standing['grant']>): NonNullable<Standing['grant']> {
  return { ...grant, email: allowedNow(scope, grant.removedScope).split(' ').includes('email') ? grant.email : undefined };
}

/** RFC 7662 §2.2 in the shape of contracts §2: names of the person, and what they have taken back, are read now, not when the token was made. */
function active(token: AccessToken, grant: NonNullable<Standing['grant']>, chain: StandingChain | undefined, context: Context): Answer {
  return json({
    active: true,
    sub: token.subject,
    username: grant.username,
    email: grant.email,
    client_id: token.clientId,
    scope: allowedNow(allowedNow(token.scope, grant.removedScope), chain?.removedScope),
    aud: token.audience,
    iss: context.issuer,
    exp: token.expiresAt,
    iat: token.issuedAt,
    jti: token.jti,
    token_type: token.jkt === undefined ? 'Bearer' : 'DPoP',
    cnf: token.jkt === undefined ? undefined : { jkt: token.jkt },
    auth_time: token.authTime,
    act: token.delegation?.act,
    acr: token.acr,
    amr: token.amr,
  });
}

function tokenRequired(): OAuthError {
  return new OAuthError('invalid_request', 'token is required');
}
