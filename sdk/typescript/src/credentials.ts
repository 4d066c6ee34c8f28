/**
 * Reads the one access token of a request, or says why there is none (RFC 6750 §2.1, RFC 9449 §7.1, RS-01, RS-04 to RS-06).
 * Tokens in the query or body are never used: they end up in logs. Beside a header they make the request ambiguous.
 */
import { AuthenticationError } from './errors.ts';

/** Longest token that is looked at, in characters. */
export const maxTokenLength = 8192;

const bearerToken = /^[A-Za-z0-9._~+/-]+=*$/;

/** A token and the scheme it was presented with: under `DPoP` a proof must come with it. */
export interface Credentials {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly token: string;
}

/**
 * Takes the token out of the Authorization header; `elsewhere` says whether the query or a form carries another one.
 * Several Authorization headers must arrive joined by a comma, as `Headers` does.
 *
 * @throws {AuthenticationError} missing_token without Bearer or DPoP credentials, invalid_request when they are malformed or twofold.
 */
export function readCredentials(authorization: string | null | undefined, elsewhere: boolean): Credentials {
  const value = authorization?.trim();
  if (!value) throw new AuthenticationError('missing_token');
  if (/^(bearer|dpop)$/i.test(value)) throw new AuthenticationError('invalid_request', 'empty');
  const [prefix, name = ''] = /^(bearer|dpop) +/i.exec(value) ?? [];
  if (prefix === undefined) throw otherScheme(value);
  const token = value.slice(prefix.length);
  if (elsewhere) throw new AuthenticationError('invalid_request', 'two_credentials');
  if (!isBearerToken(token)) throw new AuthenticationError('invalid_request', 'malformed');
  return { scheme: name.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
}

/** RFC 6750 §2.1 b64token, of a length that a header may have. */
export function isBearerToken(token: string): boolean {
  return token.length <= maxTokenLength && bearerToken.test(token);
}

/** Whether a query string or form body carries `access_token`, however it is percent-encoded. */
export function carriesAccessToken(form: string): boolean {
  return new URLSearchParams(form).has('access_token');
}

/** Basic and the like are no credentials here, unless another header hides behind them. */
function otherScheme(value: string): AuthenticationError {
  return /,\s*(bearer|dpop)(\s|$)/i.test(value)
    ? new AuthenticationError('invalid_request', 'two_credentials')
    : new AuthenticationError('missing_token', 'other_scheme');
}
