/**
 * Makes the spans of a trace: a request, each statement and each call to elsewhere below it, each housekeeping. Their names and attributes come from our own tables:
 * no path, query, header or body is in them, because that is where secrets are. Not here: which traces are kept (sampler.ts), sending them (otlp.ts).
 */
import { randomBytes } from 'node:crypto';
import type { Exchange } from '../../context.ts';
import type { Reply } from '../../route.ts';
import type { Statement } from '../../storage/driver.ts';
import type { Attributes, Exporter, Span } from './otlp.ts';
import type { Sampler } from './sampler.ts';
import { currentSpan, inSpan, readTraceparent, type SpanContext, traceparent } from './trace-context.ts';
import type { Watcher } from './watch.ts';

type Begun = Pick<Span, 'name' | 'kind'> & { attributes?: Attributes };
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const now = (): number => performance.timeOrigin + performance.now();

/** Makes a watcher that turns what it sees into spans. `database` is its name in the conventions of OpenTelemetry. */
export function tracer({ sampler, exporter, database }: { sampler: Sampler; exporter: Exporter; database: 'sqlite' | 'postgresql' }): Watcher {
  const contextBelow = (parent: SpanContext | undefined): SpanContext => {
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
    return { traceId, spanId: randomBytes(8).toString('hex'), sampled: sampler(traceId, parent) };
  };
  const finish = (span: SpanContext, parent: SpanContext | undefined, rest: Omit<Span, 'traceId' | 'spanId' | 'parentSpanId' | 'endedAt'>): void => {
    if (span.sampled) exporter.add({ traceId: span.traceId, spanId: span.spanId, parentSpanId: parent?.spanId, endedAt: now(), ...rest });
  };
  /** Runs something below the current span, or as a trace of its own. */
  const spanned = async <Value>({ attributes = {}, ...begun }: Begun, span: SpanContext, act: () => Promise<Value>): Promise<Value> => {
    const parent = currentSpan();
    const startedAt = now();
    try {
      const value = await inSpan(span, act);
      finish(span, parent, { ...begun, attributes, startedAt, failed: false });
      return value;
    } catch (error) {
      finish(span, parent, { ...begun, attributes: { ...attributes, 'error.type': error instanceof Error ? error.name : 'unknown' }, startedAt, failed: true });
      throw error;
    }
  };
  const childOf = ({ traceId, sampled }: SpanContext): SpanContext => ({ traceId, spanId: randomBytes(8).toString('hex'), sampled });

  return {
    request(exchange, route, answer) {
      const parent = readTraceparent(exchange.request.headers.get('traceparent'));
      const span = contextBelow(parent);
      const startedAt = now();
      const ended = (status: number): void => finish(span, parent, { ...serverSpan(exchange, route, status), startedAt });
      const after = (reply: Reply): Reply => {
        ended(reply.status);
        return reply;
      };
      const failed = (error: unknown): never => {
        ended(500);
        throw error;
      };
      try {
        const reply = inSpan(span, answer);
        return reply instanceof Promise ? reply.then(after, failed) : after(reply);
      } catch (error) {
        return failed(error);
      }
    },
    store(statements, _operation, act) {
      const parent = currentSpan();
      // What belongs to no request, such as counters of last use each second, begins no trace.
      if (!parent?.sampled) return act();
      const attributes = { 'db.system.name': database, 'db.operation.batch.size': statements.length > 1 ? statements.length : undefined };
      return spanned({ name: summaryOf(statements), kind: 'client', attributes }, childOf(parent), act);
    },
    outgoing({ kind, host, headers }, act) {
      const parent = currentSpan();
      const span = parent ? childOf(parent) : contextBelow(undefined);
      if (headers) headers.traceparent = traceparent(span);
      return spanned({ name: `call ${kind}`, kind: 'client', attributes: { 'server.address': host } }, span, act);
    },
    maintenance: (act) => spanned({ name: 'maintenance', kind: 'internal' }, contextBelow(undefined), act),
  };
}

function serverSpan(
  { request, requestId, grantType, outcome }: Exchange,
  route: string | undefined,
  status: number,
): Begun & { attributes: Attributes; failed: boolean } {
  const method = methods.has(request.method) ? request.method : '_OTHER';
  const failed = status >= 500;
  return {
    name: route === undefined ? method : `${method} ${route}`,
    kind: 'server',
    failed,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'error.type': failed ? (outcome ?? String(status)) : undefined,
      'auth_agent.request_id': requestId,
      'auth_agent.grant_type': grantType,
      'auth_agent.outcome': outcome,
    },
  };
}

/** `select grants` and how many more: the texts are constants of ours, so this is made once for each. */
function summaryOf(statements: readonly Statement[]): string {
  const [first, ...more] = statements;
  if (first === undefined) return 'nothing';
  const summary = summaries.get(first.text) ?? summarized(first.text);
  summaries.set(first.text, summary);
  return more.length === 0 ? summary : `${summary} + ${more.length}`;
}
const summaries = new Map<string, string>();

function summarized(text: string): string {
  const verb = /\b(?:select|insert|update|delete)\b/.exec(text)?.[0] ?? 'sql';
  const table = /\b(?:from|into|update)\s+([a-z_]+)/.exec(text)?.[1];
  return table === undefined ? verb : `${verb} ${table}`;
}
