/** What is seen of nodes every few seconds: memory, what they hold open, how long they take. Sums over nodes; latencies over all requests. */
import type { Node } from '../cluster.ts';
import type { Observe } from './connections.ts';

export type Phase = 'warm' | 'paced' | 'doubled';
export type Sample = {
  /** Seconds since the beginning. */
  at: number;
  phase: Phase;
  /** Megabytes: resident, and the heap after a collection. */
  rss: number;
  heap: number;
  /** Descriptors, and handles of the event loop, without the callers' connections: how many these are is the load's doing. */
  files: number;
  handles: number;
  /** Accepted requests a second, and refused ones. */
  perSecond: number;
  refusedPerSecond: number;
  /** Milliseconds, of accepted requests; NaN without any. */
  p50: number;
  p99: number;
  /** Milliseconds for which a node answered nobody, at most, and cores that the nodes used. */
  still: number;
  cores: number;
  /** How fast the machine is by itself; 1 when the capacity was found. */
  speed: number;
  /** 1 when it was too slow for its pace, or stood still, within the last five seconds; else 0. */
  dip: number;
  /** Milliseconds that the callers themselves were late at most: beyond it, latencies are theirs. */
  late: number;
};

export type Watch = { samples: readonly Sample[]; observe: Observe; phase(now: Phase): void; stop(): Promise<void> };
/** `connected`: how many connections callers have. */
type Watching = { every: number; connected(): number; speed(): number; dipped(): boolean; tell(sample: Sample): void };

/** Takes a sample each `every` milliseconds, and tells each. */
export function watchNodes(nodes: readonly Node[], { every, connected, speed, dipped, tell }: Watching): Watch {
  const samples: Sample[] = [];
  const began = performance.now();
  let phase: Phase = 'warm';
  let latencies: number[] = [];
  let refused = 0;
  let since = began;
  let late = 0;
  let looked = began;
  let usedBefore = 0;
  let busy: Promise<void> = Promise.resolve();

  const lateness = setInterval(() => {
    const now = performance.now();
    late = Math.max(late, now - looked - 20);
    looked = now;
  }, 20);

  async function take(): Promise<void> {
    const [taken, ofPhase, from, now] = [latencies.sort((a, b) => a - b), phase, since, performance.now()];
    const turnedAway = refused;
    const lateBy = late;
    [latencies, refused, since, late] = [[], 0, now, 0];
    const vitals = await Promise.all(nodes.map((node) => node.ask('vitals')));
    const sum = (name: keyof (typeof vitals)[number]) => vitals.reduce((total, one) => total + one[name], 0);
    // Callers have connections that nobody has accepted yet.
    const callers = Math.min(sum('sockets'), connected());
    const seconds = (now - from) / 1000;
    const used = sum('cpuSeconds');
    const cores = (used - usedBefore) / seconds;
    usedBefore = used;
    const sample = {
      at: (now - began) / 1000,
      phase: ofPhase,
      rss: sum('rss'),
      heap: sum('heap'),
      files: sum('files') - callers,
      handles: sum('active') - callers,
      perSecond: taken.length / seconds,
      refusedPerSecond: turnedAway / seconds,
      p50: taken[Math.floor(taken.length * 0.5)] ?? Number.NaN,
      p99: taken[Math.floor(taken.length * 0.99)] ?? Number.NaN,
      still: Math.max(...vitals.map((one) => one.still)),
      cores,
      speed: speed(),
      dip: dipped() ? 1 : 0,
      late: lateBy,
    };
    samples.push(sample);
    tell(sample);
  }
  const timer = setInterval(() => {
    busy = busy.then(take);
  }, every);

  return {
    samples,
    observe(_path, status, spent) {
      if (status === 429 || status === 503) refused += 1;
      else latencies.push(spent);
    },
    phase(now) {
      phase = now;
    },
    async stop() {
      clearInterval(timer);
      clearInterval(lateness);
      await busy;
    },
  };
}
