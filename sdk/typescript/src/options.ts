/**
 * Every option, its default and its check. Options are checked and frozen when a client or middleware is made: misuse is a TypeError at start, naming the
 * option and the rule, never a surprise on the first request.
 */
import { findAuthServerUrl } from './environment.ts';
import type { StepUp } from './errors.ts';
import { createHints, type Hint, type Log } from './hints.ts';
import { type Names, refuseUnknown } from './known-names.ts';
import { createProofMemory, type ProofMemory } from './proof-memory.ts';
import { isLoopbackHost, resourceProblem } from './resource.ts';
import { closeHierarchy, isScopeToken, type ScopeClosure, type ScopeHierarchy, type ScopeRequirement } from './scope.ts';
import { maxCacheSeconds } from './token-cache.ts';

interface CommonOptions {
  /** `srv_…`, as registered with the authorization server. */
  readonly serverId: string;
  /** Scopes without which no request enters. Default none. Never `offline_access`. */
  readonly requiredScopes?: readonly string[];
  /** The issuer, compared byte for byte with the token's `iss`. Default: `AUTH_AGENT_URL`; in development `http://localhost:9000`. https, or http on loopback. */
  readonly authServerUrl?: string;
  /**
   * The public URL of this MCP server exactly as people configure it, e.g. `https://files.example.com/mcp`. Default: what the authorization server has
   * registered for `serverId`, fetched once. When given, challenges point at the metadata document on your own origin instead of the authorization server's.
   */
  readonly resource?: string;
  /** Seconds a good answer about a token is remembered: default 30, which is also the most; 0 for never. */
  readonly cacheTtl?: number;
  /** Most tokens remembered at once. Default 10 000. */
  readonly maxCacheEntries?: number;
  /** Seconds to wait for the authorization server: default 5, which is also the most. */
  readonly timeout?: number;
  /** Scopes that include others, e.g. `{ 'files:write': ['files:read'], 'admin:all': ['*'] }`. */
  readonly scopeHierarchy?: ScopeHierarchy;
  /** What each MCP tool needs on top of `requiredScopes`; decided from the JSON-RPC body before your handler runs. */
  readonly toolScopes?: Readonly<Record<string, ScopeRequirement>>;
  /** Levels of sign-in of which a token must have one (`acr`), e.g. `['aal1']`. Others get 401 `insufficient_user_authentication` (RFC 9470). Default: any. */
  readonly acrValues?: readonly string[];
  /** Seconds since the person signed in, at most; older sign-ins get the same 401. Default: any. */
  readonly maxAge?: number;
  /**
   * How many may act for the person, when an MCP server calls this one for the agent they connected: 2 is one server in between, 0 lets agents call directly only.
   * Default: as many as the authorization server allows.
   */
  readonly maxActors?: number;
  /**
   * Tells the authorization server the names of the actions of agents and whether they were allowed, so that people see what their agents do; never arguments, paths
   * or bodies. Default true; false tells nothing.
   */
  readonly report?: boolean;
  /** Browser origins that may call, e.g. `['https://app.example.com']`. Your own origin always may, loopback origins in development. `*` for all. */
  readonly allowedOrigins?: readonly string[] | '*';
  /** Exact paths that anybody may call, e.g. `['/health']`. There `c.get('user')` is undefined. */
  readonly publicPaths?: readonly string[];
  /** True when other MCP servers live on the same host: the root metadata document is then 404 (RFC 9728 §3.1). */
  readonly sharedHost?: boolean;
  /** Accept only tokens that are bound to a key of the client and come with its proof (DPoP, RFC 9449). Default: those, and Bearer tokens. */
  readonly dpopRequired?: boolean;
  /** Demands that proofs carry a nonce of this server (RFC 9449 §9), made from this secret of 32 or more characters, which all its processes share. */
  readonly dpopNonceSecret?: string;
  /** Remembers used proofs; default in memory, which several processes do not share. */
  readonly proofMemory?: ProofMemory;
  /** Replaces `fetch`, e.g. to go through a proxy. Must not follow redirects by itself. */
  readonly fetch?: typeof fetch;
  /** The clock, in epoch seconds. */
  readonly now?: () => number;
  /** Receives hints about a wrong setup. Default `console.error`. */
  readonly log?: Log;
}

/** Asks the authorization server about every token it has not just seen: revocation is felt within `cacheTtl`. */
interface IntrospectionOptions extends CommonOptions {
  readonly verify?: 'introspection';
  /** `key_secret` of an API key: `sk_<id>_<secret>`. */
  readonly apiKey: string;
}

