/**
 * What the operations of the management API share: one value describes an operation, and the route, the check of its body and the OpenAPI text come from
 * it. Zod schemas give check, type and JSON Schema at once. Not here: what the operations do (a file per noun), the document (openapi.ts).
 */
import type * as z from 'zod';
import type { Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { Handler, Method } from '../route.ts';
import { mediaType, readText } from '../rules/read-body.ts';
import { parseStrictJson } from '../rules/strict-json.ts';

export type Operation = {
  method: Method;
  /** With `:name` for parameters, as in the route table. */
  path: string;
  /** operationId of OpenAPI. */
  id: string;
  summary: string;
  /** Query parameters, all optional strings. */
  query?: Record<string, string>;
  body?: z.ZodType;
  success: { status: number; description: string; body?: z.ZodType };
  /** Statuses of the errors this operation gives besides 401 and 405. */
  errors: number[];
  handle: Handler;
};

/**
 * Reads and checks a JSON body. The texts of its errors come from the schema, never from the body.
 *
 * @throws {OAuthError} unsupported_media_type, invalid_request (with `member` naming where), content_too_large.
 */
export async function readBody<Body>({ request }: Exchange, schema: z.ZodType<Body>): Promise<Body> {
  if (mediaType(request) !== 'application/json') throw new OAuthError('unsupported_media_type', 'The body must be application/json');
  const parsed = parseStrictJson(await readText(request));
  if (!parsed) throw new OAuthError('invalid_request', 'The body is not JSON');
  if (parsed.duplicates.length > 0) throw new OAuthError('invalid_request', 'A member of the body is repeated');
  const checked = schema.safeParse(parsed.value);
  if (checked.success) return checked.data;
  throw invalidBody(checked.error.issues[0]);
}

type Issue = Pick<z.core.$ZodIssue, 'code' | 'path' | 'message'>;

function invalidBody(issue: Issue | undefined): OAuthError {
  const member = (issue?.path ?? []).map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  // Zod's own texts may quote the body: only those of our schemas, marked by a full stop, travel on.
  const own = issue?.message.endsWith('.') ? issue.message.slice(0, -1) : undefined;
  const text =
    own ??
    (issue?.code === 'unrecognized_keys' ? 'The body has a member that this operation does not know' : 'A member of the body is missing or of the wrong type');
  return new OAuthError('invalid_request', text, member === '' ? {} : { members: { member: member.replace(/^\./, '') } });
}

/** Epoch seconds as the ISO 8601 string that this API speaks (contracts §7.2). */
export const isoDate = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
