/**
 * What can be wrong with a request, as a stranger may know it. Every error has a stable `code` and a status; `reason` is for the developer's log only and
 * never leaves the process. The HTTP faces are built in challenge.ts. RFC 6750 §3.1, RFC 9470 §3.
 *
 *     AuthAgentError
 *     ├─ AuthenticationError     401 missing_token, invalid_token, invalid_dpop_proof, use_dpop_nonce, insufficient_user_authentication · 400 invalid_request
 *     ├─ AuthorizationError      403 insufficient_scope
 *     ├─ ActorRefused            403 actor_refused
 *     └─ AuthServerUnavailable   503 auth_server_unavailable
 */

/** The base of every error this library throws about a request. `code` and `status` are stable; the text may change. */
export class AuthAgentError extends Error {
  override readonly name: string = 'AuthAgentError';
  readonly code: string;
  /** HTTP status of the answer. */
  readonly status: number;
  /** What the caller is told. */
  readonly text: string;
  /** Why, in one word, for logs. Telling it to the caller would make an oracle (RS-02). */
  readonly reason: string;

  constructor(code: string, status: number, reason: string, text: string, options?: ErrorOptions & { detail?: string | undefined }) {
    super(options?.detail === undefined ? text : `${text}: ${options.detail}`, options);
    this.code = code;
    this.status = status;
    this.text = text;
    this.reason = reason;
  }
}

export type AuthenticationCode =
  | 'missing_token'
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'invalid_request'
  | 'insufficient_user_authentication';

/** How the person must sign in again (RFC 9470 §3). `maxAge` in seconds. */
export interface StepUp {
  readonly acrValues?: readonly string[];
  readonly maxAge?: number;
}

const authenticationTexts: Record<AuthenticationCode, string> = {
  missing_token: 'This server needs an access token in the Authorization header',
  invalid_token: 'The access token is invalid, expired or meant for another server',
  invalid_dpop_proof: 'The DPoP proof is missing, does not fit this request, or was used before',
  use_dpop_nonce: 'Repeat the request with the nonce of the DPoP-Nonce header in the proof',
  invalid_request: 'Send exactly one access token, in the Authorization header',
  insufficient_user_authentication: 'The person must sign in again for this',
};

/** Says that nobody was authenticated: no token, a bad one, or a malformed request. The same text whatever was wrong with the token (RS-02). */
export class AuthenticationError extends AuthAgentError {
  override readonly name = 'AuthenticationError';
  declare readonly code: AuthenticationCode;
  readonly stepUp: StepUp;
  /** The scheme of the credentials that were refused, whose challenge names the error (RFC 9449 §7.1). */
  readonly scheme: 'Bearer' | 'DPoP';
  /** The nonce to use, with `use_dpop_nonce`. */
  readonly nonce?: string;

  constructor(code: AuthenticationCode, reason: string = code, options: ErrorOptions & { stepUp?: StepUp; scheme?: 'Bearer' | 'DPoP'; nonce?: string } = {}) {
    super(code, code === 'invalid_request' ? 400 : 401, reason, authenticationTexts[code], options);
    this.stepUp = options.stepUp ?? {};
    this.scheme = options.scheme ?? 'Bearer';
    if (options.nonce !== undefined) this.nonce = options.nonce;
  }
}

/**
 * Says that the token is good but does not allow this. Throw it in a handler to answer a step-up challenge of your own.
 *
 * @example
 *     throw new AuthorizationError(['files:write']);
 */
export class AuthorizationError extends AuthAgentError {
  override readonly name = 'AuthorizationError';
  declare readonly code: 'insufficient_scope';
  /** Every scope the operation needs, whether or not the token has it already (RS-03). */
  readonly scopes: readonly string[];

  constructor(scopes: readonly string[]) {
    super('insufficient_scope', 403, 'scope', 'The access token does not allow this');
    this.scopes = [...scopes];
  }
}

/** Says that whoever acts for the person may not do this here. Nothing the person allows can change it, so there is no challenge. */
export class ActorRefused extends AuthAgentError {
  override readonly name = 'ActorRefused';
  declare readonly code: 'actor_refused';

  constructor() {
    super('actor_refused', 403, 'actor', 'This is not for whoever acts for the person');
  }
}

/**
 * Says that the authorization server could not be asked. Never a reason to make the person sign in again (RS-17). `message` is for logs: it names the address and
 * what came of it, where that is known.
 */
export class AuthServerUnavailable extends AuthAgentError {
  override readonly name = 'AuthServerUnavailable';
  declare readonly code: 'auth_server_unavailable';
  /** Seconds after which asking again makes sense. */
  readonly retryAfter: number;

  constructor(reason: string, options: ErrorOptions & { retryAfter?: number; detail?: string | undefined } = {}) {
    super('auth_server_unavailable', 503, reason, 'The authorization server cannot be reached', options);
    this.retryAfter = options.retryAfter ?? 5;
  }
}
