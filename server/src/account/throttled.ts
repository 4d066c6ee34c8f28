/**
 * The answer to whoever tries too often: the page they came from, with how long to wait (RFC 9110 §10.2.3).
 */
import type { Answer } from '../route.ts';

/** `retryAfter` in seconds. */
export function throttled(answer: Answer, retryAfter: number): Answer {
  return { ...answer, status: 429, headers: { ...answer.headers, 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) } };
}
