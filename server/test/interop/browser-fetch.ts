/**
 * `fetch` as a web page has it: asks first where the Fetch standard says so, refuses what the answer does not allow, and shows only the headers that are
 * exposed. A client that works through this works in a browser.
 */

const safeRequestHeaders = new Set(['accept', 'accept-language', 'content-language']);
const safeContentTypes = /^(application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)(;|$)/;
const safeResponseHeaders = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'];

export type BrowserFetch = { fetch: typeof fetch /** Preflights, e.g. `OPTIONS /token`. */; preflights: string[] };

/** A page of `origin`. Failures are a TypeError without a reason, as in browsers; here its message says which rule it was. */
export function fetchFrom(origin: string): BrowserFetch {
  const preflights: string[] = [];

  async function preflight(request: Request, unsafe: string[]): Promise<void> {
    preflights.push(`OPTIONS ${new URL(request.url).pathname}`);
    const headers: Record<string, string> = { Origin: origin, 'Access-Control-Request-Method': request.method };
    if (unsafe.length > 0) headers['Access-Control-Request-Headers'] = unsafe.join(',');
    const answer = await fetch(request.url, { method: 'OPTIONS', headers });
    checkOrigin(answer, request);
    if (!answer.ok) throw new TypeError(`preflight of ${request.url} is ${answer.status}`);
    const methods = listed(answer, 'access-control-allow-methods');
    if (!['GET', 'HEAD', 'POST'].includes(request.method) && !methods.includes(request.method.toLowerCase()))
      throw new TypeError(`${request.method} of ${request.url} is not allowed`);
    const allowed = listed(answer, 'access-control-allow-headers');
    // A star does not cover Authorization.
    const refused = unsafe.find((name) => !allowed.includes(name) && !(allowed.includes('*') && name !== 'authorization'));
    if (refused) throw new TypeError(`${refused} to ${request.url} is not allowed`);
  }

  function checkOrigin(answer: Response, request: Request): void {
    const allowed = answer.headers.get('access-control-allow-origin');
    if (allowed !== '*' && allowed !== origin) throw new TypeError(`${request.method} ${request.url} is not for ${origin}`);
  }

  return {
    preflights,
    async fetch(input, init) {
      const request = new Request(input, init);
      const unsafe = [...request.headers.keys()].filter((name) => !isSafe(name, request)).sort();
      if (unsafe.length > 0 || !['GET', 'HEAD', 'POST'].includes(request.method)) await preflight(request, unsafe);
      const headers = new Headers(request.headers);
      headers.set('Origin', origin);
      const answer = await fetch(request.url, { method: request.method, headers, body: request.body && (await request.text()), redirect: request.redirect });
      checkOrigin(answer, request);
      const shown = [...safeResponseHeaders, ...listed(answer, 'access-control-expose-headers')];
      const visible = [...answer.headers].filter(([name]) => shown.includes(name));
      return new Response(answer.body, { status: answer.status, statusText: answer.statusText, headers: visible });
    },
  };
}

function isSafe(name: string, request: Request): boolean {
  return safeRequestHeaders.has(name) || (name === 'content-type' && safeContentTypes.test(request.headers.get(name) ?? ''));
}

function listed(answer: Response, name: string): string[] {
  return (answer.headers.get(name) ?? '')
    .toLowerCase()
    .split(/\s*,\s*/)
    .filter(Boolean);
}
