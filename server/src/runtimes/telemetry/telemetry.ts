/**
 * What is measured of a process, put together from its configuration: metrics on their port, traces to their receiver, both, or nothing. Off, nothing is laid around
 * anything.
 */
import { readFileSync } from 'node:fs';
import type { Log } from '../../context.ts';
import { metrics } from './metrics.ts';
import { openMetricsPort } from './metrics-port.ts';
import { otlpExporter } from './otlp.ts';
import { tracer } from './tracer.ts';
import type { TracingSettings } from './tracing-settings.ts';
import { together, type Watcher } from './watch.ts';

export type TelemetrySettings = { metrics?: { host: string; port: number }; tracing?: TracingSettings };
export type Telemetry = {
  /** Absent when nothing is measured. */
  watcher?: Watcher;
  /** Where metrics are read. */
  metricsUrl?: string;
  /** Sends the last spans and closes the port. */
  close(): Promise<void>;
};

/** Begins to measure. @throws {StartRefused} when the port of the metrics cannot be had. */
export async function openTelemetry(settings: TelemetrySettings, database: 'sqlite' | 'postgres', log: Log): Promise<Telemetry> {
  const exporter = settings.tracing && otlpExporter(settings.tracing, log);
  const traces =
    settings.tracing && exporter && tracer({ sampler: settings.tracing.sampler, exporter, database: database === 'postgres' ? 'postgresql' : database });
  const counted = settings.metrics && metrics({ version: version(), runtime: runtime(), database });
  try {
    const port = settings.metrics && counted && (await openMetricsPort(settings.metrics, counted.text));
    return {
      watcher: together([traces, counted].filter((watcher) => watcher !== undefined)),
      metricsUrl: port?.url,
      async close() {
        counted?.close();
        await Promise.all([exporter?.close(), port?.close()]);
      },
    };
  } catch (error) {
    counted?.close();
    throw error;
  }
}

/** Of the package, which knows itself by its name wherever this file lies. */
function version(): string {
  return (JSON.parse(readFileSync(new URL(import.meta.resolve('auth-agent-mcp-server/package.json')), 'utf8')) as { version: string }).version;
}

function runtime(): string {
  return process.versions.bun === undefined ? `node ${process.versions.node}` : `bun ${process.versions.bun}`;
}
