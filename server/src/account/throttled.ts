/**
 * The answer to whoever tries too often: the page they came from, with how long to wait (RFC 9110 §10.2.3).
 */
import type { Answer } from '../route.ts';
import type { Allowance } from '../storage/store.ts';

type Refused = Extract<Allowance, { allowed: false }>;

export function throttled(answer: Answer, { retryAfter, headers }: Refused): Answer {
  return { ...answer, status: 429, headers: { ...answer.headers, ...headers, 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) } };
}
