/**
 * The guard of one MCP server, free of any framework: decides for each request whether it is answered here or may pass, and with whom. Adapters only convert.
 * The order of checks is the order of lines in `admit`; OPTIONS, metadata and `publicPaths` are all that passes without a token (RS-18).
 */
import { type Answer, answerFor, type ChallengeContext, jsonAnswer } from './challenge.ts';
import { AuthAgentClient } from './client.ts';
import { carriesAccessToken, readCredentials } from './credentials.ts';
import { AuthAgentError, AuthenticationError, AuthorizationError, AuthServerUnavailable } from './errors.ts';
import { isMetadataTarget, metadataAnswer, metadataUrl } from './metadata.ts';
import type { AuthAgentOptions, Settings } from './options.ts';
import { corsHeaders, isAllowedOrigin, optionsAnswer, originRefused } from './origin.ts';
import { actionOf, type Call, createReporter, mayHoldAction, type Reporter } from './report.ts';
import { challengeScopes, type ScopeRequirement, satisfies } from './scope.ts';
import { createSessionOwners, type SessionOwners, sessionRefused } from './session.ts';
import { checkSignIn } from './sign-in.ts';
import { watchStream } from './stream-watch.ts';
import { contradictsMirror, mirrorRefused, toolRequirements } from './tool-call.ts';
import type { AuthContext } from './verify.ts';

/** What the guard needs to know of a request, whatever the framework. */
export interface Inbound {
  readonly method: string;
  /** Path and query exactly as received, never from a rewritten or decoded form. */
  readonly target: string;
  /** Value of a header; several of one name joined by a comma. */
  header(name: string): string | null;
  /** The body as text or as already parsed, without taking it from the handler; undefined when there is none, `too_large` beyond `maxBodyBytes`. */
  readonly peekBody: () => Promise<string | object | undefined>;
}

/** What `peekBody` resolves to instead of a body that is too large. */
export const tooLarge: object = Object.freeze({});

/** The request may pass. `auth` is undefined on a public path. `headers` go on the answer. */
export interface Admission {
  readonly auth: AuthContext | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** What was called, for a check further in that refuses it. */
  readonly call?: Call;
  /** Told the `Mcp-Session-Id` of the answer: from then on the session is this caller's. */
  readonly claimSession?: (sessionId: string) => void;
  /** Watches the access for an event stream that stays open: `end` is called once, when it has ended. Returns what stops watching. */
  readonly watch?: (end: () => void) => () => void;
}

/** @see createGuard */
export interface Guard {
  /** Holds the checked options too: a member of its own would print the API key with the guard. */
  readonly client: AuthAgentClient;
  /** Admits a request or answers it. Never rejects because of what a caller or the authorization server did. */
  admit(inbound: Inbound): Promise<Admission | Answer>;
  /** The 403 that names every scope of the operation, or undefined when the token suffices. */
  refuseScopes(auth: AuthContext, requirement: ScopeRequirement, call?: Call): Answer | undefined;
  /** The answer to an error of this library thrown by a handler; undefined for any other error. */
  answerError(error: unknown): Answer | undefined;
}

