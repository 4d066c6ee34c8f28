/**
 * Calls another MCP server for the person whose agent called this one (RFC 8693): the token that came in is exchanged for one that is good there only and says
 * who acts through whom. The token that came in is never sent anywhere but to the authorization server (RS-09). For servers that call servers.
 */

import { type AgentOptions, type AgentSettings, checkAgentOptions } from './agent-options.ts';
import { createEndpoint, type IssuedToken } from './agent-request.ts';
import { type AgentTokens, createAgent } from './agent-tokens.ts';
import type { McpAuthInfo } from './auth-info.ts';
import { isScopeToken } from './scope.ts';
import { keepSubjectTokens, subjectTokenOf } from './subject-token.ts';
import { TokenRequestRefused } from './token-endpoint.ts';
import type { AuthContext } from './verify.ts';

/** What `tokenExchange` takes: the client that speaks for this MCP server (`auth-agent clients add --speaks-for`). */
export type ExchangeOptions = Omit<AgentOptions, 'scope' | 'resource'>;

/** Whoever was let through: `c.get('user')`, `req.user`, or the `authInfo` of a tool. */
export type Caller = AuthContext | McpAuthInfo;

export interface TokenExchange {
  /**
   * Resolves to an access token with which this server acts for the caller at `resource`. Asked for once, and again when it is about to end. Without `scopes`: all
   * that the caller's token and the person's approval have in common there.
   *
   * @throws {TokenRequestRefused} `delegation_not_approved` when the person has not allowed this server to act for them there: send them to the authorization
   *   endpoint. `invalid_request` when the caller's token has ended, `invalid_scope` when it does not reach that far.
   * @throws {AuthServerUnavailable} when the authorization server cannot be asked.
   */
  exchange(caller: Caller, resource: string, scopes?: readonly string[]): Promise<string>;
  /**
   * The same as something to call with: `fetch` sends the exchanged token, to the origin of `resource` only.
   *
   * @throws {TypeError} for anything that is not the context of a request that was let through in this process.
   */
  onBehalfOf(caller: Caller, resource: string, scopes?: readonly string[]): AgentTokens;
}

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** What acts for one caller at one resource, and until when their token lasts, in epoch seconds. */
type Kept = { readonly agent: AgentTokens; readonly until: number };

const maxAgents = 1000;

/**
 * Makes the exchange of one MCP server. Make it at start, beside the guard: tokens of requests before that cannot be exchanged.
 *
 * @throws {TypeError} naming the option that is missing or wrong.
 * @example
 *     const onward = tokenExchange({ issuer: 'https://auth.example.com', clientId, clientSecret });
 *     const notes = onward.onBehalfOf(c.get('user'), 'https://notes.example.com/mcp', ['notes:read']);
 *     const response = await notes.fetch('https://notes.example.com/mcp', { method: 'POST', body });
 */
export function tokenExchange(options: ExchangeOptions): TokenExchange {
  const settings = checkAgentOptions(options);
  const endpoint = createEndpoint(settings);
  const agents = new Map<string, Kept>();
  keepSubjectTokens();

  function onBehalfOf(caller: Caller, resource: string, scopes?: readonly string[]): AgentTokens {
    const auth = contextOf(caller);
    const subject = subjectTokenOf(auth);
    if (subject === undefined) throw new TypeError('only the context of a request that the guard of this process let through can be exchanged');
    const { scope } = checkTarget({ resource, scopes }, { options, auth });
    const own = { ...settings, resource, scope };
    // By the token and not by its context: where every request is introspected, each has a context of its own.
    const key = JSON.stringify([auth.tokenHash, resource, scope]);
    const wanted = { endpoint, form: () => formOf(subject, own), accept: (token: IssuedToken) => checkIssued(token.value, subject) };
    const agent = agents.get(key)?.agent ?? createAgent(own, wanted);
    keep(key, { agent, until: auth.expiresAt });
    return agent;
  }

  /** Last used last. Of the first go those whose caller's token has ended, and those that are too many. */
  function keep(key: string, kept: Kept): void {
    agents.delete(key);
    agents.set(key, kept);
    for (const [first, { until }] of agents) {
      if (agents.size <= maxAgents && settings.now() < until) return;
      agents.delete(first);
    }
  }

  return Object.freeze({
    onBehalfOf,
    exchange: async (caller: Caller, resource: string, scopes?: readonly string[]) => onBehalfOf(caller, resource, scopes).token(),
  });
}

/** A raw token is no caller: whoever has one got around the guard. */
function contextOf(caller: Caller): AuthContext {
  const auth = typeof caller === 'object' && caller !== null && 'extra' in caller ? caller.extra.user : (caller as AuthContext);
  if (typeof auth !== 'object' || auth === null) throw new TypeError('the caller must be the context of a request, not a token');
  return auth;
}

type Target = { resource: string; scopes: readonly string[] | undefined };

/** The rules for `resource` and `scope` are those of an agent's. */
function checkTarget(
  { resource, scopes }: Target,
  { options, auth }: { options: ExchangeOptions; auth: AuthContext },
): Pick<AgentSettings, 'resource' | 'scope'> {
  if (scopes !== undefined && !scopes.every(isScopeToken)) throw new TypeError('"scopes" must be a list of scopes (RFC 6749 §3.3)');
  const checked = checkAgentOptions({ ...options, resource, scope: scopes === undefined || scopes.length === 0 ? undefined : scopes.join(' ') });
  if (checked.resource === undefined || auth.audience.includes(checked.resource)) throw new TypeError('"resource" must be another server than this one');
  return checked;
}

function formOf(subject: string, { resource = '', scope }: AgentSettings): Record<string, string> {
  return { grant_type: exchangeGrant, subject_token: subject, subject_token_type: accessTokenType, resource, ...(scope !== undefined && { scope }) };
}

/** RS-09: whatever the authorization server answers, the caller's token does not travel on. */
function checkIssued(token: string, subject: string): void {
  if (token === subject) throw new TokenRequestRefused('wrong_token', 'it answered with the token that was to be exchanged');
}
