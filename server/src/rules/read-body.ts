/**
 * Reads a request body with a limit on its size, whatever the client announced: 64 KiB for forms and JSON (RATE-06).
 */

import { OAuthError } from '../errors.ts';
import { BodyCutOff, type HttpRequest } from '../http-request.ts';
import { type Parameters, parametersFromForm, parametersFromJson } from './parameters.ts';

export const maxBodyBytes = 64 * 1024;

/** @throws {OAuthError} content_too_large beyond the limit. */
export async function readText(request: HttpRequest): Promise<string> {
  const announced = request.headers.get('content-length');
  if (announced === null) return readUnannounced(request);
  if (Number(announced) > maxBodyBytes) throw tooLarge();
  return request.text();
}

async function readUnannounced(request: HttpRequest): Promise<string> {
  if (!request.body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBodyBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof OAuthError ? error : new BodyCutOff();
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** The media type without parameters, in lower case. */
export function mediaType(request: HttpRequest): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Parameters of a form body, or of a JSON body where `json` is accepted (/token, /introspect, /revoke). @throws {OAuthError} invalid_request on any other type. */
export async function readParameters(request: HttpRequest, accept: 'form' | 'form or json', prose?: string): Promise<Parameters> {
  const type = mediaType(request);
  if (type === 'application/x-www-form-urlencoded') return parametersFromForm(await readText(request), prose);
  if (type === 'application/json' && accept === 'form or json') return parametersFromJson(await readText(request));
  throw new OAuthError('invalid_request', 'The body must be application/x-www-form-urlencoded');
}

function tooLarge(): OAuthError {
  return new OAuthError('content_too_large', 'The body is larger than 64 KiB');
}
