/**
 * Reads the standard variables of OpenTelemetry that this server honours: where traces go, which are kept, whose they are. A value that cannot be used is a warning
 * and never stops a server. Not here: sampling and sending (sampler.ts, otlp.ts).
 */
import { readSampler, type Sampler } from './sampler.ts';

export type TracingSettings = {
  /** Where spans are posted as JSON. */
  endpoint: string;
  /** Sent along; often a key of whoever takes the spans. Never logged. */
  headers: Readonly<Record<string, string>>;
  timeoutMs: number;
  sampler: Sampler;
  /** Who sends: `service.name` and what the operator adds. */
  resource: Readonly<Record<string, string>>;
  batch: { delayMs: number; queue: number; size: number };
};
type Environment = Record<string, string | undefined>;

/** Undefined: tracing is off. */
export function tracingSettings(env: Environment, warnings: string[]): TracingSettings | undefined {
  const endpoint = endpointOf(env, warnings);
  if (endpoint === undefined || !isOn(env, warnings)) return undefined;
  return {
    endpoint,
    headers: {
      ...pairs('OTEL_EXPORTER_OTLP_HEADERS', env, warnings),
      ...pairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS', env, warnings),
    },
    timeoutMs: number(['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'], 10_000, env, warnings),
    sampler: readSampler({ name: env.OTEL_TRACES_SAMPLER || undefined, argument: env.OTEL_TRACES_SAMPLER_ARG || undefined }, warnings),
    resource: {
      'service.name': 'auth-agent',
      ...pairs('OTEL_RESOURCE_ATTRIBUTES', env, warnings),
      ...(env.OTEL_SERVICE_NAME ? { 'service.name': env.OTEL_SERVICE_NAME } : {}),
    },
    batch: {
      delayMs: number(['OTEL_BSP_SCHEDULE_DELAY'], 5000, env, warnings),
      queue: number(['OTEL_BSP_MAX_QUEUE_SIZE'], 2048, env, warnings),
      size: number(['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], 512, env, warnings),
    },
  };
}

/** The address for all signals gets `/v1/traces` behind it, the one for traces is taken as it is. */
function endpointOf(env: Environment, warnings: string[]): string | undefined {
  const [name, given] = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
    ? (['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT] as const)
    : (['OTEL_EXPORTER_OTLP_ENDPOINT', env.OTEL_EXPORTER_OTLP_ENDPOINT] as const);
  if (!given) return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    warnings.push(`${name} must be an http or https address without a password; no traces are sent`);
    return undefined;
  }
  return name === 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' ? url.href : `${url.href.replace(/\/$/, '')}/v1/traces`;
}

function isOn(env: Environment, warnings: string[]): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  const exporter = env.OTEL_TRACES_EXPORTER || 'otlp';
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || env.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/json';
  if (exporter === 'none') return false;
  if (exporter !== 'otlp') warnings.push('OTEL_TRACES_EXPORTER must be otlp or none; no traces are sent');
  if (protocol === 'grpc')
    warnings.push(
      'OTEL_EXPORTER_OTLP_PROTOCOL is grpc, which is not spoken here; no traces are sent. Use http/json and the port of OTLP over HTTP, often 4318',
    );
  else if (protocol !== 'http/json') warnings.push('Traces are sent as http/json, whatever OTEL_EXPORTER_OTLP_PROTOCOL says');
  return exporter === 'otlp' && protocol !== 'grpc';
}

/** `key=value,key=value`, values percent-encoded. A warning names the variable and not what is in it: it may be a key. */
function pairs(name: string, env: Environment, warnings: string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of (env[name] ?? '').split(',').filter((text) => text.trim() !== '')) {
    const [, key, value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(entry) ?? [];
    const decoded = decodedOf(value);
    if (key === undefined || decoded === undefined) warnings.push(`${name} must be key=value,key=value; an entry is left out`);
    else found[key] = decoded;
  }
  return found;
}

function decodedOf(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function number(names: readonly string[], standard: number, env: Environment, warnings: string[]): number {
  const name = names.find((one) => env[one]);
  const given = name === undefined ? undefined : env[name];
  if (given === undefined) return standard;
  if (/^\d{1,9}$/.test(given) && Number(given) > 0) return Number(given);
  warnings.push(`${name} must be a whole number above 0; ${standard} is used`);
  return standard;
}
