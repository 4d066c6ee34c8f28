/**
 * The options of `agentTokens`, their defaults and checks. Misuse is a TypeError when the agent is made, naming the option; the secret is in no message.
 */
import { type Authenticate, type ClientOptions, clientAuthentication } from './client-authentication.ts';
import { type Names, refuseUnknown } from './known-names.ts';
import { createProofKey, type ProofKey } from './proof-key.ts';
import { resourceProblem } from './resource.ts';
import { isScopeToken } from './scope.ts';

/** What `agentTokens` takes. Exactly one of `issuer` and `tokenEndpoint` says where to ask, exactly one of `clientSecret` and `clientKey` who asks. */
export interface AgentOptions extends ClientOptions {
  /** The authorization server as it calls itself; its token endpoint is looked up (RFC 8414). https, or http on loopback. */
  readonly issuer?: string;
  /** The token endpoint itself, when there is nothing to look up. */
  readonly tokenEndpoint?: string;
  /** Space-separated, e.g. `tasks:read tasks:write`. Default: what the client is registered for. */
  readonly scope?: string;
  /** The server that will be called (RFC 8707). Given, `fetch` sends the token to its origin only. */
  readonly resource?: string;
  /**
   * Binds tokens to a key (DPoP, RFC 9449): a token that leaks is worth nothing without it. `true` makes a key that lives as long as the agent; or bring an ECDSA
   * key pair on P-256. Then use `fetch`: the token alone opens nothing.
   */
  readonly dpop?: boolean | CryptoKeyPair;
  /** Seconds to wait for the authorization server: default 5, which is also the most. */
  readonly timeout?: number;
  /** Replaces `fetch`, e.g. to go through a proxy. */
  readonly fetch?: typeof fetch;
  /** The clock, in epoch seconds. */
  readonly now?: () => number;
}

const names: Names<AgentOptions> = {
  issuer: true,
  tokenEndpoint: true,
  clientId: true,
  clientSecret: true,
  clientKey: true,
  clientKeyId: true,
  scope: true,
  resource: true,
  dpop: true,
  timeout: true,
  fetch: true,
  now: true,
};

/** The checked options with every default filled in. */
export interface AgentSettings {
  readonly issuer: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly authenticate: Authenticate;
  readonly scope: string | undefined;
  readonly resource: string | undefined;
  readonly proofKey: ProofKey | undefined;
  readonly timeout: number;
  readonly fetch: typeof fetch;
  readonly now: () => number;
}

/** Checks and freezes options. @throws {TypeError} naming the option and the rule it breaks. */
export function checkAgentOptions(options: AgentOptions): AgentSettings {
  if (typeof options !== 'object' || options === null) throw new TypeError('agentTokens needs an options object with "issuer", "clientId" and "clientSecret"');
  // "scopes" in place of "scope" would ask for all that the client may have.
  refuseUnknown(options, names);
  const { issuer, tokenEndpoint, clientSecret, clientKey, scope, resource } = options;
  if ((issuer === undefined) === (tokenEndpoint === undefined)) throw new TypeError('either "issuer" or "tokenEndpoint" must be given, not both');
  if (clientSecret === undefined && clientKey === undefined) throw new TypeError('either "clientSecret" or "clientKey" must be given');
  return Object.freeze({
    issuer: issuer === undefined ? undefined : checkIssuer(issuer),
    tokenEndpoint: tokenEndpoint === undefined ? undefined : checkAddress('tokenEndpoint', tokenEndpoint),
    authenticate: clientAuthentication(options, issuer),
    scope: scope === undefined ? undefined : checkScope(scope),
    resource: resource === undefined ? undefined : checkAddress('resource', resource),
    ...checkOutside(options),
  });
}

/** What every helper for clients may be told about the world outside. */
export function checkOutside({ dpop, timeout = 5, fetch, now }: Pick<AgentOptions, 'dpop' | 'timeout' | 'fetch' | 'now'>) {
  if (!(timeout > 0)) throw new TypeError('"timeout" must be a number of seconds above 0');
  return {
    proofKey: dpop ? createProofKey(checkKeyPair(dpop)) : undefined,
    timeout: Math.min(timeout, 5),
    // Bound to nothing: `fetch` called as a member of another object throws on Workers.
    fetch: fetch ?? ((input: string | URL | Request, init?: RequestInit) => globalThis.fetch(input, init)),
    now: now ?? (() => Date.now() / 1000),
  };
}

/** RFC 8414 §2: an issuer has neither query nor fragment. */
function checkIssuer(value: string): string {
  if (String(value).includes('?')) throw new TypeError('"issuer" must not have a query');
  return checkAddress('issuer', value);
}

export function checkAddress(option: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`"${option}" must be a string`);
  const problem = resourceProblem(value);
  if (problem) throw new TypeError(`"${option}" ${problem}`);
  return value;
}

function checkKeyPair(dpop: true | CryptoKeyPair): CryptoKeyPair | undefined {
  if (dpop === true) return undefined;
  const { name, namedCurve } = (dpop.privateKey?.algorithm ?? {}) as { name?: string; namedCurve?: string };
  if (name !== 'ECDSA' || namedCurve !== 'P-256' || !dpop.publicKey?.extractable) throw new TypeError('"dpop" must be true or an ECDSA key pair on P-256');
  return dpop;
}

function checkScope(value: unknown): string {
  if (typeof value !== 'string' || !value.split(' ').every(isScopeToken)) throw new TypeError('"scope" must be scopes separated by one space (RFC 6749 §3.3)');
  return value;
}
