/**
 * Asks the authorization server for a token: finds its token endpoint (RFC 8414), authenticates the client and reads the answer (RFC 6749 §4.4, §5). Not here:
 * when to ask. The secret goes to the token endpoint and into nothing else; an outage is told apart from a refusal.
 */
import type { AgentSettings } from './agent-options.ts';
import { isBearerToken } from './credentials.ts';
import { AuthServerUnavailable } from './errors.ts';
import { quoteForLog } from './hints.ts';
import { resourceProblem } from './resource.ts';

/** A token and its times, in epoch seconds. */
export interface IssuedToken {
  readonly value: string;
  readonly renewAt: number;
  readonly expiresAt: number;
}

type Members = Readonly<Record<string, unknown>>;

const notApproved = 'delegation_not_approved';
const maxAnswerLength = 1024 * 1024;
/** RFC 6749 §5.1 lets a server leave `expires_in` out. */
const unknownLifetimeSeconds = 60;

/** Says that the authorization server refused the request for a token. `code` is its OAuth error code, e.g. `invalid_client`, `invalid_scope` (RFC 6749 §5.2). */
export class TokenRequestRefused extends Error {
  override readonly name = 'TokenRequestRefused';
  readonly code: string;

  constructor(code: string, description: string) {
    super(`The authorization server refused to issue a token: ${code} ${description}`.trimEnd());
    this.code = code;
  }
}

/** Where to ask. `forget` after anything went wrong there. */
export interface Endpoint {
  find(): Promise<string>;
  forget(): void;
}

/** What is asked for, where that is not client credentials; `check` throws on a token that must not be used. */
export interface Wanted {
  readonly endpoint?: Endpoint;
  readonly form?: () => URLSearchParams;
  readonly check?: (token: string) => void;
}

/** Makes the finder of the token endpoint: looked up once, and again after it was forgotten. */
export function createEndpoint(settings: AgentSettings): Endpoint {
  let endpoint = settings.tokenEndpoint;
  return {
    find: async () => {
      endpoint ??= await discover(settings);
      return endpoint;
    },
    forget: () => {
      endpoint = settings.tokenEndpoint;
    },
  };
}

/** Makes the function that asks for a token. */
export function createTokenRequest(settings: AgentSettings, wanted: Wanted = {}): () => Promise<IssuedToken> {
  const { endpoint = createEndpoint(settings), form = () => formOf(settings), check } = wanted;
  const headers = { Accept: 'application/json', Authorization: basicCredentials(settings) };

  return async function requestToken() {
    const askedAt = settings.now();
    try {
      const answer = await ask(await endpoint.find(), { method: 'POST', headers, body: form() }, settings);
      if (answer.status !== 200) throw refusal(answer, settings);
      const token = judge(parseObject(answer.text), askedAt, settings.proofKey ? 'dpop' : 'bearer');
      check?.(token.value);
      return token;
    } catch (error) {
      endpoint.forget();
      throw error;
    }
  };
}

/** The token request, with a proof where tokens are to be bound; repeated once with the nonce that the server wants (RFC 9449 §8). */
async function ask(url: string, init: RequestInit & { headers: Record<string, string> }, settings: AgentSettings): Promise<ServerAnswer> {
  const { proofKey } = settings;
  if (!proofKey) return call(url, init, settings);
  for (let repeated = false; ; repeated = true) {
    const proof = await proofKey.prove({ method: 'POST', url, now: settings.now() });
    const answer = await call(url, { ...init, headers: { ...init.headers, DPoP: proof.value } }, settings);
    const { error } = answer.status === 400 || answer.status === 401 ? looselyParsed(answer.text) : {};
    if (!proofKey.learn(url, proof, { headers: answer.headers, error }) || repeated) return answer;
  }
}

