/**
 * Where in which trace the current work stands, and how that is written for others (W3C Trace Context). Without tracing there is never a current span, and
 * asking costs nothing. Not here: making spans (tracer.ts).
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Ids are lower-case hex, 32 and 16 characters. */
export type SpanContext = { traceId: string; spanId: string; sampled: boolean };

const current = new AsyncLocalStorage<SpanContext>();

/** The span in which the caller runs. */
export const currentSpan = (): SpanContext | undefined => current.getStore();

/** Runs something, and whatever it awaits, inside a span. */
export const inSpan = <Value>(span: SpanContext, act: () => Value): Value => current.run(span, act);

/** Runs something that belongs to no span, whoever began it. */
export const outsideSpans = <Value>(act: () => Value): Value => current.exit(act);

/** Reads a `traceparent` header (Trace Context §3.2). Undefined for what is none: a trace then begins here. */
export function readTraceparent(header: string | null): SpanContext | undefined {
  const parts = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header?.trim() ?? '');
  if (!parts) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = parts;
  // Version 00 has four fields; ff is forbidden; ids of zeros are no ids.
  if (version === 'ff' || (version === '00' && rest !== undefined) || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

export const traceparent = ({ traceId, spanId, sampled }: SpanContext): string => `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
