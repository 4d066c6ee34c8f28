/**
 * What the process itself says: processor time, memory, the delay of the event loop, open handles, its start. Under the names that dashboards for Prometheus
 * already know. What a runtime cannot tell is left out.
 */
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Registry } from './prometheus.ts';

/** Adds the metrics of this process. Returns how to stop watching the event loop. */
export function addProcessMetrics({ lookedUp }: Registry): () => void {
  const startedAt = Date.now() / 1000 - process.uptime();
  lookedUp({ name: 'process_cpu_seconds_total', type: 'counter', help: 'Processor time used, user and system, in seconds.' }, () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  lookedUp({ name: 'process_start_time_seconds', type: 'gauge', help: 'When the process started, in seconds since 1970.' }, () => startedAt);
  lookedUp({ name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory in bytes.' }, () => process.memoryUsage.rss());
  lookedUp({ name: 'process_open_fds', type: 'gauge', help: 'Open file descriptors, sockets among them.' }, openDescriptors);
  lookedUp({ name: 'nodejs_heap_size_used_bytes', type: 'gauge', help: 'Heap in use in bytes.' }, () => process.memoryUsage().heapUsed);
  lookedUp({ name: 'nodejs_heap_size_total_bytes', type: 'gauge', help: 'Heap reserved in bytes.' }, () => process.memoryUsage().heapTotal);
  lookedUp(
    { name: 'nodejs_active_resources_total', type: 'gauge', help: 'Timers, sockets and requests that keep the event loop busy.' },
    () => process.getActiveResourcesInfo?.().length,
  );
  return addLoopDelay(lookedUp);
}

/** Milliseconds between two looks at the loop; what Node measures has them in it. */
const resolution = 20;

/** Percentiles since the last reading: those since the start would hide what is wrong now. */
function addLoopDelay(lookedUp: Registry['lookedUp']): () => void {
  const delay = loopDelay();
  const seconds = (nanoseconds: number | undefined) => (nanoseconds === undefined ? undefined : Math.max(0, nanoseconds / 1e9 - resolution / 1e3));
  for (const percentile of [50, 99] as const) {
    const family = {
      name: `nodejs_eventloop_lag_p${percentile}_seconds`,
      type: 'gauge',
      help: `Delay of the event loop since the last reading, p${percentile}.`,
    };
    lookedUp({ ...family, type: 'gauge' }, () => seconds(delay?.percentile(percentile)));
  }
  lookedUp({ name: 'nodejs_eventloop_lag_max_seconds', type: 'gauge', help: 'Longest delay of the event loop since the last reading.' }, () => {
    const longest = seconds(delay?.max);
    delay?.reset();
    return longest;
  });
  return () => void delay?.disable();
}

function loopDelay(): ReturnType<typeof monitorEventLoopDelay> | undefined {
  try {
    const delay = monitorEventLoopDelay({ resolution });
    delay.enable();
    return delay;
  } catch {
    return undefined;
  }
}

function openDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
