/**
 * Believes an assertion of a trusted issuer, or does not (RFC 7521 §5.2, RFC 7523 §3): from an issuer of the right kind, signed by its key, for us alone, now, and
 * used once where that is demanded. One answer for whatever is wrong; the log knows what.
 */
import type { Context } from '../../context.ts';
import { readForeignJwt } from '../../crypto/foreign-jwt.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { Claims, Jwt } from '../../crypto/jwt.ts';
import { OAuthError } from '../../errors.ts';
import { assertionClockSkew, assertionId, assertionProblem } from '../../rules/assertion.ts';
import type { TrustedIssuer } from '../../storage/store.ts';
import { verifyUnderIssuerKeys } from '../../trust/issuer-keys.ts';

export type Believed = { issuer: TrustedIssuer; subject: string; claims: Claims };
type Expected = { kind: TrustedIssuer['kind']; types: readonly (string | undefined)[]; maxLifetimeSeconds: number };

/** @throws {OAuthError} invalid_grant, too_many_requests */
export async function believe(assertion: string, { kind, types, maxLifetimeSeconds }: Expected, context: Context): Promise<Believed> {
  const { iss, sub } = readForeignJwt(assertion)?.claims ?? {};
  if (typeof iss !== 'string' || typeof sub !== 'string' || sub === '') throw notValid('it cannot be read, or has no iss or sub');
  // JAG-11: what we say elsewhere is no grant here, not even when an operator listed us by mistake.
  const issuer = iss === context.issuer ? undefined : await context.store.findIssuer(iss);
  if (issuer?.kind !== kind) throw notValid('its issuer is not trusted for this');

  const jwt = await verifyUnderIssuerKeys(issuer, assertion, context);
  if (!jwt) throw notValid('no key of its issuer signed it');
  const problem = assertionProblem(jwt, { types, audience: context.issuer, now: context.now(), maxLifetimeSeconds });
  if (problem !== undefined) throw notValid(problem);
  return { issuer, subject: sub, claims: (jwt satisfies Jwt).claims };
}

/** EMA §7.4.2: "MUST implement replay detection by rejecting re-use of the same jti". The last check before anything is changed. @throws {OAuthError} invalid_grant */
export async function useUp({ issuer, claims }: Pick<Believed, 'issuer' | 'claims'>, context: Context): Promise<void> {
  const id = assertionId(claims);
  if (id === undefined) throw notValid('it has no jti');
  const idHash = sha256(JSON.stringify([issuer.issuer, id]));
  const expiresAt = Math.ceil(Number(claims.exp)) + assertionClockSkew;
  if (!(await context.store.useOnce({ kind: 'assertion_grant', idHash, now: context.now(), expiresAt }))) throw notValid('it was used before');
}

/** `reason` is for the log. */
export function notValid(reason: string): OAuthError {
  return new OAuthError('invalid_grant', 'The assertion is not valid', { cause: reason });
}
