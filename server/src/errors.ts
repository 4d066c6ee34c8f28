/**
 * The one error of the house and the table of its codes. An OAuthError carries a registered code, a description that a stranger may read and a cause that
 * only the log sees. Its faces (JSON, redirect, page) are made in route.ts and authorize/; the redirect face exists only where a verified redirect URI was attached.
 */

/** Every code the server can emit, with its default status and what to do about it: the source of /docs/errors/<code>. */
export const errorCodes = {
  invalid_request: {
    status: 400,
    means: 'The request is missing a parameter, repeats one, or has one that cannot be read.',
    fix: 'Read the description: it names the parameter. Send each parameter once.',
  },
  invalid_client: {
    status: 401,
    means: 'The client is not known here, or it did not prove who it is.',
    fix: 'Check client id and secret. A client that registered itself long ago registers again.',
  },
  invalid_grant: {
    status: 400,
    means: 'The code, device code or refresh token is unknown, used, expired, revoked, or belongs to another client.',
    fix: 'Start again at the authorization endpoint. Keep only the newest refresh token.',
  },
  unauthorized_client: {
    status: 400,
    means: 'This client may not use this grant type, or its registration is gone.',
    fix: 'Register the client again, or ask the operator to allow the grant type.',
  },
  unsupported_grant_type: { status: 400, means: 'The token endpoint does not know this grant type.', fix: 'See grant_types_supported in the metadata.' },
  unsupported_response_type: { status: 400, means: 'Only response_type=code is offered.', fix: 'Use the authorization code flow with PKCE.' },
  invalid_scope: {
    status: 400,
    means: 'None of the requested scopes is offered by this resource, or they exceed what was granted.',
    fix: 'See scopes_supported in the protected resource metadata.',
  },
  invalid_target: {
    status: 400,
    means: 'The resource is not one this server protects, or not one this grant covers.',
    fix: 'Send the resource exactly as the protected resource metadata spells it.',
  },
  delegation_not_approved: {
    status: 400,
    means: 'The person has not allowed this client to act for them at that server, or not with these scopes.',
    fix: 'Send the person to the authorization endpoint with the client_id of this client, the resource and the scopes. Then exchange again.',
  },
  access_denied: { status: 403, means: 'The person said no. Nothing was shared.', fix: 'Ask again only if the person wants to.' },
  login_required: { status: 400, means: 'Nobody is signed in and the request forbade asking.', fix: 'Send the request without prompt=none.' },
  consent_required: { status: 400, means: 'The person has not allowed this yet and the request forbade asking.', fix: 'Send the request without prompt=none.' },
  interaction_required: {
    status: 400,
    means: 'The person must answer something and the request forbade asking.',
    fix: 'Send the request without prompt=none.',
  },
  request_not_supported: { status: 400, means: 'Signed request objects are not offered.', fix: 'Send plain parameters.' },
  request_uri_not_supported: {
    status: 400,
    means: 'A request_uri must come from this server; no other address is fetched.',
    fix: 'Push the request to the pushed_authorization_request_endpoint.',
  },
  invalid_request_uri: {
    status: 400,
    means: 'The pushed request is unknown, too old, answered before, or of another client.',
    fix: 'Push the request again and open the browser with the new request_uri.',
  },
  invalid_authorization_details: { status: 400, means: 'authorization_details are not offered.', fix: 'Use scope and resource.' },
  unmet_authentication_requirements: {
    status: 400,
    means: 'The requested strength of sign-in is not offered.',
    fix: 'Ask for a level listed in acr_values_supported, or none.',
  },
  authorization_pending: {
    status: 400,
    means: 'The person has not answered the device yet.',
    fix: 'Poll again after interval seconds, until expires_in is over.',
  },
  slow_down: {
    status: 400,
    means: 'The device polls faster than it may.',
    fix: 'Add five seconds to the interval, for this and every later poll.',
  },
  expired_token: {
    status: 400,
    means: 'The device code is over before anybody answered.',
    fix: 'Ask for a new one at the device authorization endpoint, when the person wants to.',
  },
  invalid_redirect_uri: {
    status: 400,
    means: 'A redirect URI is not registered for the client, or is of a kind that is not offered.',
    fix: 'Use https, http on loopback, or a private-use scheme in reverse-domain form.',
  },
  invalid_client_metadata: { status: 400, means: 'The client metadata cannot be used.', fix: 'Read the description: it names the member.' },
  invalid_software_statement: { status: 400, means: 'The software statement cannot be verified.', fix: 'Leave it out.' },
  client_metadata_unavailable: {
    status: 400,
    means: 'The client id is an address, and the description there could not be read.',
    fix: 'Serve it over https on a public address as application/json, with a client_id equal to its own address.',
  },
  invalid_token: {
    status: 401,
    means: 'The access token is missing, malformed, expired, revoked or for another resource.',
    fix: 'Refresh the token or ask the person again.',
  },
  insufficient_scope: {
    status: 403,
    means: 'The token is good but does not allow this.',
    fix: 'Ask for the scopes named in the challenge, together with those you have.',
  },
  invalid_dpop_proof: {
    status: 400,
    means: 'The DPoP proof is missing, does not fit the request, or was used before.',
    fix: 'Make a new proof for every request: typ dpop+jwt, the public key as jwk, htm and htu of this request, iat now, a fresh jti.',
  },
  use_dpop_nonce: {
    status: 400,
    means: 'Proofs must carry a nonce of this server.',
    fix: 'Repeat the request with the value of the DPoP-Nonce header as nonce in the proof.',
  },
  unsupported_token_type: { status: 400, means: 'This kind of token cannot be revoked here.', fix: 'Send an access token or a refresh token.' },
  key_id_used_as_secret: {
    status: 401,
    means: 'The id of an API key was sent where its secret belongs.',
    fix: 'Send key_secret, the long value shown once when the key was made: sk_<id>_<secret>.',
  },
  too_many_requests: { status: 429, means: 'Too many requests in a short time.', fix: 'Wait as long as Retry-After says.' },
  request_expired: {
    status: 400,
    means: 'This sign-in request is too old, was already answered, or began in another browser.',
    fix: 'Go back to your agent and connect again.',
  },
  invalid_form: {
    status: 403,
    means: 'The form did not come from our page in this browser.',
    fix: 'Allow cookies for this site, go back, reload the page and send it again.',
  },
  not_found: { status: 404, means: 'The address leads to nothing that this service has.', fix: 'Check the address.' },
  method_not_allowed: { status: 405, means: 'This address does not take this method.', fix: 'See the Allow header.' },
  unsupported_media_type: { status: 415, means: 'The body is not of a type this address reads.', fix: 'Send application/json.' },
  content_too_large: { status: 413, means: 'The body is too large.', fix: 'Send at most 64 KiB.' },
  uri_too_long: { status: 414, means: 'The address is too long.', fix: 'Send at most 8 KiB and 100 parameters.' },
  server_url_taken: { status: 409, means: 'Another registered server has this address.', fix: 'Use the one that exists, or another address.' },
  username_taken: { status: 409, means: 'Somebody has this username or e-mail.', fix: 'Choose another.' },
  unauthorized: {
    status: 401,
    means: 'The management API needs an owner token.',
    fix: 'Send Authorization: Bearer aat_…; auth-agent setup-link or the console makes one.',
  },
  forbidden: { status: 403, means: 'You may not do this.', fix: 'Ask an operator.' },
  temporarily_unavailable: { status: 503, means: 'The database is away or the server is shedding load.', fix: 'Try again after Retry-After seconds.' },
  server_error: { status: 500, means: 'Something broke on our side. Nothing was shared.', fix: 'Try again; give the operator the request id.' },
} as const satisfies Record<string, { status: number; means: string; fix: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** The page that says what a code means and what to do about it: `error_uri` wherever an error is answered (RFC 6749 §5.2). `issuer` is that of the root. */
export function errorUri(issuer: string, code: ErrorCode): string {
  return `${issuer}/docs/errors/${code}`;
}

/** A redirect URI that was checked against the registration, with what belongs in the answer. */
export type VerifiedRedirect = { uri: string; state?: string };

/** What an error page says beyond its code: title, advice for the person and for the developer, facts. */
export type ErrorPageText = {
  title?: string;
  forUser?: string;
  forDeveloper?: string;
  fixes?: { label: string; text: string }[];
  details?: [string, string][];
  continueTo?: { href: string; host: string; fields?: Record<string, string> };
  /** A page of ours that does what the request was after. */
  goTo?: { href: string; place: 'device' };
};

type ErrorOptions = { status?: number; cause?: unknown; headers?: Record<string, string>; members?: Record<string, string> };

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
  redirect?: VerifiedRedirect;
  page?: ErrorPageText;

  constructor(code: ErrorCode, description: string, options: ErrorOptions = {}) {
    super(description, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? errorCodes[code].status;
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
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
export function tooManyRequests(retryAfter: number, description = 'Too many requests, wait before trying again'): OAuthError {
  return new OAuthError('too_many_requests', description, { headers: { 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) } });
}
