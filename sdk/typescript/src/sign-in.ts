/**
 * Whether the sign-in behind a token is strong and fresh enough (RFC 9470 §3, RS-15). Pure: claims, demand and time in. Not here: what the caller is told (challenge.ts).
 */
import { AuthenticationError, type StepUp } from './errors.ts';
import { type AuthContext, clockSkewSeconds } from './verify.ts';

/**
 * RFC 9470 §4: the demand goes back to the client, which asks the authorization server for it.
 *
 * @throws {AuthenticationError} insufficient_user_authentication; tokens of machines, behind which nobody signed in, included.
 */
export function checkSignIn({ claims, jkt }: Pick<AuthContext, 'claims' | 'jkt'>, demand: StepUp, now: number): void {
  const { acrValues, maxAge } = demand;
  const { acr, auth_time: authTime } = claims;
  const refused = (reason: string) => new AuthenticationError('insufficient_user_authentication', reason, { stepUp: demand, scheme: jkt ? 'DPoP' : 'Bearer' });
  if (acrValues && !(typeof acr === 'string' && acrValues.includes(acr))) throw refused('acr');
  if (maxAge === undefined) return;
  const age = typeof authTime === 'number' ? now - authTime : Number.NaN;
  if (!(age <= maxAge && age >= -clockSkewSeconds)) throw refused('auth_time');
}