/** Makes the guard of one MCP server. @throws {TypeError} naming the option that is missing or wrong. */
export function createGuard(options: AuthAgentOptions): Guard {
  const client = new AuthAgentClient(options);
  const { settings } = client;
  const challenge: ChallengeContext = {
    realm: settings.serverId,
    resourceMetadata: metadataUrl(settings),
    scopes: challengeScopes([settings.requiredScopes], settings.closure),
    dpopRequired: settings.dpopRequired,
  };
  const sessions = createSessionOwners();
  const reporter = createReporter(settings);

  function answerError(error: unknown): Answer | undefined {
    // It asked for something, say a token for elsewhere; nobody else sees why the caller gets a 503.
    if (error instanceof AuthServerUnavailable) settings.hint(`A handler could not go on, and callers get 503. ${error.message}`);
    return error instanceof AuthAgentError ? answerFor(error, challenge) : undefined;
  }

  async function admit(inbound: Inbound): Promise<Admission | Answer> {
    const origin = inbound.header('origin');
    try {
      if (isMetadataTarget(inbound.target)) return await metadataAnswer(inbound, [client]);
      if (origin !== null && !(await mayCall(origin, client))) return originRefused();
      const headers = corsHeaders(origin, settings);
      if (inbound.method === 'OPTIONS') return withHeaders(optionsAnswer(origin), headers);
      if (settings.publicPaths.has(pathOf(inbound.target))) return { auth: undefined, headers };
      const { auth, token, nonce } = await authenticate(inbound, client);
      checkSignIn(auth, settings.signIn, settings.now());
      const { refusal, call } = await checkCall(inbound, { auth, token, settings, reporter });
      if (refusal) return withHeaders(refusal, headers);
      if (!ownsSession(inbound, auth, sessions)) return withHeaders(sessionRefused(), headers);
      if (call) reporter.allowed(call);
      // Only a request without a session can open one; an id that a handler merely echoes must not change hands.
      const opening = inbound.header('mcp-session-id') === null;
      return {
        auth,
        headers: nonce === undefined ? headers : { ...headers, 'DPoP-Nonce': nonce },
        ...(call && { call }),
        ...(opening && { claimSession: (sessionId: string) => sessions.claim(sessionId, auth) }),
        watch: (end) => watchStream({ expiresAt: auth.expiresAt, now: settings.now, stands: () => client.stands(token) }, end),
      };
    } catch (error) {
      if (!(error instanceof AuthAgentError)) throw error;
      return withHeaders(answerFor(error, challenge), corsHeaders(origin, settings));
    }
  }

  function refuseScopes(auth: AuthContext, requirement: ScopeRequirement, call?: Call): Answer | undefined {
    const missing = missingScopes(auth, [settings.requiredScopes, requirement], settings);
    if (missing && call) reporter.refused(call, lackedBy(auth, missing, settings), true);
    return missing && answerFor(missing, challenge);
  }

  return { client, admit, refuseScopes, answerError };
}

/** Whether the guard answered itself. */
export function isAnswer(outcome: Admission | Answer): outcome is Answer {
  return 'status' in outcome;
}

/** The part of `Headers` that is needed to complete an answer; node adapters bring their own. */
export interface MutableHeaders {
  get(name: string): string | null;
  set(name: string, value: string): void;
}

/**
 * Completes the headers of an answer that is about to go out. RS-23: they keep it out of shared caches; the handler's own `private` or `no-store` stands, and so
 * does `no-transform`, without which proxies hold back event streams. A session it opens becomes the caller's.
 */
export function completeHeaders(admission: Admission, headers: MutableHeaders): void {
  for (const name in admission.headers) {
    if (name !== 'Vary') headers.set(name, admission.headers[name] ?? '');
  }
  addVary(headers, admission.headers.Vary);
  if (!admission.auth) return;
  addVary(headers, 'Authorization');
  headers.set('Cache-Control', privateCaching(headers.get('cache-control')));
  const sessionId = admission.claimSession && headers.get('mcp-session-id');
  if (sessionId) admission.claimSession?.(sessionId);
}

function privateCaching(current: string | null): string {
  if (current === null) return 'no-store';
  if (/(^|[\s,])(no-store|private)([\s,=]|$)/i.test(current)) return current;
  return /no-transform/i.test(current) ? 'no-store, no-transform' : 'no-store';
}

function addVary(headers: MutableHeaders, name: string | undefined): void {
  if (name === undefined) return;
  const current = headers.get('vary');
  const present = current?.toLowerCase().split(/\s*,\s*/) ?? [];
  if (!present.includes(name.toLowerCase()) && !present.includes('*')) headers.set('Vary', current ? `${current}, ${name}` : name);
}

