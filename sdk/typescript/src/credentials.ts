/**
 * Reads the one access token of a request, or says why there is none (RFC 6750 §2.1, RS-01, RS-04 to RS-06).
 * Tokens in the query or body are never used: they end up in logs. Beside a header they make the request ambiguous.
 */
import { AuthenticationError } from './errors.ts';

/** Longest token that is looked at, in characters. */
export const maxTokenLength = 8192;

const bearerToken = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Takes the token out of the Authorization header; `elsewhere` says whether the query or a form carries another one.
 * Several Authorization headers must arrive joined by a comma, as `Headers` does.
 *
 * @throws {AuthenticationError} missing_token without Bearer credentials, invalid_request when they are malformed or twofold.
 */
export function readBearerToken(authorization: string | null | undefined, elsewhere: boolean): string {
  const value = authorization?.trim();
  if (!value) throw new AuthenticationError('missing_token');
  if (/^bearer$/i.test(value)) throw new AuthenticationError('invalid_request', 'empty');
  if (!/^bearer /i.test(value)) throw otherScheme(value);
  const token = value.slice(7).trimStart();
  if (elsewhere) throw new AuthenticationError('invalid_request', 'two_credentials');
  if (!isBearerToken(token)) throw new AuthenticationError('invalid_request', 'malformed');
  return token;
}

/** RFC 6750 §2.1 b64token, of a length that a header may have. */
export function isBearerToken(token: string): boolean {
  return token.length <= maxTokenLength && bearerToken.test(token);
}

/** Whether a query string or form body carries `access_token`, however it is percent-encoded. */
export function carriesAccessToken(form: string): boolean {
  return new URLSearchParams(form).has('access_token');
}

/** Basic and the like are no credentials here, unless a Bearer header hides behind them. */
function otherScheme(value: string): AuthenticationError {
  return /,\s*bearer(\s|$)/i.test(value)
    ? new AuthenticationError('invalid_request', 'two_credentials')
    : new AuthenticationError('missing_token', 'other_scheme');
}
