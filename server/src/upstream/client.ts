/**
 * What every upstream is spoken to with: openid-client on our guarded fetch, our credential opened, and its errors turned into ours. openid-client is loaded when
 * the first person goes to an upstream. Not here: what is asked (openid.ts, github.ts).
 */
import type * as OpenidClient from 'openid-client';
import { FetchFailure } from '../clients/fetch-failure.ts';
import { waitForUpstream } from '../clients/flights.ts';
import type { Context } from '../context.ts';
import type { Upstream } from '../storage/store.ts';
import { causes, codeOf, UpstreamFailure } from './failure.ts';

export type Library = typeof import('./openid-library.ts');
/** Our secret or our private key there. */
export type Credential = { secret: string } | { privateJwk: Record<string, unknown> & { kid?: string } };

export const library = (): Promise<Library> => import('./openid-library.ts');

/** Milliseconds are the guard's; this only ends what the library would wait for. */
export const timeoutSeconds = 30;

/** Seals a credential for its row. */
export function sealCredential(upstreamId: string, credential: Credential, context: Context): string {
  return context.instance.seal(purposeOf(upstreamId, context), JSON.stringify(credential));
}

/** How we prove to the upstream who we are; by the metadata where there is a choice. */
export async function authenticationAt(upstream: Upstream, openid: Library, context: Context): Promise<OpenidClient.ClientAuth> {
  if (upstream.credentialSealed === undefined) return openid.None();
  const credential = JSON.parse(context.instance.open(purposeOf(upstream.id, context), upstream.credentialSealed)) as Credential;
  if ('privateJwk' in credential) return openid.PrivateKeyJwt({ key: await privateKey(credential.privateJwk), kid: credential.privateJwk.kid });
  const [inBody, inHeader] = [openid.ClientSecretPost(credential.secret), openid.ClientSecretBasic(credential.secret)];
  // In the body nobody disagrees about its encoding; absent, the header is the default (OIDC Discovery §3).
  return (server, ...more) => (server.token_endpoint_auth_methods_supported?.includes('client_secret_post') ? inBody : inHeader)(server, ...more);
}

/** The fetch of the library, on the guarded one of the runtime. */
export function guardedFetch(upstream: Upstream, context: Context): OpenidClient.CustomFetch {
  const { fetchUpstream } = context.options;
  return (url, { method, headers, body }) => {
    if (!fetchUpstream) throw new FetchFailure('refused', 'no fetch is configured');
    if (body !== undefined && body !== null && typeof body !== 'string' && !(body instanceof URLSearchParams))
      throw new TypeError('only forms are sent to an upstream');
    const asked = fetchUpstream(url, { method, headers, body: body?.toString(), privateNetwork: upstream.privateNetwork });
    return asked.catch((cause: unknown) => {
      throw cause instanceof FetchFailure ? cause : new FetchFailure('transport', 'the fetch failed', { cause });
    });
  };
}

/** An address that a browser may be sent to. @throws {UpstreamFailure} invalid */
export function browserAddress(url: URL, { privateNetwork }: Upstream): URL {
  if (url.protocol === 'https:' || (privateNetwork && url.protocol === 'http:')) return url;
  throw new UpstreamFailure('invalid', 'the authorization endpoint is no https address');
}

/**
 * Runs a conversation with an upstream; whatever goes wrong in it is thrown as {@link UpstreamFailure}. What is wrong with us is thrown as it is: a mistake, a
 * credential that cannot be opened. An upstream that does not answer holds up some requests, not the node.
 */
export async function conversation<Result>(context: Context, talk: () => Promise<Result>): Promise<Result> {
  try {
    return await waitForUpstream(context, talk);
  } catch (error) {
    if (error instanceof UpstreamFailure || !(await isOfConversation(error))) throw error;
    throw new UpstreamFailure(...judged(error), { cause: error });
  }
}

/** The library's errors are its own or have a code of its own; it passes on TypeErrors with a code for what it cannot use, such as an address that is none. */
async function isOfConversation(error: unknown): Promise<boolean> {
  const { ClientError } = await library();
  return causes(error).some((one) => one instanceof FetchFailure || one instanceof ClientError || /^(OAUTH_|ERR_INVALID_)/.test(codeOf(one) ?? ''));
}

function judged(error: unknown): [UpstreamFailure['kind'], string] {
  const chain = causes(error);
  const fetched = chain.find((one) => one instanceof FetchFailure);
  if (fetched instanceof FetchFailure) return ['unavailable', `fetch ${fetched.kind}`];
  const code = chain.map(codeOf).find((one) => one !== undefined) ?? 'unknown';
  const refusal = chain.map((one) => ('error' in one ? one.error : undefined)).find((one) => typeof one === 'string');
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR' && refusal === 'access_denied') return ['declined', 'access_denied'];
  // temporarily_unavailable and server_error are the registered ways to say "not now" (RFC 6749 §4.1.2.1).
  if (refusal === 'temporarily_unavailable' || refusal === 'server_error') return ['unavailable', refusal];
  return [/RESPONSE_IS_NOT|TIMEOUT/.test(code) ? 'unavailable' : 'invalid', code];
}

function privateKey(jwk: Record<string, unknown>): Promise<CryptoKey> {
  const algorithm =
    jwk.kty === 'EC'
      ? { name: 'ECDSA', namedCurve: String(jwk.crv) }
      : jwk.kty === 'OKP'
        ? { name: 'Ed25519' }
        : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  return crypto.subtle.importKey('jwk', { ...jwk, key_ops: ['sign'] }, algorithm, false, ['sign']);
}

function purposeOf(upstreamId: string, { store }: Context): string {
  return `upstream ${store.tenant} ${upstreamId}`;
}
