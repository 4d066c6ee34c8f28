/**
 * GET and POST /userinfo (OIDC Core §5.3): who the person behind an access token is, as far as the granted scopes say. The token comes in the header only:
 * one in the query or body is not looked at (UI-03). Challenges follow RFC 6750 §3.
 */
import type { Context, Exchange } from '../context.ts';
import { type ErrorCode, OAuthError } from '../errors.ts';
import { type Answer, json } from '../route.ts';
import type { User } from '../storage/store.ts';
import { type AccessToken, readAccessToken } from './access-token.ts';
import { bearerCredential } from './api-key.ts';

/** The handler of /userinfo. */
export async function userinfo(exchange: Exchange, context: Context): Promise<Answer> {
  const credential = bearerCredential(exchange.request);
  if (credential === undefined) throw challenge(context, 'invalid_token', 'An access token is required', '');

  const token = await readAccessToken(credential, context);
  if (!token) throw invalidToken(context);
  checkScope(token, context);
  const user = await personBehind(token, context);

  return json(claimsOf(user, token.scope.split(' ')));
}

/** UI-01: a token for another resource is good here only if it was issued with openid. */
function checkScope(token: AccessToken, context: Context): void {
  if (token.scope.split(' ').includes('openid')) return;
  if (token.audience !== context.issuer) throw invalidToken(context);
  throw challenge(context, 'insufficient_scope', 'The token does not allow openid', ', error="insufficient_scope", scope="openid"');
}

async function personBehind(token: AccessToken, context: Context): Promise<User> {
  const grant = await context.store.standing({ grantId: token.grantId, jti: token.jti, now: context.now() });
  const user = grant?.active && grant.userId === token.subject ? await context.store.findUser(token.subject) : undefined;
  if (!user) throw invalidToken(context);
  return user;
}

/** OIDC Core §5.4. */
function claimsOf(user: User, scope: string[]): Record<string, string | undefined> {
  const profile = scope.includes('profile') ? { name: user.name, preferred_username: user.username } : {};
  const email = scope.includes('email') ? { email: user.email } : {};
  return { sub: user.id, ...profile, ...email };
}

function invalidToken(context: Context): OAuthError {
  return challenge(context, 'invalid_token', 'The access token is not valid', ', error="invalid_token", error_description="The access token is not valid"');
}

function challenge(context: Context, code: ErrorCode, description: string, parameters: string): OAuthError {
  const metadata = `resource_metadata="${context.issuer}/.well-known/oauth-protected-resource"`;
  return new OAuthError(code, description, { headers: { 'WWW-Authenticate': `Bearer realm="${context.issuer}", ${metadata}${parameters}` } });
}
