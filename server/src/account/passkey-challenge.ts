/**
 * The challenge that an authenticator signs (WebAuthn §13.4.3), and whom we are to it. A challenge says by itself, under our MAC, for which browser and purpose it
 * was made and until when; being used is what is stored. So asking for one costs nothing, and nobody can collect them.
 */
import type { Context } from '../context.ts';
import { equalSecrets, sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import type { Options } from '../options.ts';
import { type ClientData, readClientData } from '../rules/passkey-credential.ts';
import type { Browser } from './browser-cookie.ts';

export const challengeSeconds = 300;

/** What it is for. A new key is made for the session in which it was asked for; whoever signs in has none yet. */
export type Ceremony = { type: 'webauthn.get' } | { type: 'webauthn.create'; sessionHash: string };

/** Who we are to authenticators. All tenants of a host are one relying party: they are told apart by the handle of the person. */
export function relyingParty({ options }: Context): { id: string; name: string; origin: string } {
  return { id: new URL(options.issuer).hostname, name: options.serviceName, origin: options.issuer };
}

/** Passkeys need a name to belong to: there are none for the number of a host (WebAuthn §5.1.2). */
export function passkeysOn(options: Options): boolean {
  return options.signIn.passkeys && !/^[\d.]+$|^\[/.test(new URL(options.issuer).hostname);
}

/** The handle by which authenticators know a person in this tenant: always the same, and telling nobody who it is. */
export function userHandle(userId: string, { instance, issuer }: Context): string {
  return instance.mac('passkey user', issuer, userId);
}

export function newChallenge(ceremony: Ceremony, browser: Browser, context: Context): string {
  const begun = `${context.now() + challengeSeconds}.${randomId('', 16)}`;
  return Buffer.from(`${begun}.${proof(begun, ceremony, browser, context)}`).toString('base64url');
}

/** Uses the challenge in an answer up, whatever else is wrong with the answer. True when it was ours, for this, in this browser, in time, not used, and our page asked. */
export async function takeChallenge(clientDataJSON: string, ceremony: Ceremony, browser: Browser, context: Context): Promise<boolean> {
  const data = readClientData(clientDataJSON);
  if (!data || data.type !== ceremony.type || !isOurs(data, ceremony, browser, context)) return false;
  const now = context.now();
  const unused = await context.store.useOnce({ kind: 'passkey_challenge', idHash: sha256(data.challenge), now, expiresAt: now + challengeSeconds + 1 });
  // A page of ours is in nobody's frame, so no frame of ours asks.
  return unused && !data.crossOrigin && data.origin === relyingParty(context).origin;
}

function isOurs({ challenge }: ClientData, ceremony: Ceremony, browser: Browser, context: Context): boolean {
  const [until = '', random = '', given = ''] = Buffer.from(challenge, 'base64url').toString('utf8').split('.');
  return equalSecrets(given, proof(`${until}.${random}`, ceremony, browser, context)) && context.now() < Number(until);
}

function proof(begun: string, ceremony: Ceremony, browser: Browser, { instance, issuer }: Context): string {
  const about = ceremony.type === 'webauthn.create' ? ceremony.sessionHash : '';
  return instance.mac('passkey challenge', issuer, ceremony.type, about, browser.id, begun);
}
