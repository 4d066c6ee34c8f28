/**
 * Access tokens for a machine that acts as itself: fetched, remembered and renewed (RFC 6749 §4.4). For whoever calls a protected server, not for the server:
 * nothing here judges tokens. The requests themselves are in agent-request.ts, the options in agent-options.ts.
 */
import { type AgentOptions, type AgentSettings, checkAgentOptions } from './agent-options.ts';
import { createTokenRequest, type IssuedToken, type Wanted } from './agent-request.ts';
import { createFlights } from './flights.ts';
import { isLoopbackHost } from './resource.ts';

/** What an agent has in hand. Both members can be passed around by themselves. */
export interface AgentTokens {
  /**
   * Resolves to an access token that is good for now, asking for one only when there is none or it is about to expire.
   *
   * @throws {TokenRequestRefused} when the authorization server knows us and says no, e.g. `invalid_client`.
   * @throws {AuthServerUnavailable} when it cannot be asked and no token is left.
   */
  token(): Promise<string>;
  /**
   * Does what `fetch` does, with the token in the Authorization header, and with `dpop` a proof for this very request. After a 401 it asks for a new token and repeats the request once, unless its body is a
   * stream, which can be sent only once.
   *
   * @throws {TypeError} for an address that is neither https nor loopback, or on another origin than `resource`: the token is not for them.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
}

/** After a renewal that failed ahead of time, seconds until the next attempt. */
const pauseSeconds = 10;
/** A renewal asks for metadata and for the token, each more than once; two at a time would spend one refresh token twice. */
const requestsOfRenewal = 6;

/**
 * Makes the tokens of a machine client. However many calls need one at the same time, one request is made.
 *
 * @throws {TypeError} naming the option that is missing or wrong.
 * @example
 *     const agent = agentTokens({ issuer: 'https://auth.example.com', clientId, clientSecret, scope: 'tasks:read', resource: 'https://tasks.example.com' });
 *     const response = await agent.fetch('https://tasks.example.com/api/tasks');
 */
export function agentTokens(options: AgentOptions): AgentTokens {
  return createAgent(checkAgentOptions(options));
}

/** The same for checked options, for tokens that are asked for otherwise, and when there is one already. @internal */
export function createAgent(settings: AgentSettings, wanted?: Wanted, first?: IssuedToken): AgentTokens {
  const find = createTokenSource(settings, wanted, first);
  return Object.freeze({
    token: () => find(),
    fetch: async (input: string | URL | Request, init?: RequestInit) => {
      checkTarget(input, settings);
      const first = await find();
      const response = await send(first, { input, init }, settings);
      if (response.status !== 401 || !canRepeat(input, init)) return response;
      await response.body?.cancel();
      const second = await find(first);
      return send(second, { input, init }, settings);
    },
  });
}

type FindToken = (refused?: string) => Promise<string>;

/** Remembers the current token and lets one request at a time replace it. `refused` is a token that somebody just answered 401 to. */
function createTokenSource(settings: AgentSettings, wanted: Wanted | undefined, first: IssuedToken | undefined): FindToken {
  const request = createTokenRequest(settings, wanted);
  let current = first;
  const renewals = createFlights<IssuedToken>(requestsOfRenewal * settings.timeout);
  let pausedUntil = Number.NEGATIVE_INFINITY;

  async function replace(): Promise<IssuedToken> {
    try {
      current = await request();
      return current;
    } catch (error) {
      pausedUntil = settings.now() + pauseSeconds;
      throw error;
    }
  }

  return async function findToken(refused) {
    const now = settings.now();
    const usable = current && current.value !== refused && now < current.expiresAt ? current : undefined;
    if (usable && (now < usable.renewAt || now < pausedUntil)) return usable.value;
    try {
      return (await renewals.join('token', replace, now)).value;
    } catch (error) {
      // Ahead of its time a failure costs nothing yet; if it lasts, it is told at the end of the old token.
      if (usable && settings.now() < usable.expiresAt) return usable.value;
      throw error;
    }
  };
}

type Outgoing = { input: string | URL | Request; init: RequestInit | undefined };

/** Sends the token; a bound one with a proof, and once more with the nonce that the server wants (RFC 9449 §9). */
async function send(token: string, { input, init }: Outgoing, settings: AgentSettings): Promise<Response> {
  const { proofKey } = settings;
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  if (!proofKey) {
    headers.set('Authorization', `Bearer ${token}`);
    return settings.fetch(input, { ...init, headers });
  }
  headers.set('Authorization', `DPoP ${token}`);
  const url = input instanceof Request ? input.url : String(input);
  for (let repeated = false; ; repeated = true) {
    const proof = await proofKey.prove({ method: methodOf(input, init), url, accessToken: token, now: settings.now() });
    headers.set('DPoP', proof.value);
    const response = await settings.fetch(input, { ...init, headers });
    if (!proofKey.learn(url, proof, response) || repeated || !canRepeat(input, init)) return response;
    await response.body?.cancel();
  }
}

/** As `fetch` will write it on the wire: it puts these six in capitals and no others. */
function methodOf(input: string | URL | Request, init: RequestInit | undefined): string {
  const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
  return /^(delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method;
}

/** A token in the wrong place belongs to whoever reads it there (RFC 6750 §5.2, RFC 8707 §2). */
function checkTarget(input: string | URL | Request, { resource }: AgentSettings): void {
  const url = new URL(input instanceof Request ? input.url : input);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHost(url.hostname))) {
    throw new TypeError(`${url.origin} must be https (http is for loopback only)`);
  }
  if (resource !== undefined && url.origin !== new URL(resource).origin) throw new TypeError(`the token is for ${resource}, not for ${url.origin}`);
}

function canRepeat(input: string | URL | Request, init: RequestInit | undefined): boolean {
  const body = init?.body ?? (input instanceof Request ? input.body : null);
  return !(body instanceof ReadableStream) && !(typeof body === 'object' && body !== null && Symbol.asyncIterator in body);
}
