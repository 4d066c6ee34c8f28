/**
 * One-time links as they are made: a secret of 256 bits for the address, a short code that follows from it, and the row that holds hashes of both. Not here: who
 * may have one and what it does (reset.ts, new-account.ts, enter-code.ts).
 */
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import { codeFromMac } from '../rules/one-time-code.ts';
import type { LinkPurpose, OneTimeLink } from '../storage/store.ts';
import { mustBeOn } from './methods/email-code.ts';

export type NewLink = {
  link: OneTimeLink;
  /** What goes into the address, once. */
  token: string;
  /** What goes into the mail beside it. */
  code: string;
};

type About = Pick<OneTimeLink, 'purpose' | 'userId' | 'email' | 'role' | 'browserHash'> & {
  lifetimeSeconds: number;
  /** Whether the code opens anything; false for a link that exists only so that the answer is the same for everybody. */
  answerable?: boolean;
};

/** Makes a link. Takes the same work whatever it is for. */
export function newLink({ lifetimeSeconds, answerable = true, ...about }: About, context: Context): NewLink {
  const now = context.now();
  const token = randomId('ol_', 32);
  const id = randomId('lnk_', 12);
  const code = codeOf(token, context);
  const hash = codeHash(id, code, context);
  const codeBelongs = answerable && about.browserHash !== undefined;
  const link = { ...about, id, tokenHash: sha256(token), codeHash: codeBelongs ? hash : undefined, createdAt: now, expiresAt: now + lifetimeSeconds };
  return { link, token, code };
}

/** The code that goes with a secret: it follows from it, so that the page behind the link can show it, and nothing but hashes is stored. */
export function codeOf(token: string, context: Context): string {
  return codeFromMac(context.instance.mac('one-time code', token));
}

/** What is stored of a code. */
export function codeHash(linkId: string, code: string, context: Context): string {
  return context.instance.mac('one-time code hash', linkId, code);
}

/** A path below the issuer with a secret in it. Query, not fragment, so that it works without JavaScript; the log never has queries, and pages send no referrer. */
export function linkPath(path: string, token: string, onward: Record<string, string> = {}): string {
  return `${path}?${new URLSearchParams({ token, ...onward })}`;
}

/** @throws {OAuthError} request_expired unless the secret is of a living link for one of these purposes. */
export async function openLink(token: string | undefined, purposes: readonly [LinkPurpose, ...LinkPurpose[]], context: Context): Promise<OneTimeLink> {
  const link = token === undefined ? undefined : await context.store.findLink(sha256(token), context.now());
  if (!link || !purposes.includes(link.purpose)) throw linkClosed(purposes[0]);
  return link;
}

/** The living invitation behind a token. @throws {OAuthError} request_expired; not_found where nobody is invited. */
export async function invitationOf(token: string | undefined, context: Context): Promise<OneTimeLink & { email: string }> {
  mustBeOn(context.options.signIn.signUp !== 'closed');
  return addressed(await openLink(token, ['invitation'], context));
}

/** @throws {OAuthError} request_expired */
export function addressed(link: OneTimeLink): OneTimeLink & { email: string } {
  if (link.email === undefined) throw linkClosed(link.purpose);
  return { ...link, email: link.email };
}

/** One answer for links that are unknown, used, too old, replaced by a newer one, or of somebody who is disabled. */
export function linkClosed(purpose: LinkPurpose): OAuthError {
  return new OAuthError('request_expired', 'The link or code is unknown, used or too old').onPage({ case: cases[purpose] });
}

const cases = { invitation: 'invitationClosed', reset: 'resetLinkClosed', email: 'emailLinkClosed', 'sign-in': 'codeClosed', 'sign-up': 'codeClosed' } as const;
