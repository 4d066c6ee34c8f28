/**
 * Talks to the authorization server: introspection (RFC 7662), revocation (RFC 7009) and plain GETs. Does I/O and tells outages apart; judging answers is
 * verify.ts. Whatever is not a usable answer is AuthServerUnavailable: an outage must never look like a bad token (RS-17).
 */
import { AuthServerUnavailable } from './errors.ts';
import { quoteForLog } from './hints.ts';
import type { Settings } from './options.ts';

type Members = Readonly<Record<string, unknown>>;

interface ServerAnswer {
  readonly status: number;
  readonly body: Members;
}

const maxAnswerLength = 1024 * 1024;

/**
 * Asks what a token is worth. The answer is unjudged.
 *
 * @throws {AuthServerUnavailable} on an outage, and when our own key is refused: neither is the caller's fault.
 */
export async function introspect(token: string, settings: Settings): Promise<Members> {
  return expectOk('/introspect', await post('/introspect', token, settings), settings);
}

/**
 * Asks to revoke a token. An unknown token counts as revoked (RFC 7009 §2.2).
 *
 * @throws {AuthServerUnavailable} when it cannot be known that the token is revoked.
 */
export async function revoke(token: string, settings: Settings): Promise<void> {
  expectOk('/revoke', await post('/revoke', token, settings), settings);
}

/** Fetches a JSON document by its path below the issuer. @throws {AuthServerUnavailable} on anything but a 200 with a JSON object. */
export async function getDocument(path: string, settings: Settings): Promise<Members> {
  return expectOk(path, await call(path, { headers: { Accept: 'application/json' } }, settings), settings);
}

function post(path: string, token: string, settings: Settings): Promise<ServerAnswer> {
  const headers = { Accept: 'application/json', Authorization: `Bearer ${settings.apiKey}` };
  return call(path, { method: 'POST', headers, body: new URLSearchParams({ token }) }, settings);
}

async function call(path: string, init: RequestInit, settings: Settings): Promise<ServerAnswer> {
  const response = await send(path, init, settings);
  if (response.status === 429 || response.status >= 500) {
    throw new AuthServerUnavailable(`status_${response.status}`, { retryAfter: retryAfterOf(response) });
  }
  return { status: response.status, body: parseObject(response.text) };
}

async function send(path: string, init: RequestInit, settings: Settings): Promise<{ status: number; headers: Headers; text: string }> {
  try {
    // A redirect would carry our key elsewhere, so it is an answer like any other wrong one.
    const signal = AbortSignal.timeout(Math.ceil(settings.timeout * 1000));
    const response = await settings.fetch(settings.issuer + path, { ...init, redirect: 'manual', signal });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (cause) {
    throw new AuthServerUnavailable('unreachable', { cause });
  }
}

function parseObject(text: string): Members {
  try {
    const value: unknown = text.length > maxAnswerLength ? undefined : text === '' ? {} : JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  } catch {
    // Falls through: a captive portal or a proxy page is an outage too.
  }
  throw new AuthServerUnavailable('not_json');
}

function expectOk(path: string, { status, body }: ServerAnswer, settings: Settings): Members {
  if (status === 200) return body;
  const said = quoteForLog(body.error_description ?? body.error);
  if (status === 401) {
    const why =
      body.code === 'key_id_used_as_secret' ? 'key_id_used_as_secret: the id of the key was given where its secret belongs' : 'the key is wrong or revoked';
    settings.hint(`${settings.issuer} refused the API key of ${settings.serverId}: ${why}. It said ${said}. Callers get 503 until "apiKey" is right.`);
    throw new AuthServerUnavailable('api_key_refused', { retryAfter: 60 });
  }
  settings.hint(`${settings.issuer}${path} answered ${status} ${said}. Check "authServerUrl" and "serverId".`);
  throw new AuthServerUnavailable(`status_${status}`);
}

function retryAfterOf(response: { headers: Headers }): number | undefined {
  const value = response.headers.get('retry-after') ?? '';
  return /^\d{1,4}$/.test(value) ? Math.min(Math.max(Number(value), 1), 300) : undefined;
}
