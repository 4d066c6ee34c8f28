/**
 * The keys of a trusted issuer: those an operator gave, those at its `jwks_uri`, or those its metadata points to (OpenID Connect Discovery, RFC 8414). Only for
 * issuers that are trusted: nothing that a token says is fetched. Not here: what an assertion must say (rules/assertion.ts), what it is worth (token/).
 */
import { FetchFailure } from '../clients/fetch-failure.ts';
import { flightsOf } from '../clients/flights.ts';
import { verifyUnderRemoteKeys } from '../clients/remote-keys.ts';
import type { Context } from '../context.ts';
import { type KeyRing, keyRing } from '../crypto/foreign-jwt.ts';
import type { Jwt } from '../crypto/jwt.ts';
import { parseStrictJson } from '../rules/strict-json.ts';
import type { TrustedIssuer } from '../storage/store.ts';

/** Where its keys are, or why that could not be found out. */
type Discovered = { jwksUri: string | { failed: unknown }; until: number };

const discoveredOf = new WeakMap<Context, Map<string, Discovered>>();
const discoverOnce = flightsOf<Discovered>();
const ringOf = new WeakMap<Context, Map<string, KeyRing>>();
const discoveredSeconds = 3600;
/** An issuer whose metadata could not be had is asked no sooner than this, in seconds: its name is free for every stranger to send (CA-10). */
const askAgainAfter = 60;
const maxBytes = 64 * 1024;

/** The token if the issuer signed it; undefined when it did not, or when its keys cannot be had, which the log tells. @throws {OAuthError} temporarily_unavailable */
export async function verifyUnderIssuerKeys(trusted: TrustedIssuer, token: string, context: Context): Promise<Jwt | undefined> {
  try {
    const verified = trusted.jwks
      ? await inlineRing(trusted, context).verify(token)
      : await verifyUnderRemoteKeys({ url: await keysAddress(trusted, context), chosenBy: 'operator' }, token, context);
    return typeof verified === 'string' ? undefined : verified;
  } catch (error) {
    if (!(error instanceof FetchFailure)) throw error;
    context.log.warn('issuer_keys.unavailable', { issuer: trusted.issuer, reason: error.kind });
    return undefined;
  }
}

function inlineRing({ jwks }: TrustedIssuer, context: Context): KeyRing {
  const rings = ringOf.get(context) ?? new Map<string, KeyRing>();
  ringOf.set(context, rings);
  const text = JSON.stringify(jwks);
  const ring = rings.get(text) ?? keyRing(jwks?.keys ?? []);
  rings.set(text, ring);
  return ring;
}

async function keysAddress({ issuer, jwksUri }: TrustedIssuer, context: Context): Promise<string> {
  if (jwksUri !== undefined) return jwksUri;
  const known = discoveredOf.get(context) ?? new Map<string, Discovered>();
  discoveredOf.set(context, known);
  const found = known.get(issuer);
  const fresh = found && context.now() < found.until;
  const { jwksUri: address } = fresh ? found : await discoverOnce(context, { url: issuer, host: 'known' }, () => ask(issuer, known, context));
  if (typeof address !== 'string') throw address.failed;
  return address;
}

/** A failure is an answer too, for a while. */
async function ask(issuer: string, known: Map<string, Discovered>, context: Context): Promise<Discovered> {
  const now = context.now();
  const asked = await discover(issuer, context).then(
    (jwksUri): Discovered => ({ jwksUri, until: now + discoveredSeconds }),
    (failed: unknown): Discovered => ({ jwksUri: { failed }, until: now + askAgainAfter }),
  );
  known.set(issuer, asked);
  return asked;
}

/** Identity providers and clusters publish the OpenID document, some servers only that of RFC 8414. */
async function discover(issuer: string, context: Context): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '');
  try {
    return await jwksUriIn(`${origin}${path}/.well-known/openid-configuration`, issuer, context);
  } catch (error) {
    if (!(error instanceof FetchFailure) || error.kind !== 'status') throw error;
    return jwksUriIn(`${origin}/.well-known/oauth-authorization-server${path}`, issuer, context);
  }
}

async function jwksUriIn(address: string, issuer: string, context: Context): Promise<string> {
  const { fetchDocument } = context.options;
  if (!fetchDocument) throw new FetchFailure('refused', 'no fetcher is configured');
  const { status, body } = await fetchDocument(address, { maxBytes });
  if (status !== 200) throw new FetchFailure('status', 'not 200', { status });
  const metadata = parseStrictJson(Buffer.from(body).toString('utf8'))?.value as Record<string, unknown> | undefined;
  // RFC 8414 §3.3: a document that speaks for another issuer speaks for none.
  if (metadata?.issuer !== issuer || typeof metadata.jwks_uri !== 'string' || !URL.canParse(metadata.jwks_uri))
    throw new FetchFailure('transport', 'the metadata is not of this issuer, or has no jwks_uri');
  return metadata.jwks_uri;
}
