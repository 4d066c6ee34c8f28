/**
 * Between web-standard Request/Response and the guard; what the hono and fetch adapters have in common.
 */
import { readBounded } from '../bounded-text.ts';
import type { Answer } from '../challenge.ts';
import { type Admission, completeHeaders, type Inbound, tooLarge } from '../guard.ts';
import { isEventStream } from '../stream-watch.ts';
import { maxBodyBytes } from '../tool-call.ts';

/** A Request as the guard sees it. `peekBody` replaces how the body is read, for frameworks that may have read it already. */
export function inboundOf(request: Request, peekBody: Inbound['peekBody'] = () => peekText(request)): Inbound {
  return { method: request.method, target: targetOf(request.url), header: (name) => request.headers.get(name), peekBody };
}

/** An answer of the guard as a Response; a HEAD gets no body. */
export function toResponse(answer: Answer, method: string): Response {
  return new Response(method === 'HEAD' ? null : answer.body, { status: answer.status, headers: answer.headers });
}

/** Puts the headers of an admission on the handler's response, and has an event stream end with the access. */
export function seal(response: Response, admission: Admission): Response {
  const completed = complete(response, admission);
  if (!admission.watch || !completed.body || !isEventStream(completed.headers.get('content-type'))) return completed;
  return new Response(endingWith(completed.body, admission.watch), completed);
}

/** Responses from `fetch` and redirects are immutable: those are copied. */
function complete(response: Response, admission: Admission): Response {
  try {
    completeHeaders(admission, response.headers);
    return response;
  } catch {
    const copy = new Response(response.body, response);
    completeHeaders(admission, copy.headers);
    return copy;
  }
}

/** The same stream, chunk by chunk and without reading ahead, until it or the access ends. */
function endingWith(body: ReadableStream<Uint8Array>, watch: NonNullable<Admission['watch']>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let stop: (() => void) | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Not before: a stream that nobody reads, as after HEAD, has no end that anybody would hear of.
        stop ??= watch(() => {
          controller.close();
          reader.cancel().catch(() => {});
        });
        const { done, value } = await reader.read().catch((error: unknown) => {
          stop?.();
          throw error;
        });
        if (!done) return controller.enqueue(value);
        stop();
        controller.close();
      },
      cancel(reason) {
        stop?.();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
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
