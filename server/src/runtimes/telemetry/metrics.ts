/**
 * What is counted, each with its name, help and labels. Label values are names of our own tables (routes, methods, grant types, error codes) and nothing that
 * a caller wrote; no person, client or server has a series. Not here: the text format (prometheus.ts), the process (process-metrics.ts).
 */
import type { Exchange } from '../../context.ts';
import type { Reply } from '../../route.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { type Family, registry } from './prometheus.ts';
import type { Watcher } from './watch.ts';

export type Metrics = Watcher & {
  /** All of it in the text format of Prometheus. */
  text(): string;
  close(): void;
};

const counter = (name: string, help: string, ...labels: string[]): Family => ({ name, help, type: 'counter', labels });
const gauge = (name: string, help: string, ...labels: string[]): Family => ({ name, help, type: 'gauge', labels });
const timing = (name: string, help: string, ...labels: string[]): Family => ({ name, help, type: 'histogram', labels });

/** Every metric of ours, read by the test of the dashboard too. */
export const families = {
  buildInfo: gauge('auth_agent_build_info', 'Always 1; its labels say what runs.', 'version', 'runtime', 'database'),
  time: gauge('auth_agent_time_seconds', 'The clock of this node, in seconds since 1970: an alert compares it with that of Prometheus.'),
  requestSeconds: timing(
    'auth_agent_http_request_duration_seconds',
    'From the first look at a request to its answer, in seconds.',
    'route',
    'method',
    'status',
  ),
  requestsInFlight: gauge('auth_agent_http_requests_in_flight', 'Requests that wait for their answer.'),
  errors: counter('auth_agent_errors_total', 'Requests answered with an error, by its code (docs/errors).', 'code'),
  limited: counter(
    'auth_agent_limited_requests_total',
    'Requests refused by a rate limit, by its name (docs/limits.md), or by a wait after wrong guesses.',
    'limit',
  ),
  tokenRequests: counter('auth_agent_token_requests_total', 'Token requests, by grant type and by error code or "ok".', 'grant', 'outcome'),
  introspections: counter('auth_agent_introspection_requests_total', 'Introspections: active, inactive, or the code of an error.', 'outcome'),
  consentDecisions: counter('auth_agent_consent_decisions_total', 'Decisions about access: allowed, denied, or remembered from before.', 'decision'),
  storeSeconds: timing('auth_agent_store_operation_duration_seconds', 'Reads and commits of the database, in seconds.', 'operation', 'outcome'),
  outgoingSeconds: timing('auth_agent_outgoing_call_duration_seconds', 'Calls to other hosts, in seconds.', 'kind', 'outcome'),
  maintenanceRuns: counter('auth_agent_maintenance_runs_total', 'Runs of the housekeeping, by outcome.', 'outcome'),
  maintainedAt: gauge('auth_agent_maintenance_last_success_timestamp_seconds', 'When the housekeeping last came to its end, in seconds since 1970.'),
  firstKeyEnd: gauge(
    'auth_agent_first_key_end_timestamp_seconds',
    'When the first API key in use ends, or has ended, in seconds since 1970; 0 while none is in use.',
  ),
} as const;

const requestBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const storeBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5];
const outgoingBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 45];

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const statusClasses = ['1xx', '1xx', '2xx', '3xx', '4xx', '5xx'];
const tokenRoutes = new Set(['/token', '/oauth/token']);
const introspectionRoutes = new Set(['/introspect', '/oauth/introspect']);

