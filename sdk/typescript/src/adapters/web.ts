/**
 * Between web-standard Request/Response and the guard; what the hono and fetch adapters have in common.
 */
import { readBounded } from '../bounded-text.ts';
import type { Answer } from '../challenge.ts';
import { type Admission, completeHeaders, type Inbound, tooLarge } from '../guard.ts';
import { maxBodyBytes } from '../tool-call.ts';

/** A Request as the guard sees it. `peekBody` replaces how the body is read, for frameworks that may have read it already. */
export function inboundOf(request: Request, peekBody: Inbound['peekBody'] = () => peekText(request)): Inbound {
  return { method: request.method, target: targetOf(request.url), header: (name) => request.headers.get(name), peekBody };
}

/** An answer of the guard as a Response; a HEAD gets no body. */
export function toResponse(answer: Answer, method: string): Response {
  return new Response(method === 'HEAD' ? null : answer.body, { status: answer.status, headers: answer.headers });
}

/** Puts the headers of an admission on the handler's response. Responses from `fetch` and redirects are immutable: those are copied. */
export function seal(response: Response, admission: Admission): Response {
  try {
    completeHeaders(admission, response.headers);
    return response;
  } catch {
    const copy = new Response(response.body, response);
    completeHeaders(admission, copy.headers);
    return copy;
  }
}

/** Reads a copy of the body, up to the limit; the handler still gets the original. */
export async function peekText(request: Request): Promise<string | object | undefined> {
  if (!request.body) return undefined;
  if (Number(request.headers.get('content-length')) > maxBodyBytes) return tooLarge;
  return (await readBounded(request.clone().body as ReadableStream<Uint8Array>, maxBodyBytes)) ?? tooLarge;
}

/** Path and query of an absolute URL, untouched. */
function targetOf(url: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3);
  const target = path === -1 ? '/' : url.slice(path);
  const fragment = target.indexOf('#');
  return fragment === -1 ? target : target.slice(0, fragment);
}
