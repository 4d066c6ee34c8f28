/**
 * How the back channel reads a request: parameters from a form or a JSON body, each once, and no secret in the address, where proxies and logs would keep it
 * (OAuth 2.1 §3.2, §4.1.3).
 */
import type { Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { type Parameters, refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';

const secretNames = [
  'client_secret',
  'client_assertion',
  'assertion',
  'code',
  'code_verifier',
  'device_code',
  'refresh_token',
  'access_token',
  'token',
  'subject_token',
  'actor_token',
  'password',
];

/** @throws {OAuthError} invalid_request on a secret in the query, another content type, or a repeated parameter. */
export async function readBackChannel({ request }: Exchange, accept: 'form' | 'form or json' = 'form or json'): Promise<Parameters> {
  refuseSecretsInQuery(request.url);
  const parameters = await readParameters(request, accept);
  refuseRepeated(parameters);
  return parameters;
}

function refuseSecretsInQuery(url: string): void {
  const start = url.indexOf('?');
  if (start === -1) return;
  const query = new URLSearchParams(url.slice(start));
  if (secretNames.some((name) => query.has(name))) throw new OAuthError('invalid_request', 'Secrets belong in the body, never in the address');
}
