/**
 * Reads what a client says of itself when it registers or replaces its registration: a JSON object, each member once.
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import { mediaType, readText } from '../rules/read-body.ts';
import { parseStrictJson } from '../rules/strict-json.ts';
import { type ParsedMetadata, parseClientMetadata } from './metadata.ts';

/** `members` as they came, for what is not metadata. @throws {OAuthError} invalid_client_metadata, invalid_redirect_uri, content_too_large */
export async function readRegistration(request: HttpRequest, context: Context): Promise<ParsedMetadata & { members: Record<string, unknown> }> {
  // A form can be posted by any page in the world; JSON needs a preflight, or a program.
  if (mediaType(request) !== 'application/json') throw new OAuthError('invalid_client_metadata', 'The body must be application/json');
  const parsed = parseStrictJson(await readText(request));
  if (!parsed) throw new OAuthError('invalid_client_metadata', 'The body must be a JSON object');
  if (parsed.duplicates.length > 0) throw new OAuthError('invalid_client_metadata', 'A member is repeated');
  const read = parseClientMetadata(parsed.value, 'registration', context.options.clients);
  return { ...read, members: parsed.value as Record<string, unknown> }; // parseClientMetadata takes objects only
}
