/**
 * Talks to the authorization server: introspection (RFC 7662), revocation (RFC 7009) and plain GETs. Does I/O and tells outages apart; judging answers is
 * verify.ts. Whatever is not a usable answer is AuthServerUnavailable: an outage must never look like a bad token (RS-17).
 */
import { readBounded } from './bounded-text.ts';
import { AuthServerUnavailable } from './errors.ts';
import { quoteForLog } from './hints.ts';
import type { Settings } from './options.ts';

type Members = Readonly<Record<string, unknown>>;

/** `text` is empty when it was longer than anything we asked for. */
interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const maxAnswerBytes = 1024 * 1024;

/**
 * Asks what a token is worth. The answer is unjudged.
 *
 * @throws {AuthServerUnavailable} on an outage, and when our own key is refused: neither is the caller's fault.
 */
export async function introspect(token: string, settings: Settings): Promise<Members> {
  return objectOf('/introspect', await post('/introspect', token, settings), settings);
}

/**
 * Asks to revoke a token. An unknown token counts as revoked (RFC 7009 §2.2).
 *
 * @throws {AuthServerUnavailable} when it cannot be known that the token is revoked.
 */
export async function revoke(token: string, settings: Settings): Promise<void> {
  await post('/revoke', token, settings);
}

/** Fetches a JSON document by its path below the issuer. @throws {AuthServerUnavailable} on anything but a 200 with a JSON object. */
export async function getDocument(path: string, settings: Settings): Promise<Members> {
  return objectOf(path, await call(path, { headers: { Accept: 'application/json' } }, settings), settings);
}

function post(path: string, token: string, settings: Settings): Promise<string> {
  const headers = { Accept: 'application/json', Authorization: `Bearer ${settings.apiKey}` };
  return call(path, { method: 'POST', headers, body: new URLSearchParams({ token }) }, settings);
}

/** The body of a 200; anything else throws. */
async function call(path: string, init: RequestInit, settings: Settings): Promise<string> {
  const { status, headers, text } = await send(path, init, settings);
  if (status === 200) return text;
  if (status === 429 || status >= 500) {
    settings.hint(`${settings.issuer}${path} answered ${status}. Callers get 503.`);
    throw new AuthServerUnavailable(`status_${status}`, { retryAfter: retryAfterOf(headers) });
  }
  if (status === 401 && new Headers(init.headers).has('Authorization')) throw keyRefused(text, settings);
  settings.hint(`${settings.issuer}${path} answered ${status} ${quoteForLog(parseLoosely(text))}. Check "authServerUrl" and "serverId".`);
  throw new AuthServerUnavailable(`status_${status}`);
}

async function send(path: string, init: RequestInit, settings: Settings): Promise<ServerAnswer> {
  const signal = AbortSignal.timeout(Math.ceil(settings.timeout * 1000));
  try {
    // A redirect would carry our key elsewhere, so it is an answer like any other wrong one.
    const response = await settings.fetch(settings.issuer + path, { ...init, redirect: 'manual', signal });
    return { status: response.status, headers: response.headers, text: (await readBounded(response.body, maxAnswerBytes)) ?? '' };
  } catch (cause) {
    const what = signal.aborted ? `did not answer within ${settings.timeout} s` : 'cannot be reached';
    settings.hint(`${settings.issuer}${path} ${what}. Callers get 503.`);
    throw new AuthServerUnavailable('unreachable', { cause });
  }
}

/** Our key is our business: the caller gets 503, the developer gets the reason. */
function keyRefused(text: string, { issuer, serverId, hint }: Settings): AuthServerUnavailable {
  const { code, error_description: said } = parseLoosely(text);
  const why =
    code === 'key_id_used_as_secret'
      ? 'key_id_used_as_secret, the id of the key was given where its secret belongs'
      : `the key is wrong, expired or revoked: "auth-agent keys list ${serverId}" says which, "auth-agent keys create ${serverId}" makes another`;
  hint(`${issuer} refused the API key of ${serverId}: ${why}. It said ${quoteForLog(said)}. Callers get 503 until "apiKey" is right.`);
  return new AuthServerUnavailable('api_key_refused', { retryAfter: 60 });
}

/** A captive portal or a proxy page is an outage too. */
function objectOf(path: string, text: string, { issuer, hint }: Settings): Members {
  const value = parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  hint(`${issuer}${path} answered without a JSON object. Callers get 503. Check "authServerUrl".`);
  throw new AuthServerUnavailable('not_json');
}

/** Of a refusal only what helps the developer. */
function parseLoosely(text: string): Members {
  const value = parse(text);
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after') ?? '';
  return /^\d{1,4}$/.test(value) ? Math.min(Math.max(Number(value), 1), 300) : undefined;
}
