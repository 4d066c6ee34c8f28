/**
 * Introspection answers as signed JWTs (RFC 9701), for resource servers that must be able to show later what they were told. The type in the header keeps such
 * an answer from ever being taken for an access token. Not here: what is answered (introspect.ts).
 */
import type { Context } from '../context.ts';
import type { HttpRequest } from '../http-request.ts';
import type { Answer } from '../route.ts';

const mediaType = 'application/token-introspection+jwt';

/** RFC 9701 §4: the caller asks with `Accept`. */
export function wantsSigned(request: HttpRequest): boolean {
  return request.headers.get('accept')?.includes(mediaType) === true;
}

/** RFC 9701 §5: issuer, the asking server as audience, time, and the whole answer in one member; none of its claims at the top, where they could be believed twice. */
export async function signIntrospection(answer: Answer, audience: string | undefined, context: Context): Promise<Answer> {
  const keys = await context.signing.current();
  const claims = { iss: context.issuer, aud: audience, iat: context.now(), token_introspection: JSON.parse(answer.json ?? '{"active":false}') as unknown };
  return { status: 200, text: keys.sign('token-introspection+jwt', claims, 'RS256'), headers: { 'Content-Type': mediaType } };
}
