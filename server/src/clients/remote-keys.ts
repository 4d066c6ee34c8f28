/**
 * Key sets that others publish at an https address: fetched under the guard of metadata documents, kept while fresh, asked for again when a token names a key that
 * is not among them. An address is asked at most once a minute, whatever strangers send (CA-10). Not here: whose keys they are (keys.ts, trust/).
 */
import type { Context } from '../context.ts';
import { type KeyRing, keyRing } from '../crypto/foreign-jwt.ts';
import type { Jwt } from '../crypto/jwt.ts';
import { parseStrictJson } from '../rules/strict-json.ts';
import { FetchFailure } from './fetch-failure.ts';
import { flightsOf } from './flights.ts';
import { freshSeconds } from './judge-document.ts';
import { usableKeys } from './key-set.ts';

type Held = { ring: KeyRing | undefined; fetchedAt: number; freshUntil: number; askedAt: number; failure?: FetchFailure };

/** An address is asked no sooner than this after the last time, in seconds. */
const askAgainAfter = 60;
/** How long the last good keys stand in for a host that is out of reach. Shorter than for documents: a withdrawn key must not live on. */
const standInSeconds = 86_400;
const remembered = 1000;
const maxBytes = 64 * 1024;

/** What was fetched of addresses that one kind of people chose. */
type Shelf = { heldOf: WeakMap<Context, Map<string, Held>>; askOnce: ReturnType<typeof flightsOf<Held>> };
const shelf = (): Shelf => ({ heldOf: new WeakMap(), askOnce: flightsOf<Held>() });
/** Apart, also for one address: what strangers name neither uses up nor throws out what an operator trusts. */
const shelves = { stranger: shelf(), operator: shelf() };

/** Whose keys: `chosenBy` an operator their addresses are counted by nobody, and asked once a minute all the same. */
type Publisher = { url: string; chosenBy: keyof typeof shelves };

/**
 * Verifies a token under the keys at an address.
 *
 * @throws {FetchFailure} when there are no keys to verify with. @throws {OAuthError} too_many_requests, temporarily_unavailable
 */
export async function verifyUnderRemoteKeys(publisher: Publisher, token: string, context: Context, algorithms?: readonly string[]): Promise<Jwt | 'invalid'> {
  const held = await keysAt(publisher, context);
  const verified = await ringOf(held).verify(token, algorithms);
  if (verified !== 'unknown-key') return verified;
  if (context.now() - held.askedAt < askAgainAfter) return 'invalid';
  const again = await ringOf(await ask(publisher, context)).verify(token, algorithms);
  return again === 'unknown-key' ? 'invalid' : again;
}

async function keysAt(publisher: Publisher, context: Context): Promise<Held> {
  const held = shelfOf(publisher, context).get(publisher.url);
  const now = context.now();
  if (held && (now < held.freshUntil || now - held.askedAt < askAgainAfter)) return held;
  return ask(publisher, context);
}

function ringOf({ ring, failure }: Held): KeyRing {
  if (!ring) throw failure ?? new FetchFailure('transport', 'no keys');
  return ring;
}

/** Concurrent questions for one address are one fetch. */
function ask(publisher: Publisher, context: Context): Promise<Held> {
  const { url, chosenBy } = publisher;
  const host = chosenBy === 'operator' || shelfOf(publisher, context).get(url)?.ring ? 'known' : 'new';
  return shelves[chosenBy].askOnce(context, { url, host }, () => refresh(publisher, context));
}

async function refresh(publisher: Publisher, context: Context): Promise<Held> {
  const { url, chosenBy } = publisher;
  const known = shelfOf(publisher, context).get(url);
  if (chosenBy === 'stranger' && !known?.ring) await takeAllowance(url, context);
  const asked = context.now();
  const held = await fetchKeys(url, context).catch((error: unknown) => standIn(url, error, known, context));
  return remember(publisher, { ...held, askedAt: asked }, context);
}

/** Addresses that never gave keys are counted by host and altogether: registering many of them must not turn us into a hammer. */
async function takeAllowance(url: string, context: Context): Promise<void> {
  const text = 'Too many key sets were fetched, wait before trying again';
  await context.limits.check('keys.host', new URL(url).hostname, text);
  await context.limits.check('keys', undefined, text);
}

async function fetchKeys(url: string, context: Context): Promise<Held> {
  const { fetchDocument } = context.options;
  if (!fetchDocument) throw new FetchFailure('refused', 'no fetcher is configured');
  const { status, headers, body } = await fetchDocument(url, { maxBytes });
  if (status !== 200) throw new FetchFailure('status', 'not 200', { status });
  const now = context.now();
  // A decoder drops a byte order mark.
  const set = parseStrictJson(new TextDecoder().decode(body))?.value;
  // A page of a proxy or half an answer says nothing of keys; a key set without a usable key is a statement: every key was withdrawn.
  if (!isKeySet(set)) throw new FetchFailure('transport', 'the answer is no key set');
  return { ring: keyRing(usableKeys(set)), fetchedAt: now, freshUntil: now + freshSeconds(headers, now), askedAt: now };
}

/** RFC 7517 §5. */
function isKeySet(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys);
}

function standIn(url: string, error: unknown, known: Held | undefined, context: Context): Held {
  const failure = error instanceof FetchFailure ? error : new FetchFailure('transport', 'the fetcher failed', { cause: error });
  const now = context.now();
  const stands = known?.ring !== undefined && isOutage(failure) && now - known.fetchedAt <= standInSeconds;
  context.log.warn('keys.unavailable', { url, reason: failure.kind, problem: failure.message, stands_in: stands });
  return stands ? { ...known, freshUntil: now } : { ring: undefined, fetchedAt: now, freshUntil: now, askedAt: now, failure };
}

/** As with documents: silence and the host's own breakdown; a 404 is a statement of its publisher. */
function isOutage({ kind, status = 0 }: FetchFailure): boolean {
  return kind === 'transport' || kind === 'timeout' || (kind === 'status' && status >= 500);
}

function remember(publisher: Publisher, held: Held, context: Context): Held {
  const map = shelfOf(publisher, context);
  const { url } = publisher;
  map.delete(url);
  const [oldest] = map.keys();
  if (map.size >= remembered && oldest !== undefined) map.delete(oldest);
  map.set(url, held);
  return held;
}

function shelfOf({ chosenBy }: Publisher, context: Context): Map<string, Held> {
  const { heldOf } = shelves[chosenBy];
  const map = heldOf.get(context) ?? new Map<string, Held>();
  heldOf.set(context, map);
  return map;
}