/** Verifies signatures with the published keys and asks nobody: revocation is felt only at `exp`, and there is no e-mail. */
interface LocalOptions extends CommonOptions {
  readonly verify: 'local';
  readonly apiKey?: string;
  /** Seconds for which known keys stay good while the authorization server is unreachable. Default 3600. */
  readonly maxStaleKeys?: number;
}

/** What `authAgentMiddleware`, `AuthAgentClient` and all adapters take. */
export type AuthAgentOptions = IntrospectionOptions | LocalOptions;

const names: Names<IntrospectionOptions> & Names<LocalOptions> = {
  serverId: true,
  apiKey: true,
  requiredScopes: true,
  authServerUrl: true,
  resource: true,
  toolScopes: true,
  scopeHierarchy: true,
  acrValues: true,
  maxAge: true,
  maxActors: true,
  allowedOrigins: true,
  publicPaths: true,
  sharedHost: true,
  report: true,
  dpopRequired: true,
  dpopNonceSecret: true,
  proofMemory: true,
  cacheTtl: true,
  maxCacheEntries: true,
  timeout: true,
  verify: true,
  maxStaleKeys: true,
  log: true,
  fetch: true,
  now: true,
};

/** The checked options with every default filled in. */
export interface Settings {
  readonly serverId: string;
  readonly apiKey: string | undefined;
  readonly issuer: string;
  readonly resource: string | undefined;
  readonly requiredScopes: readonly string[];
  readonly verify: 'introspection' | 'local';
  readonly cacheTtl: number;
  readonly maxCacheEntries: number;
  readonly timeout: number;
  readonly maxStaleKeys: number;
  readonly maxActors: number;
  readonly closure: ScopeClosure;
  readonly toolScopes: ReadonlyMap<string, ScopeRequirement>;
  readonly signIn: StepUp;
  readonly report: boolean;
  readonly allowedOrigins: ReadonlySet<string> | '*';
  readonly loopbackOrigins: boolean;
  readonly publicPaths: ReadonlySet<string>;
  readonly sharedHost: boolean;
  readonly dpopRequired: boolean;
  readonly dpopNonceSecret: string | undefined;
  readonly proofMemory: ProofMemory;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly hint: Hint;
}

/**
 * Checks and freezes options.
 *
 * @throws {TypeError} naming the option and the rule it breaks.
 */
export function checkOptions(options: AuthAgentOptions): Settings {
  if (typeof options !== 'object' || options === null) throw new TypeError('auth-agent-mcp-sdk needs an options object with "serverId" and "apiKey"');
  // A misspelt "requiredScopes" would ask for no scope at all.
  refuseUnknown(options, names);
  const now = options.now ?? (() => Date.now() / 1000);
  const issuer = checkIssuer(findAuthServerUrl(options.authServerUrl));
  return Object.freeze({
    serverId: matching('serverId', options.serverId, /^srv_[A-Za-z0-9_-]+$/, 'must be the id of a registered server, srv_…'),
    apiKey: checkApiKey(options),
    issuer,
    resource: checkResource(options.resource),
    requiredScopes: Object.freeze([...checkScopes('requiredScopes', options.requiredScopes ?? [])]),
    verify: oneOf('verify', options.verify ?? 'introspection', ['introspection', 'local']),
    cacheTtl: Math.min(range('cacheTtl', options.cacheTtl ?? maxCacheSeconds, 0), maxCacheSeconds),
    maxCacheEntries: range('maxCacheEntries', options.maxCacheEntries ?? 10_000, 0),
    timeout: Math.min(range('timeout', options.timeout ?? 5, 0.001), 5),
    maxStaleKeys: range('maxStaleKeys', (options.verify === 'local' ? options.maxStaleKeys : undefined) ?? 3600, 0),
    maxActors: options.maxActors === undefined ? Number.POSITIVE_INFINITY : range('maxActors', options.maxActors, 0),
    closure: closeHierarchy(checkHierarchy(options.scopeHierarchy ?? {})),
    toolScopes: checkToolScopes(options.toolScopes ?? {}),
    signIn: checkDemand(options),
    report: flag('report', options.report ?? true),
    allowedOrigins: checkOrigins(options.allowedOrigins ?? []),
    loopbackOrigins: [issuer, options.resource].some((url) => url !== undefined && isLoopbackHost(new URL(url).hostname)),
    publicPaths: checkPaths(options.publicPaths ?? []),
    sharedHost: flag('sharedHost', options.sharedHost ?? false),
    dpopRequired: flag('dpopRequired', options.dpopRequired ?? false),
    dpopNonceSecret: checkNonceSecret(options.dpopNonceSecret),
    proofMemory: options.proofMemory ?? createProofMemory(),
    // Bound to nothing: `fetch` called as a member of another object throws on Workers.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    now,
    hint: createHints(options.log ?? ((message) => console.error(message)), now),
  });
}

