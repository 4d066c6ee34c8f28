/**
 * Sends finished spans to a receiver of OTLP over HTTP, as JSON, in batches. Never holds anything up: the queue is bounded, what does not fit is dropped and counted,
 * and a receiver that is away is asked again later and less often. Not here: what a span says (tracer.ts).
 */
import type { Log } from '../../context.ts';
import { outsideSpans } from './trace-context.ts';
import type { TracingSettings } from './tracing-settings.ts';

export type Attributes = Readonly<Record<string, string | number | undefined>>;
/** A span that has ended. Times are in milliseconds since 1970, with their fractions. */
export type Span = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: 'internal' | 'server' | 'client';
  startedAt: number;
  endedAt: number;
  attributes: Attributes;
  failed: boolean;
};
export type Exporter = {
  add(span: Span): void;
  /** Sends what is left, giving up at the first failure, and stops. */
  close(): Promise<void>;
};

type Failed = { reason: string; forGood: boolean };

const longestPauseMs = 60_000;
const lastTryMs = 3000;

/** Makes an exporter. It speaks to nobody before there is a span. */
export function otlpExporter({ endpoint, headers, timeoutMs, resource, batch }: TracingSettings, log: Log): Exporter {
  const queue: Span[] = [];
  let timer: NodeJS.Timeout | undefined;
  let pauseMs = batch.delayMs;
  let dropped = 0;
  let closed = false;
  let sending: Promise<boolean> | undefined;

  const post = async (spans: readonly Span[], patienceMs: number): Promise<Failed | undefined> => {
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(exportRequest(spans, resource)),
        // A redirect would carry the operator's key elsewhere.
        redirect: 'error',
        signal: AbortSignal.timeout(patienceMs),
      });
      await response.body?.cancel();
      return response.ok ? undefined : { reason: `the receiver answered ${response.status}`, forGood: isForGood(response.status) };
    } catch (error) {
      return { reason: reasonOf(error), forGood: false };
    }
  };
  const send = async (patienceMs: number): Promise<boolean> => {
    const spans = queue.splice(0, batch.size);
    const failed = await post(spans, patienceMs);
    if (failed === undefined) {
      pauseMs = batch.delayMs;
      return true;
    }
    // Kept for the next try as far as there is room; what was refused for good would be refused for ever and hold up what comes after it.
    const kept = failed.forGood ? [] : spans.slice(0, Math.max(0, batch.queue - queue.length));
    queue.unshift(...kept);
    dropped += spans.length - kept.length;
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    log.warn('traces.not_sent', { reason: failed.reason, waiting: queue.length, dropped, retry_seconds: Math.ceil(pauseMs / 1000) });
    dropped = 0;
    return false;
  };
  const schedule = (): void => {
    const wait = queue.length >= batch.size && pauseMs === batch.delayMs ? 0 : pauseMs;
    timer ??= outsideSpans(() => setTimeout(run, wait)).unref();
  };
  const run = (): void => {
    timer = undefined;
    sending ??= send(timeoutMs).finally(() => {
      sending = undefined;
      if (queue.length > 0 && !closed) schedule();
    });
  };

  return {
    add(span) {
      if (closed || queue.length >= batch.queue) {
        dropped += 1;
        return;
      }
      queue.push(span);
      if (!sending) schedule();
    },
    async close() {
      clearTimeout(timer);
      closed = true;
      await sending;
      while (queue.length > 0 && (await send(Math.min(timeoutMs, lastTryMs))));
    },
  };
}

/** OTLP over HTTP, "Failures": a request that is wrong must not be sent again. 408 and 429 say that it came at a bad time. */
const isForGood = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Only the kind of failure: a message could hold the address with what is in it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const cause = error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : undefined;
  return cause ?? error.name;
}

const kinds = { internal: 1, server: 2, client: 3 };
const statusError = 2;

/** ExportTraceServiceRequest in the JSON mapping of OTLP: ids in hex, 64-bit numbers as text. */
function exportRequest(spans: readonly Span[], resource: Attributes): unknown {
  return {
    resourceSpans: [{ resource: { attributes: attributesOf(resource) }, scopeSpans: [{ scope: { name: 'auth-agent-mcp-server' }, spans: spans.map(wire) }] }],
  };
}

function wire({ traceId, spanId, parentSpanId, name, kind, startedAt, endedAt, attributes, failed }: Span): unknown {
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanoseconds(startedAt),
    endTimeUnixNano: nanoseconds(endedAt),
    attributes: attributesOf(attributes),
    status: failed ? { code: statusError } : {},
  };
}

function attributesOf(attributes: Attributes): unknown[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value } }],
  );
}

const nanoseconds = (milliseconds: number): string => `${Math.trunc(milliseconds * 1000)}000`;
