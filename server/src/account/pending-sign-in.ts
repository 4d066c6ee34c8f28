/**
 * A sign-in between its two steps: who has shown what, and where they are going. Sealed into a cookie, for this browser, for five minutes; nothing of it is a
 * session, and no page but that of the second step reads it. Not here: the second step (second-step.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Browser } from './browser-cookie.ts';
import { readCookie, writeCookie } from './cookies.ts';
import type { Onward } from './onward.ts';

/** How long somebody may take to find their code, in seconds. */
const lifetime = 300;

export type PendingSignIn = {
  userId: string;
  /** What the first step has shown (RFC 8176). */
  amr: readonly string[];
  keep: boolean;
  onward: Onward;
  /** When, in epoch seconds. */
  since: number;
  /** The person's when they showed it: another one has begun with a new password. */
  epoch?: number;
};

/** The cookies that carry it. */
export function parkSignIn(pending: PendingSignIn, browser: Browser, context: Context): string[] {
  const sealed = context.instance.seal(purposeOf(browser, context), JSON.stringify(pending));
  return [...browser.cookies, writeCookie('pending', sealed, context, lifetime)];
}

/** What this browser carries; `proof` stands for exactly this one in forms. Undefined when there is none, it is too old, or another browser's. */
export function pendingSignIn(browser: Browser, exchange: Exchange, context: Context): (PendingSignIn & { proof: string }) | undefined {
  const sealed = readCookie('pending', exchange.request, context);
  if (sealed === undefined) return undefined;
  try {
    const pending = JSON.parse(context.instance.open(purposeOf(browser, context), sealed)) as PendingSignIn;
    return context.now() < pending.since + lifetime ? { ...pending, proof: sha256(sealed) } : undefined;
  } catch {
    return undefined;
  }
}

/** The cookie that takes it away. */
export function endPendingSignIn(context: Context): string {
  return writeCookie('pending', '', context, 0);
}

function purposeOf({ hash }: Browser, { issuer }: Context): string {
  return `sign-in between two steps ${issuer} ${hash}`;
}
