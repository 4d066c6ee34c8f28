/**
 * Programs as a reader starts them: bash in a folder, with the reader's environment instead of this test run's. What they print is heard as it comes, so
 * nobody waits for a clock.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { root } from './read.ts';

export type Program = {
  /** Resolves to all that was printed as soon as that fits. @throws {Error} when it ends before, or says nothing like it in time. */
  says(pattern: RegExp): Promise<string>;
  /** Resolves to all that was printed when nothing of it runs any more. @throws {Error} when that takes too long. */
  ends(): Promise<string>;
  /** Types a line, where `types` was asked for. */
  type(line: string): void;
  /** The exit status, once it ended by itself. */
  status(): number | null;
  /** Asks all of it to stop, as a supervisor does: npm alone would leave what it started behind. */
  stop(): void;
  /** Ends it and whatever it began. */
  [Symbol.dispose](): void;
};

export type Surroundings = {
  env?: Record<string, string>;
  folder?: string;
  /** Whether somebody sits at the keyboard; else the input ends at once. */
  types?: boolean;
  patienceSeconds?: number;
};

export function startProgram(script: string, { env, folder = root, types = false, patienceSeconds = 30 }: Surroundings = {}): Program {
  const child = spawn('bash', ['-c', script], { cwd: folder, env: { ...ownEnvironment(), ...env }, detached: true });
  if (!types) child.stdin.end();
  let text = '';
  const heard = new EventTarget();
  const hear = (chunk: string) => {
    text += chunk;
    heard.dispatchEvent(new Event('change'));
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
  let ended = false;
  child.once('close', () => {
    ended = true;
    heard.dispatchEvent(new Event('change'));
  });
  const printed = () => text.replaceAll('\r\n', '\n').trimEnd();
  const until = (isSo: () => boolean, what: string) => waitFor({ heard, patienceSeconds }, isSo, () => `${what}:\n${script}\n${printed()}`);
  return {
    says: async (pattern) => {
      await until(() => ended || pattern.test(printed()), `did not print ${pattern} in time`);
      if (!pattern.test(printed())) throw new Error(`ended without printing ${pattern}:\n${script}\n${printed()}`);
      return printed();
    },
    ends: async () => {
      await until(() => ended, 'did not end in time');
      return printed();
    },
    type: (line) => void child.stdin.write(`${line}\n`),
    status: () => child.exitCode,
    stop: () => signalAll(child, 'SIGTERM'),
    [Symbol.dispose]: () => signalAll(child, 'SIGKILL'),
  };
}

/** A port of this computer that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, 'localhost');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

type Wait = { heard: EventTarget; patienceSeconds: number };

function waitFor({ heard, patienceSeconds }: Wait, isSo: () => boolean, complaint: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const tooLong = setTimeout(() => reject(new Error(complaint())), patienceSeconds * 1000);
    const look = () => {
      if (!isSo()) return;
      clearTimeout(tooLong);
      heard.removeEventListener('change', look);
      resolve();
    };
    heard.addEventListener('change', look);
    look();
  });
}

/** Bash began its own group, so nothing it started is missed. */
function signalAll({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // The whole group had ended by itself.
  }
}

/** Nothing of this test run, and npm without its two lines about itself. */
function ownEnvironment(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|AUTH_AGENT_|INIT_CWD$|CI$|FORCE_COLOR$)/.test(name));
  return { ...Object.fromEntries(own), npm_config_loglevel: 'silent', npm_config_update_notifier: 'false' };
}
