/**
 * What a look found: fine, worth knowing, or broken, and then what to do. Looks tell as they go, because some of them wait for a network.
 */
import { failureOf } from '../failure-of.ts';

export type Finding = { level: 'ok' | 'warn' | 'fail'; text: string; why?: string; fix?: string };
export type Look = AsyncGenerator<Finding, void>;

export const ok = (text: string): Finding => ({ level: 'ok', text });
export const warn = (text: string, fix?: string): Finding => ({ level: 'warn', text, fix });
export const fail = (text: string, more: { why?: string; fix?: string } = {}): Finding => ({ level: 'fail', text, ...more });

/** What an error means, as a command that met it would say. */
export function failed(error: unknown): Finding {
  const { message, why, fix } = failureOf(error);
  return fail(message, { why, fix });
}
