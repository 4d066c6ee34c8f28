/**
 * Asks the authorization server for a token: finds its token endpoint and reads the answer (RFC 6749 §4.4, §5.1). Not here: when to ask, and how requests are
 * sent and refused (token-endpoint.ts).
 */
import type { AgentSettings } from './agent-options.ts';
import { isBearerToken } from './credentials.ts';
import { resourceProblem } from './resource.ts';
import { type Members, post, readIssuerMetadata, TokenRequestRefused, unusable } from './token-endpoint.ts';

/** A token and its times, in epoch seconds. */
export interface IssuedToken {
  readonly value: string;
  readonly renewAt: number;
  readonly expiresAt: number;
}

/** RFC 6749 §5.1 lets a server leave `expires_in` out. */
const unknownLifetimeSeconds = 60;

/** Where to ask. `forget` after anything went wrong there. */
export interface Endpoint {
  find(): Promise<string>;
  forget(): void;
}

/** What is asked for, where that is not client credentials; `accept` is told each token and its whole answer, and throws on one that must not be used. */
export interface Wanted {
  readonly endpoint?: Endpoint;
  readonly form?: () => Readonly<Record<string, string>>;
  readonly accept?: (token: IssuedToken, answer: Members) => void | Promise<void>;
}

/** Makes the finder of the token endpoint: looked up once, and again after it was forgotten. */
export function createEndpoint(settings: AgentSettings): Endpoint {
  let endpoint = settings.tokenEndpoint;
  return {
    find: async () => {
      endpoint ??= endpointIn(await readIssuerMetadata(settings.issuer ?? '', settings), 'token_endpoint');
      return endpoint;
    },
    forget: () => {
      endpoint = settings.tokenEndpoint;
    },
  };
}

/** An endpoint that the metadata names. @throws {TokenRequestRefused} wrong_metadata for none, or one that is no place for credentials. */
export function endpointIn(metadata: Members, name: string): string {
  const endpoint = metadata[name];
  if (typeof endpoint !== 'string' || resourceProblem(endpoint)) throw new TokenRequestRefused('wrong_metadata', `it names no usable ${name}`);
  return endpoint;
}

/** Makes the function that asks for a token. */
export function createTokenRequest(settings: AgentSettings, wanted: Wanted = {}): () => Promise<IssuedToken> {
  const { endpoint = createEndpoint(settings), form = () => formOf(settings), accept } = wanted;

  return async function requestToken() {
    const askedAt = settings.now();
    try {
      const fields = form();
      const url = await endpoint.find();
      const answer = await post(url, fields, settings);
      const token = judge(answer, askedAt, { proofKey: settings.proofKey, url });
      await accept?.(token, answer);
      return token;
    } catch (error) {
      endpoint.forget();
      throw error;
    }
  };
}

function formOf({ scope, resource }: AgentSettings): Record<string, string> {
  return { grant_type: 'client_credentials', ...(scope !== undefined && { scope }), ...(resource !== undefined && { resource }) };
}

/** RFC 6749 §5.1, RFC 6750 §4; RFC 9449 §5: a token of type Bearer is not bound, whoever asked for it. */
export function judge(answer: Members, askedAt: number, { proofKey, url }: Pick<AgentSettings, 'proofKey'> & { url: string }): IssuedToken {
  const { access_token: value, token_type: type, expires_in: expiresIn } = answer;
  const wanted = proofKey ? 'DPoP' : 'Bearer';
  if (typeof value !== 'string' || !isBearerToken(value)) throw unusable('no_token', url, 'without a usable access_token');
  // What it says instead is not repeated: it could be the token.
  if (typeof type !== 'string' || type.toLowerCase() !== wanted.toLowerCase()) throw unusable('token_type', url, `with a token that is not of type ${wanted}`);
  const lifetime = typeof expiresIn === 'number' && expiresIn > 0 && Number.isFinite(expiresIn) ? expiresIn : unknownLifetimeSeconds;
  return withTimes(value, askedAt + lifetime, lifetime);
}

/** Renewed a tenth of the lifetime before its end and a minute at most; the end is counted from before the request was sent. */
export function withTimes(value: string, expiresAt: number, lifetime: number): IssuedToken {
  return Object.freeze({ value, renewAt: expiresAt - Math.min(60, lifetime / 10), expiresAt });
}
