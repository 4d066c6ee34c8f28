/**
 * What is not begun while there is too much to do, and the answer to it. First whatever would bring more: who has begun gets through, and asks for less soon. Refusals are
 * made once a second and handed to all, because those who are refused by the thousand come again and must cost little. Not here: how much is too much (runtimes/).
 */
import type { Context, Exchange } from './context.ts';
import { OAuthError } from './errors.ts';
import type { HttpRequest } from './http-request.ts';
import type { Options } from './options.ts';
import { pageLanguage } from './page-language.ts';
import { isForPeople, jsonFace, pageFace, type Reply, type Route, reply, type Surface, type SurfaceHeaders, wantsPage } from './route.ts';

/** `busy`: nothing more is begun · `full`: only what costs nearly nothing is answered. */
export type Pressure = 'busy' | 'full';

/** Whether a request for this route is told to come again. */
export function isShed({ begins, surface, vital }: Route, pressure: Pressure | undefined): boolean {
  if (pressure === undefined) return false;
  return pressure === 'busy' ? begins === true : surface !== 'document' && vital !== true;
}

/** The soonest that anybody is told to come again, in seconds. */
const shortestWait = 2;
/** So many come again in a second, as far as waits can spread them. */
const comingBack = 200;
const longestSpread = 30;

type Settings = { options: Options; context: Context; surfaces: Readonly<Record<Surface, SurfaceHeaders>> };

/**
 * Makes 503 answers: 2 seconds until next time, and more the more were refused in the last second, each of them another number, so that they do not come together.
 * The log hears of them once a second, with how many they were; the request id of an answer is that of the line in the log.
 */
export function shedding({ options, context, surfaces }: Settings): (route: Route, exchange: Exchange) => Reply {
  const made = new Map<string, Reply>();
  let second = 0;
  let requestId = '';
  let count = 0;
  let spread = 1;

  function nextSecond(exchange: Exchange): void {
    const now = options.now();
    spread = now - second > longestSpread ? 1 : Math.min(longestSpread, Math.ceil(count / comingBack));
    second = now;
    requestId = exchange.requestId;
    options.log.warn('requests.shed', { count, request_id: requestId });
    count = 0;
    made.clear();
  }

  return (route, exchange) => {
    count += 1;
    if (options.now() !== second) nextSecond(exchange);
    exchange.route = route.path;
    exchange.outcome = 'temporarily_unavailable';
    const wait = shortestWait + (count % spread);
    const page = wantsPage(route, exchange.request);
    const surface = page && !isForPeople(route.surface) ? 'page' : route.surface;
    const language = page ? pageLanguage(exchange, context) : '';
    const key = `${surface} ${page} ${language} ${wait}`;
    const known = made.get(key);
    if (known) return known;
    const error = new OAuthError('temporarily_unavailable', 'The service is busy, try again shortly', {
      headers: { 'Retry-After': String(wait) },
      logged: true,
    });
    const answer = (page ? pageFace : jsonFace)(error, { ...exchange, request: anybodys(language), requestId }, context);
    const refusal = reply(answer, surfaces[surface]);
    made.set(key, refusal);
    return refusal;
  };
}

/** Nothing of the request whose turn it was may stand in an answer that others get; nor is there an address to come back to. */
function anybodys(language: string): HttpRequest {
  return { method: 'POST', url: 'http://localhost/', headers: { get: (name) => (name === 'accept-language' ? language : null) }, body: null, text: () => '' };
}
