/**
 * Remembers good answers about tokens for a moment: at most 30 seconds and never past `exp`, so that a revocation is felt that soon. Bounded, least recently
 * used goes first. One question per token at a time. Bad answers and outages are never remembered. Keys are hashes.
 */
import { createFlights } from './flights.ts';
import type { AuthContext } from './verify.ts';

/** The longest a revoked token may still be served, in seconds. */
export const maxCacheSeconds = 30;

export interface TokenCacheLimits {
  /** Seconds; 0 remembers nothing. */
  readonly lifetime: number;
  readonly maxEntries: number;
  /** Seconds after which a question that has no answer yet is not joined any more. Default 15. */
  readonly longest?: number;
}

/** @see createTokenCache */
export interface TokenCache {
  /** The remembered answer if it still holds at `now` (epoch seconds). */
  find(tokenHash: string, now: number): AuthContext | undefined;
  /** Asks, or joins whoever is asking about the same token, and remembers a good answer. `now` is epoch seconds at the time of asking: the answer ages from then. */
  ask(tokenHash: string, question: () => Promise<AuthContext>, now: number): Promise<AuthContext>;
  /** Forgets a token, also an answer still on its way. */
  forget(tokenHash: string): void;
}

/** Makes an empty cache. */
export function createTokenCache({ lifetime, maxEntries, longest = 15 }: TokenCacheLimits): TokenCache {
  const entries = new Map<string, { readonly context: AuthContext; readonly until: number }>();
  const questions = createFlights<AuthContext>(longest);

  function find(tokenHash: string, now: number): AuthContext | undefined {
    const entry = entries.get(tokenHash);
    if (!entry) return undefined;
    entries.delete(tokenHash);
    if (now >= entry.until) return undefined;
    entries.set(tokenHash, entry);
    return entry.context;
  }

  function remember(tokenHash: string, context: AuthContext, now: number): void {
    const until = Math.min(now + lifetime, context.expiresAt);
    if (until <= now || maxEntries === 0) return;
    entries.delete(tokenHash);
    entries.set(tokenHash, { context, until });
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
  }

  function ask(tokenHash: string, question: () => Promise<AuthContext>, now: number): Promise<AuthContext> {
    const answer = async (isCurrent: () => boolean) => {
      const context = await question();
      if (isCurrent()) remember(tokenHash, context, now);
      return context;
    };
    return questions.join(tokenHash, answer, now);
  }

  function forget(tokenHash: string): void {
    entries.delete(tokenHash);
    questions.forget(tokenHash);
  }

  return { find, ask, forget };
}
