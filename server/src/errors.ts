/**
 * The one error of the house and the table of its codes. An OAuthError carries a registered code, a description that a stranger may read and a cause that
 * only the log sees. Its faces (JSON, redirect, page) are made in route.ts and authorize/; the redirect face exists only where a verified redirect URI was attached.
 */

/**
 * Every code the server can emit, with its default status and what a developer does about it: the source of /docs/errors/<code>. What a code means to a person is a
 * message of the pages, `problem.means.<code>` in assets/messages/en.json; codes without a `fix` have `problem.advice.<code>` there.
 */
export const errorCodes = {
  invalid_request: { status: 400, fix: 'Read the description: it names the parameter. Send each parameter once.' },
  invalid_client: { status: 401, fix: 'Check client id and secret. A client that registered itself long ago registers again.' },
  invalid_grant: { status: 400, fix: 'Start again at the authorization endpoint. Keep only the newest refresh token.' },
  unauthorized_client: { status: 400, fix: 'Register the client again, or ask the operator to allow the grant type.' },
  unsupported_grant_type: { status: 400, fix: 'See grant_types_supported in the metadata.' },
  unsupported_response_type: { status: 400, fix: 'Use the authorization code flow with PKCE.' },
  invalid_scope: { status: 400, fix: 'See scopes_supported in the protected resource metadata.' },
  invalid_target: { status: 400, fix: 'Send the resource exactly as the protected resource metadata spells it.' },
  delegation_not_approved: {
    status: 400,
    fix: 'Send the person to the authorization endpoint with the client_id of this client, the resource and the scopes. Then exchange again.',
  },
  access_denied: { status: 403, fix: 'Ask again only if the person wants to.' },
  login_required: { status: 400, fix: 'Send the request without prompt=none.' },
  consent_required: { status: 400, fix: 'Send the request without prompt=none.' },
  interaction_required: { status: 400, fix: 'Send the request without prompt=none.' },
  request_not_supported: { status: 400, fix: 'Send plain parameters.' },
  request_uri_not_supported: { status: 400, fix: 'Push the request to the pushed_authorization_request_endpoint.' },
  invalid_request_uri: { status: 400, fix: 'Push the request again and open the browser with the new request_uri.' },
  invalid_authorization_details: { status: 400, fix: 'Use scope and resource.' },
  unmet_authentication_requirements: { status: 400, fix: 'Ask for a level listed in acr_values_supported, or none.' },
  authorization_pending: { status: 400, fix: 'Poll again after interval seconds, until expires_in is over.' },
  slow_down: { status: 400, fix: 'Add five seconds to the interval, for this and every later poll.' },
  expired_token: { status: 400, fix: 'Ask for a new one at the device authorization endpoint, when the person wants to.' },
  invalid_redirect_uri: { status: 400, fix: 'Use https, http on loopback, or a private-use scheme in reverse-domain form.' },
  invalid_client_metadata: { status: 400, fix: 'Read the description: it names the member.' },
  client_metadata_unavailable: { status: 400, fix: 'Serve it over https on a public address as application/json, with a client_id equal to its own address.' },
  invalid_token: { status: 401, fix: 'Refresh the token or ask the person again.' },
  insufficient_scope: { status: 403, fix: 'Ask for the scopes named in the challenge, together with those you have.' },
  invalid_dpop_proof: {
    status: 400,
    fix: 'Make a new proof for every request: typ dpop+jwt, the public key as jwk, htm and htu of this request, iat now, a fresh jti.',
  },
  use_dpop_nonce: { status: 400, fix: 'Repeat the request with the value of the DPoP-Nonce header as nonce in the proof.' },
  unsupported_token_type: { status: 400, fix: 'Send an access token or a refresh token.' },
  key_id_used_as_secret: { status: 401, fix: 'Send key_secret, the long value shown once when the key was made: sk_<id>_<secret>.' },
  too_many_requests: { status: 429, fix: 'Wait as long as Retry-After says.' },
  request_expired: { status: 400 },
  invalid_form: { status: 403 },
  not_found: { status: 404 },
  method_not_allowed: { status: 405, fix: 'See the Allow header.' },
  unsupported_media_type: { status: 415, fix: 'Send application/json.' },
  content_too_large: { status: 413, fix: 'Send at most 64 KiB.' },
  uri_too_long: { status: 414, fix: 'Send at most 8 KiB and 100 parameters.' },
  server_url_taken: { status: 409, fix: 'Use the one that exists, or another address.' },
  unauthorized: { status: 401, fix: 'Send Authorization: Bearer aat_…; auth-agent owner-tokens create makes one.' },
  forbidden: { status: 403 },
  not_set_up: { status: 503, fix: 'Open the setup link that the server printed when it started, or print a new one: auth-agent setup-link.' },
  temporarily_unavailable: { status: 503, fix: 'Try again after Retry-After seconds.' },
  server_error: { status: 500 },
} as const satisfies Record<string, { status: number; fix?: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** What a developer does about a code; undefined where only the person can do something. */
export function fixOf(code: ErrorCode): string | undefined {
  const row: { status: number; fix?: string } = errorCodes[code];
  return row.fix;
}

/** The page that says what a code means and what to do about it: `error_uri` wherever an error is answered (RFC 6749 §5.2). `issuer` is that of the root. */
export function errorUri(issuer: string, code: ErrorCode): string {
  return `${issuer}/docs/errors/${code}`;
}

/** A redirect URI that was checked against the registration, with what belongs in the answer. */
export type VerifiedRedirect = { uri: string; state?: string };

/** Why a code was answered, where the page has better words for it than for the code: `problem.case.<case>` in assets/messages/en.json. */
export type ErrorCase =
  | 'agentHeld'
  | 'agentPaused'
  | 'clientDisabled'
  | 'clientGone'
  | 'clientPending'
  | 'codeClosed'
  | 'copiedCode'
  | 'deviceDecided'
  | 'deviceGone'
  | 'emailLinkClosed'
  | 'formFromElsewhere'
  | 'formOld'
  | 'noCookie'
  | 'invitationClosed'
  | 'notListed'
  | 'notSetUp'
  | 'redirectMismatch'
  | 'requestDecided'
  | 'resetLinkClosed'
  | 'setupLink';

/** @see differenceOf in rules/difference.ts */
type Run = { text: string; same: boolean };
type Difference = { asked: Run[]; known: Run[] };

/** What an error page says beyond its code: the case with what its words name, advice for the developer in English, facts. */
export type ErrorPageText = {
  case?: ErrorCase;
  /** Values of the placeholders in the words of the case. */
  values?: Readonly<Record<string, string>>;
  forDeveloper?: string;
  fixes?: { label: string; text: string }[];
  /** What a client that forgot its registration can be told by; the page says how to make that client register anew. */
  staleClient?: { names: readonly string[]; places: readonly string[] };
  /** An address that was asked for beside the one that was probably meant, in runs of characters. */
  difference?: Difference;
  details?: ErrorDetail[];
  continueTo?: { href: string; host: string; fields?: Record<string, string> };
  /** A page of ours that does what the request was after. */
  goTo?: { href: string; place: 'device' | 'agents' | 'ask' | 'signIn' };
};

/** A fact with its name: a wire name, or one of the few that the pages have words for. A number is how many more there are. */
export type ErrorDetail = [name: string, value: string | number];

type ErrorOptions = {
  status?: number;
  cause?: unknown;
  headers?: Record<string, string>;
  members?: Record<string, string>;
  /** Whoever throws it keeps the log: for what comes by the thousand. */
  logged?: boolean;
};

/**
 * What a handler throws. `description` follows RFC 6749 §5.2: printable ASCII without `"` and `\`, never made from input.
 *
 *     throw new OAuthError('invalid_grant', 'Invalid PKCE verifier');
 */
export class OAuthError extends Error {
  override name = 'OAuthError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly headers: Record<string, string>;
  /** Further members of the JSON face, such as `code`. */
  readonly members: Record<string, string>;
  readonly logged: boolean;
  redirect?: VerifiedRedirect;
  page?: ErrorPageText;

  constructor(code: ErrorCode, description: string, options: ErrorOptions = {}) {
    super(description, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? errorCodes[code].status;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
    this.logged = options.logged ?? false;
  }

  /** Says on the error page what the table of codes cannot know. Values may come from input: the page escapes them. */
  onPage(page: ErrorPageText): this {
    this.page = page;
    return this;
  }

  /** Gives permission to carry this error to a redirect URI that was verified. */
  to(redirect: VerifiedRedirect): this {
    this.redirect = redirect;
    return this;
  }
}

/** 429 with how long to wait. */
export function tooManyRequests(
  retryAfter: number,
  description = 'Too many requests, wait before trying again',
  headers: Readonly<Record<string, string>> = {},
): OAuthError {
  return new OAuthError('too_many_requests', description, { headers: { ...headers, 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) } });
}
