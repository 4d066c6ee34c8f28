/**
 * Speaks with the endpoints of an authorization server as a client: authenticates, proves the key that tokens are to be bound to, and tells a refusal from an outage
 * (RFC 6749 §5.2). Also its metadata (RFC 8414). What authenticates us goes to these endpoints and into nothing else. Not here: what is asked for, and when.
 */
import type { AgentSettings } from './agent-options.ts';
import { readBounded } from './bounded-text.ts';
import { AuthServerUnavailable } from './errors.ts';
import { quoteForLog } from './hints.ts';

export type Members = Readonly<Record<string, unknown>>;
type Fields = Readonly<Record<string, string>>;
/** What is needed to send something. */
export type Sender = Pick<AgentSettings, 'timeout' | 'fetch'>;
export type Asker = Pick<AgentSettings, 'timeout' | 'fetch' | 'now' | 'authenticate' | 'proofKey'>;

/** An answer, unjudged. `text` is empty when it was longer than anything we asked for. */
export interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const notApproved = 'delegation_not_approved';
const maxAnswerBytes = 1024 * 1024;

/** Says that the authorization server refused the request for a token. `code` is its OAuth error code, e.g. `invalid_client`, `invalid_scope` (RFC 6749 §5.2). */
export class TokenRequestRefused extends Error {
  override readonly name = 'TokenRequestRefused';
  readonly code: string;

  constructor(code: string, description: string) {
    super(`The authorization server refused to issue a token: ${code} ${description}`.trimEnd());
    this.code = code;
  }
}

/** Posts a form to an endpoint as the client. The answer is a 200, and its object; anything else throws. */
export async function post(url: string, fields: Fields, asker: Asker): Promise<Members> {
  const { answer, secrets } = await postForm(url, fields, asker);
  if (answer.status !== 200) throw refusal(answer, secrets, url);
  return parseObject(answer.text, url);
}

/** The same for who makes something of every answer. A proof is sent where tokens are to be bound; once more with the nonce that is wanted (RFC 9449 §8). */
export async function postForm(url: string, fields: Fields, asker: Asker): Promise<{ answer: ServerAnswer; secrets: readonly string[] }> {
  const { proofKey, now } = asker;
  for (let repeated = false; ; repeated = true) {
    const client = await asker.authenticate(now());
    const headers: Record<string, string> = { Accept: 'application/json', ...client.headers };
    const body = new URLSearchParams({ ...fields, ...client.fields });
    const proof = await proofKey?.prove({ method: 'POST', url, now: now() });
    if (proof) headers['DPoP'] = proof.value;
    const answer = await call(url, { method: 'POST', headers, body }, asker);
    const { error } = answer.status === 400 || answer.status === 401 ? parseLoosely(answer.text) : {};
    const again = proof !== undefined && proofKey?.learn(url, proof, { headers: answer.headers, error }) && !repeated;
    if (!again) return { answer, secrets: client.secrets };
  }
}

/**
 * Reads what an issuer says about itself, wherever clients look for it.
 * RFC 8414 §3.3: "The "issuer" value returned MUST be identical to the authorization server's issuer identifier value".
 */
export async function readIssuerMetadata(wanted: string, sender: Sender): Promise<Members> {
  const metadata = await findMetadata(wanted, sender);
  if (metadata['issuer'] !== wanted)
    throw new TokenRequestRefused('wrong_issuer', `"issuer" is ${wanted}, but there it is called ${quoteForLog(metadata['issuer'])}`);
  return metadata;
}

/** The first document at one of its addresses. Without any, the first of them says why. */
async function findMetadata(issuer: string, sender: Sender): Promise<Members> {
  const failures: unknown[] = [];
  for (const address of metadataAddresses(issuer)) {
    try {
      const { status, text } = await call(address, { headers: { Accept: 'application/json' } }, sender);
      if (status === 200) return parseObject(text, address);
      failures.push(outage(status, address));
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** MCP authorization: the well-known parts go between host and path (RFC 8414 §3.1, §5), last that of OpenID Connect behind it. */
function metadataAddresses(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const [oauth, openid] = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
  return [...new Set([origin + oauth + path, origin + openid + path, origin + path + openid])];
}

/** Sends one request. @throws {AuthServerUnavailable} when no whole answer arrives in time. */
export async function call(url: string, init: RequestInit, { fetch, timeout }: Sender): Promise<ServerAnswer> {
  try {
    // A redirect would carry our secret elsewhere, so it is an answer like any other wrong one.
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(Math.ceil(timeout * 1000)) });
    return { status: response.status, headers: response.headers, text: (await readBounded(response.body, maxAnswerBytes)) ?? '' };
  } catch (cause) {
    const late = cause instanceof Error && cause.name === 'TimeoutError';
    const detail = `${quoteForLog(url)} ${late ? `did not answer within ${timeout} s` : 'cannot be reached'}`;
    throw new AuthServerUnavailable('unreachable', { cause, detail });
  }
}

/** 400 and 401 with an OAuth error are a no; everything else is an outage. */
export function refusal(
  { status, text }: Pick<ServerAnswer, 'status' | 'text'>,
  secrets: readonly string[],
  url: string,
): TokenRequestRefused | AuthServerUnavailable {
  const { error, error_description: said, code } = status === 400 || status === 401 ? parseLoosely(text) : {};
  if (typeof error !== 'string' || !/^[\w.-]{1,60}$/.test(error)) return outage(status, url);
  // RFC 8693 knows no code of its own for this one, and it is the one that a server can do something about.
  return new TokenRequestRefused(code === notApproved ? notApproved : error, typeof said === 'string' ? quoteForLog(masked(said, secrets)) : '');
}

function outage(status: number, url: string): AuthServerUnavailable {
  return unusable(`status_${status}`, url, String(status));
}

/** Whatever a server says, what authenticates us gets into no log. */
function masked(said: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '********'), said);
}

/** What an address answered. A captive portal or a proxy page is an outage. */
export function parseObject(text: string, url: string): Members {
  const value = parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw unusable('not_json', url, 'without a JSON object');
}

/** An answer that is none, and what is wrong with it; nothing that could be a token. */
export function unusable(reason: string, url: string, what: string): AuthServerUnavailable {
  return new AuthServerUnavailable(reason, { detail: `${quoteForLog(url)} answered ${what}` });
}

/** Of an answer that may be anything, what can be read. */
export function parseLoosely(text: string): Members {
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
