/**
 * The way of one browser to an upstream, kept while it is away: state, nonce and code verifier, sealed under the cookie of that browser and handed back once. Who
 * comes back as a stranger is kept the same way until they have said who they are here. So another browser, a second time or a guess finds nothing (LOG-07).
 */
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { openUnder, sealUnder } from '../crypto/instance-keys.ts';
import { randomId } from '../crypto/random.ts';
import type { UpstreamVisit } from '../storage/store.ts';
import type { Profile } from '../upstream/person.ts';
import type { Browser } from './browser-cookie.ts';
import type { Again } from './methods/upstream.ts';
import type { Onward } from './onward.ts';

/** What somebody goes to an upstream for. `session` is the one that the answer must find again. */
export type Purpose = { for: 'sign-in' } | { for: 'confirm' | 'link'; session: string } | { for: 'invitation'; token: string };
export type Away = { purpose: Purpose; onward: Onward; nonce: string; verifier: string; again?: Again; since: number };
/** When the person showed who they are, in epoch seconds; unproven where nobody says, then it is when they came. */
export type Shown = { authTime: number; unproven?: true };
/** A subject that nobody here is known by. With `session`, somebody who was signed in brought it; with `invitation`, somebody who holds that token. */
export type Arrival = Shown & {
  issuer: string;
  subject: string;
  profile: Profile;
  amr: string[];
  onward: Onward;
  session?: string;
  invitation?: string;
};
type Kept<Content> = { upstreamId: string; content: Content };

type Place = { browser: Browser; context: Context };

/** Resolves to the state. */
export function keepAway(upstreamId: string, away: Away, place: Place): Promise<string> {
  return keep('away', { upstreamId, content: away }, place);
}

/** Resolves to the handle by which the pages name it. */
export function keepArrival(upstreamId: string, arrival: Arrival, place: Place): Promise<string> {
  return keep('back', { upstreamId, content: arrival }, place);
}

/** Ends the way that began with this state. Undefined when there is none, or it is too late, was used, or began in another browser: they look alike. */
export async function takeAway(state: string | undefined, place: Place): Promise<Kept<Away> | undefined> {
  return take<Away>('away', state, place);
}

export async function takeArrival(handle: string | undefined, place: Place): Promise<Kept<Arrival> | undefined> {
  return take<Arrival>('back', handle, place);
}

export async function findArrival(handle: string | undefined, { browser, context }: Place): Promise<Kept<Arrival> | undefined> {
  if (!isHandle(handle)) return undefined;
  return opened<Arrival>(await context.store.findUpstreamVisit({ idHash: sha256(handle), browserHash: browser.hash, stage: 'back' }, context.now()), browser);
}

/** Whether the text could be a handle or a state of ours. */
export function isHandle(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9_-]{43}$/.test(text);
}

async function keep(stage: UpstreamVisit['stage'], { upstreamId, content }: Kept<Away | Arrival>, { browser, context }: Place): Promise<string> {
  const id = randomId('', 32);
  const now = context.now();
  const sealed = sealUnder(browser.id, `upstream ${stage}`, JSON.stringify(content));
  const expiresAt = now + context.options.requestSeconds;
  await context.store.beginUpstreamVisit({ idHash: sha256(id), browserHash: browser.hash, stage, upstreamId, sealed, createdAt: now, expiresAt });
  return id;
}

async function take<Content>(stage: UpstreamVisit['stage'], id: string | undefined, { browser, context }: Place): Promise<Kept<Content> | undefined> {
  if (!isHandle(id)) return undefined;
  return opened<Content>(await context.store.takeUpstreamVisit({ idHash: sha256(id), browserHash: browser.hash, stage }, context.now()), browser);
}

function opened<Content>(visit: UpstreamVisit | undefined, browser: Browser): Kept<Content> | undefined {
  // What we sealed ourselves has the type it was sealed with.
  return visit && { upstreamId: visit.upstreamId, content: JSON.parse(openUnder(browser.id, `upstream ${visit.stage}`, visit.sealed)) as Content };
}