/** Checks one requirement of scopes, as `requireScope` and `toolScopes` take it. @throws {TypeError} naming `option`. */
export function checkRequirement(option: string, requirement: ScopeRequirement): ScopeRequirement {
  const anyOf = typeof requirement === 'object' && requirement !== null && 'anyOf' in requirement ? requirement.anyOf : undefined;
  const scopes = checkScopes(option, anyOf ?? (requirement as readonly string[]));
  if (scopes.length === 0) throw new TypeError(`"${option}" must name at least one scope`);
  return anyOf ? { anyOf: [...scopes] } : [...scopes];
}

function checkIssuer(value: string): string {
  const problem = resourceProblem(value) ?? (value.includes('?') ? 'must not have a query' : undefined);
  if (problem) throw new TypeError(`"authServerUrl" (or AUTH_AGENT_URL) ${problem}`);
  // Issuers never end with a slash (RFC 8414 §2 as our server reads it), addresses copied from a browser do.
  return value.replace(/\/$/, '');
}

function checkApiKey(options: AuthAgentOptions): string | undefined {
  if (options.verify === 'local' && options.apiKey === undefined) return undefined;
  // The value itself never appears in a message.
  return matching('apiKey', options.apiKey, /^sk_[A-Za-z0-9_-]+$/, 'must be the key_secret shown once when the key was made, sk_<id>_<secret>');
}

function checkResource(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const problem = typeof value === 'string' ? resourceProblem(value) : 'must be a string';
  if (problem) throw new TypeError(`"resource" ${problem}`);
  return value;
}

/** The value itself never appears in a message. */
function checkNonceSecret(value: string | undefined): string | undefined {
  if (value !== undefined && (typeof value !== 'string' || value.length < 32)) throw new TypeError('"dpopNonceSecret" must be 32 or more random characters');
  return value;
}

function checkScopes(option: string, scopes: unknown): readonly string[] {
  if (!Array.isArray(scopes) || !scopes.every(isScopeToken)) throw new TypeError(`"${option}" must be a list of scopes (RFC 6749 §3.3)`);
  // RS-12: asking for refresh is the client's decision; a server cannot need it.
  if (scopes.includes('offline_access')) throw new TypeError(`"${option}" must not contain offline_access`);
  return scopes;
}

function checkHierarchy(hierarchy: ScopeHierarchy): ScopeHierarchy {
  for (const [scope, included] of Object.entries(hierarchy))
    checkScopes(`scopeHierarchy.${scope}`, [scope, ...(Array.isArray(included) ? included : [included])]);
  return hierarchy;
}

function checkToolScopes(tools: Readonly<Record<string, ScopeRequirement>>): ReadonlyMap<string, ScopeRequirement> {
  return new Map(Object.entries(tools).map(([tool, requirement]) => [tool, checkRequirement(`toolScopes.${tool}`, requirement)]));
}

/** A level goes into a quoted list separated by spaces (RFC 9470 §3), so it has the alphabet of scopes. */
function checkDemand({ acrValues, maxAge }: AuthAgentOptions): StepUp {
  if (acrValues !== undefined && !(Array.isArray(acrValues) && acrValues.length > 0 && acrValues.every(isScopeToken)))
    throw new TypeError('"acrValues" must be a list of at least one level, such as aal1');
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 0)) throw new TypeError('"maxAge" must be a whole number of seconds');
  return Object.freeze({ ...(acrValues && { acrValues: Object.freeze([...acrValues]) }), ...(maxAge !== undefined && { maxAge }) });
}

function checkOrigins(origins: readonly string[] | '*'): ReadonlySet<string> | '*' {
  if (origins === '*') return origins;
  const wrong = Array.isArray(origins) ? origins.find((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin) : 'it';
  if (wrong !== undefined)
    throw new TypeError(`"allowedOrigins" must be '*' or a list of origins like https://app.example.com; ${JSON.stringify(wrong)} is not`);
  return new Set(origins);
}

function checkPaths(paths: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(paths) || !paths.every((path) => /^\/[^\s?#*]*$/.test(path)))
    throw new TypeError('"publicPaths" must be a list of exact paths like /health');
  return new Set(paths);
}

function matching(option: string, value: unknown, pattern: RegExp, rule: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new TypeError(`"${option}" ${rule}`);
  return value;
}

/** `'true'` from an environment variable would else be no. */
function flag(option: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`"${option}" must be true or false`);
  return value;
}

function oneOf<T extends string>(option: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value)) throw new TypeError(`"${option}" must be one of ${allowed.join(', ')}`);
  return value;
}

function range(option: string, value: number, least: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least) throw new TypeError(`"${option}" must be a number of at least ${least}`);
  return value;
}
