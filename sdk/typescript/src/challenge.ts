/**
 * The HTTP face of errors: WWW-Authenticate, byte for byte as clients scan it, and the small JSON body (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1, RFC 9470 §3; D17).
 * One Bearer challenge per answer, first; after it one of DPoP where DPoP credentials were refused. Every value comes from configuration or is a constant; none comes from the request.
 */
import { proofAlgorithms } from './dpop-proof.ts';
import { type AuthAgentError, AuthenticationError, AuthorizationError, AuthServerUnavailable } from './errors.ts';

/** An answer as plain data: adapters turn it into what their framework sends. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What every challenge of one MCP server says. */
export interface ChallengeContext {
  /** `srv_…` */
  readonly realm: string;
  /** Absolute URL of the RFC 9728 document. */
  readonly resourceMetadata: string;
  /** The scopes to ask for when signing in: the least useful set (RS-12). */
  readonly scopes: readonly string[];
  /** Whether tokens bound to a key are the only ones accepted: then every challenge is of DPoP. */
  readonly dpopRequired?: boolean;
}

type Parameter = readonly [name: string, value: string | undefined];

/**
 * Builds the value of WWW-Authenticate for an error; undefined when the error is not about credentials.
 *
 * @example
 *     challengeFor(new AuthenticationError('missing_token'), context)
 *     // Bearer realm="srv_abc123", resource_metadata="https://…", scope="files:read"
 */
function challengeFor(error: AuthAgentError, context: ChallengeContext): string | undefined {
  const main = context.dpopRequired ? dpop : bearer;
  if (error instanceof AuthorizationError) return main([['error', error.code], ['scope', error.scopes.join(' ')], metadata(context)]);
  if (!(error instanceof AuthenticationError)) return undefined;
  const explained: Parameter[] = [
    ['error', error.code],
    ['error_description', error.text],
  ];
  if (error.code === 'invalid_request') return main([...explained, metadata(context)]);
  const where: Parameter[] = [['realm', context.realm], metadata(context), ['scope', context.scopes.join(' ')]];
  // RFC 6750 §3.1: a request without any credentials gets no error code.
  if (error.code === 'missing_token') return main(where);
  // The error stands under the scheme that was used.
  if (error.scheme === 'DPoP' && !context.dpopRequired) return `${bearer(where)}, ${dpop([...explained, ...stepUp(error)])}`;
  return main([...where, ...explained, ...stepUp(error)]);
}

/** Builds the whole answer for an error: status, challenge or Retry-After, JSON body, never cached. */
export function answerFor(error: AuthAgentError, context: ChallengeContext): Answer {
  const challenge = challengeFor(error, context);
  const scope = error instanceof AuthorizationError ? { scope: error.scopes.join(' ') } : {};
  return jsonAnswer(
    error.status,
    { error: error.code, error_description: error.text, ...scope },
    {
      ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
      ...(error instanceof AuthenticationError && error.nonce !== undefined ? { 'DPoP-Nonce': error.nonce } : {}),
      ...(error instanceof AuthServerUnavailable ? { 'Retry-After': String(error.retryAfter) } : {}),
    },
  );
}

/** A JSON answer that no cache keeps. */
export function jsonAnswer(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers }, body: JSON.stringify(body) };
}

function metadata(context: ChallengeContext): Parameter {
  return ['resource_metadata', context.resourceMetadata];
}

function stepUp({ stepUp: { acrValues, maxAge } }: AuthenticationError): Parameter[] {
  return [
    ['acr_values', acrValues?.join(' ')],
    ['max_age', maxAge === undefined ? undefined : String(maxAge)],
  ];
}

function bearer(parameters: readonly Parameter[]): string {
  return scheme('Bearer', parameters);
}

/** RFC 9449 §7.1: `algs` are the algorithms of proofs that are accepted. */
function dpop(parameters: readonly Parameter[]): string {
  return scheme('DPoP', [...parameters, ['algs', proofAlgorithms.join(' ')]]);
}

function scheme(name: string, parameters: readonly Parameter[]): string {
  const present = parameters.filter(([, value]) => value);
  return `${name} ${present.map(([key, value]) => `${key}="${quotable(value ?? '')}"`).join(', ')}`;
}

/** RS-14: a quoted-string of printable ASCII (RFC 9110 §5.6.4). Configuration is checked at start; this holds for scopes a handler makes up. */
function quotable(value: string): string {
  return value.replace(/[^\x20-\x7E]/g, '').replace(/["\\]/g, '\\$&');
}
