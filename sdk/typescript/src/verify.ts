/**
 * Judges what a token says about itself, from an introspection answer or from a verified JWT, and makes the AuthContext handlers see (RS-02, RS-07, RS-08,
 * RS-20 to RS-22). Pure: plain data and `now` in, no I/O, no clock. Not here: signatures (jwt.ts), scopes (scope.ts).
 */
import { readActors } from './actors.ts';
import { AuthenticationError } from './errors.ts';
import { parseScope } from './scope.ts';

/** The person, or for machine tokens the client itself, on whose behalf a request comes. */
export interface AuthUser {
  /** `usr_…`: opaque and stable. */
  readonly id: string;
  readonly email?: string;
  readonly username?: string;
}

/** Who may do what, in this request. Deeply frozen: one object may serve many requests. The token itself is not in it (RS-09, RS-20). */
export interface AuthContext {
  readonly user: AuthUser;
  /** The same as `user.id`. */
  readonly id: string;
  /** The same as `user.email`; absent for machines and in local verification. */
  readonly email?: string;
  readonly clientId: string;
  /** As granted; hierarchies are applied when scopes are checked, not here. */
  readonly scopes: readonly string[];
  /** The identifier of this MCP server. */
  readonly resource: string;
  readonly issuer: string;
  readonly audience: readonly string[];
  /** Epoch seconds. */
  readonly expiresAt: number;
  /** `grant_…`: what the person sees and can revoke. */
  readonly grantId?: string;
  /** SHA-256 thumbprint of the key that the token is bound to (RFC 9449 §6); whoever presents it proved to have the key. */
  readonly jkt?: string;
  /** Who acts for the person, the nearest first: present when an MCP server called this one for them (RFC 8693). The last is the agent they connected. */
  readonly actors?: readonly string[];
  /** Everything the authorization server said, wire names. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** SHA-256 of the token, base64url: for logs and caches. */
  readonly tokenHash: string;
}

/** What a token must match. */
export interface Expectations {
  readonly issuer: string;
  readonly resource: string;
  readonly audiences: ReadonlySet<string>;
  /** Epoch seconds. */
  readonly now: number;
  /** The longest chain of actors that is accepted; any when absent. */
  readonly maxActors?: number;
}

/** Clocks may differ by this many seconds, at most (RS-07). */
export const clockSkewSeconds = 60;

/**
 * RFC 7662 §2.2, RS-22: judges an introspection answer, without trusting that the server filtered anything.
 *
 * @throws {AuthenticationError} invalid_token, whatever the reason.
 */
export function judgeIntrospection(answer: Readonly<Record<string, unknown>>, expected: Expectations, tokenHash: string): AuthContext {
  if (answer.active !== true) throw invalid('inactive');
  const type = typeof answer.token_type === 'string' ? answer.token_type.toLowerCase() : '';
  if (type !== 'bearer' && type !== 'dpop') throw invalid('token_type');
  const context = judgeClaims(answer, expected, tokenHash);
  // What is called Bearer and bound, or DPoP and not, was meant to be something else.
  if (type === 'bearer' && context.jkt !== undefined) throw invalid('key_bound');
  if (type === 'dpop' && context.jkt === undefined) throw invalid('token_type');
  return context;
}

/**
 * RFC 9068 §4: judges claims in the order issuer, audience, time, key binding, subject.
 *
 * @throws {AuthenticationError} invalid_token, whatever the reason.
 */
export function judgeClaims(claims: Readonly<Record<string, unknown>>, expected: Expectations, tokenHash: string): AuthContext {
  if (claims.iss !== expected.issuer) throw invalid('issuer');
  const audience = audienceOf(claims.aud);
  if (!audience.some((one) => expected.audiences.has(one))) throw invalid('audience');
  const expiresAt = checkTimes(claims, expected.now);
  const jkt = claims.cnf === undefined ? undefined : thumbprintOf(claims.cnf);
  const { sub, client_id: clientId, scope = '' } = claims;
  if (typeof sub !== 'string' || !sub || typeof clientId !== 'string' || !clientId) throw invalid('subject');
  if (typeof scope !== 'string') throw invalid('scope');
  const actors = readActors(claims.act, expected.maxActors ?? Number.POSITIVE_INFINITY);
  const { issuer, resource } = expected;
  return deepFreeze({
    user: userOf(sub, claims),
    id: sub,
    ...optional('email', claims.email),
    clientId,
    scopes: parseScope(scope),
    resource,
    issuer,
    audience,
    expiresAt,
    ...optional('grantId', claims.grant_id),
    ...(jkt !== undefined && { jkt }),
    ...(actors !== undefined && { actors }),
    claims: { ...claims },
    tokenHash,
  });
}

/** RFC 9449 §6: bound to the key of DPoP proofs and to nothing else; a binding that is not understood here cannot be checked. */
function thumbprintOf(confirmation: unknown): string {
  const members = typeof confirmation === 'object' && confirmation !== null ? Object.entries(confirmation) : [];
  const [name, value] = members[0] ?? [];
  if (members.length !== 1 || name !== 'jkt' || typeof value !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(value)) throw invalid('key_bound');
  return value;
}

function checkTimes({ exp, nbf, iat }: Readonly<Record<string, unknown>>, now: number): number {
  if (!isTime(exp) || exp + clockSkewSeconds <= now) throw invalid('expired');
  for (const start of [nbf, iat]) {
    if (start !== undefined && !(isTime(start) && start <= now + clockSkewSeconds)) throw invalid('not_yet_valid');
  }
  return exp;
}

function userOf(id: string, claims: Readonly<Record<string, unknown>>): AuthUser {
  return { id, ...optional('email', claims.email), ...optional('username', claims.username) };
}

function audienceOf(aud: unknown): string[] {
  return (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === 'string');
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function optional<Name extends string>(name: Name, value: unknown): { [K in Name]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [name]: value } as { [K in Name]: string }) : {};
}

function invalid(reason: string): AuthenticationError {
  return new AuthenticationError('invalid_token', reason);
}

/** A cached context is handed to many requests: no handler may lend the next one a scope. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
