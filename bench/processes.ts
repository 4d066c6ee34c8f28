/** Processes of the benchmark: each on a core of its own where taskset exists, spoken to by messages. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export type Process = {
  /** Sends a question and waits for the next message. */
  ask<Answer>(question: unknown): Promise<Answer>;
  /** The first message it sends: what it has to say when it is ready. */
  first<Answer>(): Promise<Answer>;
  pid: number;
  stop(): Promise<void>;
};

const canPin = availableParallelism() > 1 && has('taskset');

/** Whether servers and load generator run on cores of their own; without that, figures say little. */
export const pinned = canPin;

/** `installed`: our packages as people install them, from `npm run build`, instead of their sources, and Node as deploy/auth-agent.service starts it. */
export type StartOptions = { runtime?: string; installed?: boolean; env?: Record<string, string> };

/** Starts a module on a core; `runtime` is the program that runs it, Node where it is left out. */
export function start(
  module: string,
  core: number,
  given: string[] = [],
  { runtime = process.execPath, installed = false, env = {} }: StartOptions = {},
): Process {
  const asDeployed = runtime === process.execPath ? ['--max-semi-space-size=16'] : [];
  const flags = installed ? asDeployed : ['--conditions=aa-source'];
  const options = { env: { ...process.env, ...env } };
  const child = canPin
    ? fork(module, given, { ...options, execPath: 'taskset', execArgv: ['-c', String(core), runtime, ...flags] })
    : fork(module, given, { ...options, execPath: runtime, execArgv: flags });
  return {
    pid: child.pid ?? 0,
    first: () => nextMessage(child),
    ask(question) {
      const answer = nextMessage(child);
      child.send(question as object);
      return answer as Promise<never>;
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill();
      }),
  };
}

/** Processor time that processes have used so far, in seconds, and their resident memory; NaN where /proc does not exist, zero for one that has ended. */
export function usage(pids: number[]): { cpuSeconds: number; megabytes: number } {
  const all = pids.map(usageOfOne);
  return { cpuSeconds: all.reduce((sum, one) => sum + one.cpuSeconds, 0), megabytes: all.reduce((sum, one) => sum + one.megabytes, 0) };
}

function usageOfOne(pid: number): { cpuSeconds: number; megabytes: number } {
  try {
    const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const kilobytes = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // Fields 14 and 15 of proc(5), in hundredths of a second.
    return { cpuSeconds: (Number(ticks[11]) + Number(ticks[12])) / 100, megabytes: Number(kilobytes) / 1024 };
  } catch {
    const nothing = existsSync('/proc/self/stat') ? 0 : Number.NaN;
    return { cpuSeconds: nothing, megabytes: nothing };
  }
}

function nextMessage<Answer>(child: ChildProcess): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      finish();
    };
    const onMessage = (message: unknown) => settle(() => resolve(message as Answer));
    const onExit = (code: number | null) => settle(() => reject(new Error(`${child.spawnfile} ended with ${code} before it answered`)));
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}

function has(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