/** RFC 8414 §3.3: "The "issuer" value returned MUST be identical to the authorization server's issuer identifier value". */
async function discover(settings: AgentSettings): Promise<string> {
  const wanted = settings.issuer ?? '';
  const { status, text } = await call(metadataAddress(wanted), { headers: { Accept: 'application/json' } }, settings);
  if (status !== 200) throw new AuthServerUnavailable(`status_${status}`);
  const { issuer, token_endpoint: endpoint } = parseObject(text);
  if (issuer !== wanted) throw new TokenRequestRefused('wrong_issuer', `"issuer" is ${wanted}, but there it is called ${quoteForLog(issuer)}`);
  if (typeof endpoint !== 'string' || resourceProblem(endpoint)) throw new TokenRequestRefused('wrong_metadata', 'it names no usable token_endpoint');
  return endpoint;
}

/** Where the metadata of an issuer lives: the well-known part goes between host and path (RFC 8414 §3.1). */
function metadataAddress(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`;
}

function formOf({ scope, resource }: AgentSettings): URLSearchParams {
  return new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }), ...(resource !== undefined && { resource }) });
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they become Basic credentials. */
function basicCredentials({ clientId, clientSecret }: AgentSettings): string {
  const encoded = (value: string) => new URLSearchParams({ '': value }).toString().slice(1);
  return `Basic ${btoa(`${encoded(clientId)}:${encoded(clientSecret)}`)}`;
}

interface ServerAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function call(url: string, init: RequestInit, settings: AgentSettings): Promise<ServerAnswer> {
  try {
    // A redirect would carry our secret elsewhere, so it is an answer like any other wrong one.
    const response = await settings.fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(Math.ceil(settings.timeout * 1000)) });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (cause) {
    throw new AuthServerUnavailable('unreachable', { cause });
  }
}

/** 400 and 401 with an OAuth error are a no; everything else is an outage. */
function refusal({ status, text }: { status: number; text: string }, { clientSecret }: AgentSettings): Error {
  const { error, error_description: said, code } = status === 400 || status === 401 ? looselyParsed(text) : {};
  if (typeof error !== 'string' || !/^[\w.-]{1,60}$/.test(error)) return new AuthServerUnavailable(`status_${status}`);
  // Whatever a server says, our secret gets into no log.
  // RFC 8693 knows no code of its own for this one, and it is the one that a server can do something about.
  return new TokenRequestRefused(
    code === notApproved ? notApproved : error,
    typeof said === 'string' ? quoteForLog(said.replaceAll(clientSecret, '********')) : '',
  );
}

/** RFC 6749 §5.1, RFC 6750 §4; RFC 9449 §5: a token of type Bearer is not bound, whoever asked for it. */
function judge(answer: Members, askedAt: number, expected: 'bearer' | 'dpop'): IssuedToken {
  const { access_token: value, token_type: type, expires_in: expiresIn } = answer;
  if (typeof value !== 'string' || !isBearerToken(value)) throw new AuthServerUnavailable('no_token');
  if (typeof type !== 'string' || type.toLowerCase() !== expected) throw new AuthServerUnavailable('token_type');
  return Object.freeze({ value, ...timesOf(expiresIn, askedAt) });
}

/** When to renew and when it ends: counted from before the request was sent, renewed a tenth of the lifetime ahead and a minute at most. */
function timesOf(expiresIn: unknown, askedAt: number): { renewAt: number; expiresAt: number } {
  const lifetime = typeof expiresIn === 'number' && expiresIn > 0 && Number.isFinite(expiresIn) ? expiresIn : unknownLifetimeSeconds;
  const expiresAt = askedAt + lifetime;
  return { renewAt: expiresAt - Math.min(60, lifetime / 10), expiresAt };
}

function parseObject(text: string): Members {
  const value = parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw new AuthServerUnavailable('not_json');
}

function looselyParsed(text: string): Members {
  const value = parse(text);
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

function parse(text: string): unknown {
  try {
    return text.length > maxAnswerLength ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