/** Who calls. `nonce` is to be announced for proofs to come. */
async function authenticate(inbound: Inbound, client: AuthAgentClient): Promise<{ auth: AuthContext; token: string; nonce?: string }> {
  const { scheme, token } = readCredentials(inbound.header('authorization'), queryCarriesToken(inbound.target));
  if (scheme === 'Bearer') return { auth: await client.validateToken(token), token };
  return { ...(await client.validateBoundToken(token, { proof: inbound.header('dpop'), method: inbound.method, target: pathOf(inbound.target) })), token };
}

interface Checked {
  readonly auth: AuthContext;
  readonly token: string;
  readonly settings: Settings;
  readonly reporter: Reporter;
}

/** What the body says about the call, before anything is dispatched. */
async function checkCall(inbound: Inbound, { auth, token, settings, reporter }: Checked): Promise<{ refusal?: Answer; call?: Call }> {
  const form = mayHaveBody(inbound) && isForm(inbound.header('content-type') ?? '');
  const decides = form || (settings.toolScopes.size > 0 && mayHaveBody(inbound));
  const body = decides || (reporter.on && mayHoldAction(inbound)) ? await inbound.peekBody() : undefined;
  if (decides && body === tooLarge) return { refusal: jsonAnswer(413, { error: 'content_too_large', error_description: 'The body is larger than 4 MiB' }) };
  if (form && bodyCarriesToken(body)) throw new AuthenticationError('invalid_request', 'two_credentials');
  const call = reporter.on ? { token, action: actionOf(inbound.method, form ? undefined : body) } : undefined;
  try {
    const refusal = checkTools(inbound, { auth, body, settings });
    return { ...(refusal && { refusal }), ...(call && { call }) };
  } catch (error) {
    if (call && error instanceof AuthorizationError) reporter.refused(call, lackedBy(auth, error, settings));
    throw error;
  }
}

/** Of the scopes that an operation needs, those the token does not have. */
function lackedBy(auth: AuthContext, { scopes }: AuthorizationError, { closure }: Settings): string[] {
  return scopes.filter((scope) => !satisfies(auth.scopes, [scope], closure));
}

/** All scopes of the operation are checked at once, so that one challenge names them all (RS-13). */
function checkTools(
  inbound: Inbound,
  { auth, body, settings }: { auth: AuthContext; body: string | object | undefined; settings: Settings },
): Answer | undefined {
  const tools = body === undefined ? [] : toolRequirements(body, settings.toolScopes);
  const missing = missingScopes(auth, [settings.requiredScopes, ...tools], settings);
  if (missing) throw missing;
  const mirror = { method: inbound.header('mcp-method'), name: inbound.header('mcp-name') };
  return body !== undefined && settings.toolScopes.size > 0 && contradictsMirror(body, mirror) ? mirrorRefused() : undefined;
}

function missingScopes(auth: AuthContext, requirements: readonly ScopeRequirement[], { closure }: Settings): AuthorizationError | undefined {
  if (requirements.every((requirement) => satisfies(auth.scopes, requirement, closure))) return undefined;
  return new AuthorizationError(challengeScopes(requirements, closure));
}

function ownsSession(inbound: Inbound, auth: AuthContext, sessions: SessionOwners): boolean {
  const sessionId = inbound.header('mcp-session-id');
  return sessionId === null || sessions.mayUse(sessionId, auth);
}

async function mayCall(origin: string, client: AuthAgentClient): Promise<boolean> {
  if (isAllowedOrigin(origin, client.settings)) return true;
  const resource = client.settings.resource ?? (await client.getServerMetadata()).resource;
  return origin === new URL(resource).origin;
}

function mayHaveBody({ method }: Inbound): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

function isForm(contentType: string): boolean {
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(contentType);
}

function queryCarriesToken(target: string): boolean {
  const query = target.indexOf('?');
  return query !== -1 && carriesAccessToken(target.slice(query + 1));
}

function bodyCarriesToken(body: string | object | undefined): boolean {
  return typeof body === 'string' ? carriesAccessToken(body) : body !== undefined && 'access_token' in body;
}

function pathOf(target: string): string {
  return target.replace(/\?.*$/s, '');
}

function withHeaders(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}
