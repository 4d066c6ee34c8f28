/**
 * The load generator, a process of its own on a core of its own: keep-alive connections over bare sockets, one request in flight on each, every answer's
 * status checked. Reads a job from its parent, answers with a measurement. Not here: what is sent (paths/).
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { HotPath } from './paths/hot-path.ts';

export type Job = {
  /** Where to: connections are shared out among them. */
  ports: number[];
  connections: number;
  seconds: number;
  expect: number;
  /** A JSON file of whole HTTP requests. */
  requestsFile: string;
  /** `rotate` starts again at the end, `once` stops there, `chain` makes the next request of a connection from its last answer. */
  supply: HotPath['supply'];
  /** Module of the hot path, for `chain`. */
  module?: string;
  /** Path of the token endpoint, for `chain`. */
  token?: string;
};

export type Measurement = {
  requests: number;
  seconds: number;
  perSecond: number;
  p50: number;
  p99: number;
  /** Processor time of the server for one answer, in microseconds; filled in by run.ts. Steadier than the rate on a busy machine. */
  cpuMicroseconds?: number;
  /** The same of the database's processes, where it has its own. */
  databaseCpuMicroseconds?: number;
  /** Statuses that were not expected, with how often; `0` is a broken connection. */
  unexpected: Record<string, number>;
};

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('\r\n0\r\n\r\n');

process.on('message', (job: Job) => {
  measure(job).then(
    (measurement) => process.send?.(measurement),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

async function measure(job: Job): Promise<Measurement> {
  const requests = (JSON.parse(readFileSync(job.requestsFile, 'utf8')) as string[]).map((request) => Buffer.from(request, 'latin1'));
  const next = job.module ? ((await import(job.module)) as { path: HotPath }).path.next : undefined;
  const latencies: number[] = [];
  const unexpected: Record<string, number> = {};
  let taken = 0;
  let ended = 0;

  const take = () => (taken < requests.length || job.supply === 'rotate' ? requests[taken++ % requests.length] : undefined);
  const began = performance.now();
  const until = began + job.seconds * 1000;
  const count = (status: number) => {
    if (status !== job.expect) unexpected[status] = (unexpected[status] ?? 0) + 1;
  };

  await Promise.all(
    Array.from({ length: job.connections }, (_, index) =>
      converse(job.ports[index % job.ports.length] ?? 0, take, until, (status, milliseconds, body) => {
        count(status);
        ended = performance.now();
        if (status === 0) return undefined;
        latencies.push(milliseconds);
        if (!next) return take();
        return status === job.expect ? Buffer.from(next(body(), job.token ?? '/token'), 'latin1') : undefined;
      }),
    ),
  );

  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  const seconds = (ended - began) / 1000;
  return { requests: latencies.length, seconds, perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99), unexpected };
}

type Answered = (status: number, milliseconds: number, body: () => string) => Buffer | undefined;

/** Speaks on one connection until the time is over or there is nothing more to say. */
function converse(port: number, first: () => Buffer | undefined, until: number, answered: Answered): Promise<void> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let sent = 0;
    let pending: Buffer = Buffer.alloc(0);
    let open = true;

    const say = (request: Buffer | undefined) => {
      sent = performance.now();
      if (request && sent < until) return socket.write(request);
      open = false;
      socket.destroy();
      return false;
    };
    socket.setNoDelay(true);
    socket.on('connect', () => say(first()));
    socket.on('data', (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const from = bodyOf(pending);
      if (from < 0) return;
      const whole = pending;
      pending = Buffer.alloc(0);
      say(answered(statusOf(whole), performance.now() - sent, () => whole.toString('latin1', from)));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (open) answered(0, 0, () => '');
      resolve();
    });
  });
}

/** Where the body of a complete answer begins, or -1 while more must come. */
function bodyOf(answer: Buffer): number {
  const end = answer.indexOf(headEnd);
  if (end < 0) return -1;
  const from = end + headEnd.length;
  const head = answer.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return answer.length >= from + Number(length) ? from : -1;
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return from;
  return answer.subarray(-lastChunk.length).equals(lastChunk) || answer.subarray(from).equals(lastChunk.subarray(2)) ? from : -1;
}

function statusOf(answer: Buffer): number {
  return Number(answer.toString('latin1', 9, 12));
}
process.on('disconnect', () => process.exit());
