/**
 * The token behind an AuthContext, for token exchange and for nothing else. It never leaves this package: handlers hold the context, and whoever exchanges it
 * gets another token for another server (RS-09); the exchange keeps it until it ends or others need the place. Nothing is kept in a process that exchanges nothing.
 */
import type { AuthContext } from './verify.ts';

const tokens = new WeakMap<AuthContext, string>();
let wanted = false;

/** From now on the tokens of admitted requests are kept for as long as their contexts live. */
export function keepSubjectTokens(): void {
  wanted = true;
}

/** Keeps the token of a request that was let through, and returns its context. */
export function withSubjectToken(auth: AuthContext, token: string): AuthContext {
  if (wanted) tokens.set(auth, token);
  return auth;
}

export function subjectTokenOf(auth: AuthContext): string | undefined {
  return tokens.get(auth);
}
