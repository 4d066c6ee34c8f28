/**
 * A sign-in by device code in two steps, for programs that cannot wait: begun by one run, checked by later ones. What must not get lost lies in the store, so the
 * device code is on no command line. One poll a check at most, and none before its time.
 */
import { randomUUID } from 'node:crypto';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import { expired, type Polled, pollDevice, type WaitingDevice } from './device-sign-in.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { proofKeyOf } from './proof-key.ts';
import { findServerMetadata } from './server-metadata.ts';
import { tokenRefusal } from './sign-in.ts';
import { type CredentialStore, type Kept, type PendingSignIn, tokenKey } from './store.ts';

export type Checked = { state: 'pending'; checkAfterSeconds: number } | { state: 'authenticated'; mcpUrl: string };
type Checking = { store: CredentialStore; allowPrivate?: boolean; now(): number };

/** Keeps a begun sign-in and resolves to its id; those that are over are forgotten. */
export function keepPending(
  waiting: WaitingDevice,
  begun: Pick<PendingSignIn, 'mcpUrl' | 'place' | 'client' | 'scope' | 'proofKey'>,
  { store, now }: Checking,
): Promise<string> {
  const id = `login_${randomUUID().slice(0, 8)}`;
  const { deviceCode, intervalSeconds, expiresAt } = waiting;
  return store.change((kept) => {
    const living = Object.entries(kept.pending ?? {}).filter(([, one]) => one.expiresAt > now());
    kept.pending = { ...Object.fromEntries(living), [id]: { ...begun, deviceCode, intervalSeconds, expiresAt, nextPollAt: now() } };
    return id;
  });
}

/** Asks whether the person has answered. @throws {Failure} notFound, timedOut, denied, refused, unreachable: all but the last end it. */
export async function checkPending(id: string, checking: Checking): Promise<Checked> {
  const { store, now } = checking;
  const outcome = await store.change(async (kept): Promise<Checked | Failure> => {
    const pending = kept.pending && Object.hasOwn(kept.pending, id) ? kept.pending[id] : undefined;
    if (!pending) return unknown(id);
    if (pending.expiresAt <= now()) return end(kept, id, expired());
    if (pending.nextPollAt > now()) return { state: 'pending', checkAfterSeconds: pending.nextPollAt - now() };
    try {
      return settle(kept, id, pending, await poll(pending, checking), now());
    } catch (error) {
      const failure = tokenRefusal(error, pending.place.issuer);
      if (failure.exit !== 'unreachable') return end(kept, id, failure);
      settle(kept, id, pending, { later: pending.intervalSeconds * 2 }, now());
      return failure;
    }
  });
  if (outcome instanceof Failure) throw outcome;
  return outcome;
}

async function poll(pending: PendingSignIn, { allowPrivate, now }: Checking): Promise<Polled> {
  const { place, client, scope, mcpUrl } = pending;
  const fetch = guardedFetch({ home: new URL(mcpUrl), allowPrivate });
  const metadata = await findServerMetadata(place.issuer, fetch);
  if (!metadata) throw new Failure('unreachable', `${safe(place.issuer)} does not answer`, { fix: 'Run the command again a little later' });
  const proofKey = pending.proofKey && proofKeyOf(pending.proofKey);
  return pollDevice({ ...pending, userCode: '', verificationUri: '' }, { metadata, client, scope, resource: place.resource, proofKey, fetch, now });
}

function settle(kept: Kept, id: string, pending: PendingSignIn, { tokens, later }: Polled, now: number): Checked {
  const { mcpUrl, place } = pending;
  if (!tokens) {
    kept.pending = { ...kept.pending, [id]: { ...pending, intervalSeconds: later, nextPollAt: now + later } };
    return { state: 'pending', checkAfterSeconds: later };
  }
  delete kept.pending?.[id];
  kept.tokens[tokenKey(place)] = tokens;
  kept.places[mcpUrl] = place;
  return { state: 'authenticated', mcpUrl };
}

function end(kept: Kept, id: string, failure: Failure): Failure {
  delete kept.pending?.[id];
  return failure;
}

function unknown(id: string): Failure {
  return new Failure('notFound', `No sign-in ${safe(id)} waits here`, { fix: 'Begin one: auth-agent login <url> --no-wait --json' });
}