/** Makes the metrics of a process and begins to watch it. `now` is in milliseconds of a clock that only goes forward. */
export function metrics({ version, runtime, database }: { version: string; runtime: string; database: string }, now = () => performance.now()): Metrics {
  const counted = registry();
  counted.number(families.buildInfo)(version, runtime, database).value = 1;
  counted.lookedUp(families.time, () => Date.now() / 1000);
  const requestSeconds = counted.histogram(families.requestSeconds, requestBounds);
  const inFlight = counted.number(families.requestsInFlight)();
  const errors = counted.number(families.errors);
  const limited = counted.number(families.limited);
  const tokenRequests = counted.number(families.tokenRequests);
  const introspections = counted.number(families.introspections);
  const decisions = counted.number(families.consentDecisions);
  const storeSeconds = counted.histogram(families.storeSeconds, storeBounds);
  const outgoingSeconds = counted.histogram(families.outgoingSeconds, outgoingBounds);
  const maintenanceRuns = counted.number(families.maintenanceRuns);
  const maintainedAt = counted.number(families.maintainedAt)();
  const firstKeyEnd = counted.number(families.firstKeyEnd)();
  const stop = addProcessMetrics(counted);

  const answered = ({ request, grantType, outcome, decision }: Exchange, route: string | undefined, { status, headers }: Told, begun: number): void => {
    inFlight.value -= 1;
    const method = methods.has(request.method) ? request.method : 'other';
    const { observe } = requestSeconds(route ?? 'other', method, statusClasses[Math.floor(status / 100)] ?? '5xx');
    observe((now() - begun) / 1000);
    if (status === 429) limited(limitOf(headers)).value += 1;
    if (status >= 400) errors(outcome ?? 'other').value += 1;
    if (decision !== undefined) decisions(decision).value += 1;
    if (route === undefined || method !== 'POST') return;
    const result = outcome ?? (status < 400 ? 'ok' : 'other');
    if (tokenRoutes.has(route)) tokenRequests(grantType ?? 'other', result).value += 1;
    else if (introspectionRoutes.has(route)) introspections(result).value += 1;
  };
  const timed = async <Value>(act: () => Promise<Value>, ended: (seconds: number, outcome: 'ok' | 'failed') => void): Promise<Value> => {
    const begun = now();
    try {
      const value = await act();
      ended((now() - begun) / 1000, isFailure(value) ? 'failed' : 'ok');
      return value;
    } catch (error) {
      ended((now() - begun) / 1000, 'failed');
      throw error;
    }
  };

  return {
    request(exchange, route, answer) {
      const begun = now();
      inFlight.value += 1;
      const failed = (error: unknown): never => {
        answered(exchange, route, broken, begun);
        throw error;
      };
      const after = (reply: Reply): Reply => {
        answered(exchange, route, reply, begun);
        return reply;
      };
      try {
        const reply = answer();
        return reply instanceof Promise ? reply.then(after, failed) : after(reply);
      } catch (error) {
        return failed(error);
      }
    },
    store: (_statements, operation, act) => timed(act, (seconds, outcome) => storeSeconds(operation, outcome).observe(seconds)),
    outgoing: ({ kind }, act) => timed(act, (seconds, outcome) => outgoingSeconds(kind, outcome).observe(seconds)),
    async maintenance(act) {
      const found = await timed(act, (_seconds, outcome) => {
        maintenanceRuns(outcome).value += 1;
        if (outcome === 'ok') maintainedAt.value = Math.floor(Date.now() / 1000);
      });
      firstKeyEnd.value = found.firstKeyEndsAt ?? 0;
      return found;
    },
    text: () => counted.text(),
    close: stop,
  };
}

type Told = Pick<Reply, 'status' | 'headers'>;
const broken: Told = { status: 500, headers: {} };

/** The name that limits.ts wrote into the header; without one it was a wait after wrong guesses. */
function limitOf(headers: Told['headers']): string {
  return /^"([a-z.-]+)"/.exec(headers['RateLimit-Policy'] ?? '')?.[1] ?? 'guesses';
}

/** An answer that says no is a failure of the call, though nothing was thrown. */
function isFailure(value: unknown): boolean {
  return value === 'refused' || (value instanceof Object && 'status' in value && typeof value.status === 'number' && value.status >= 400);
}
