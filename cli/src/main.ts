#!/usr/bin/env node
/**
 * The binary `auth-agent`: hands the process to run.ts. Owns the signals: the first asks for a clean end, the second ends at once.
 */
import { exitCodes } from './exit-codes.ts';
import { run } from './run.ts';

const untilStopped = (): Promise<'SIGINT' | 'SIGTERM'> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(exitCodes.interrupted));
        resolve(signal);
      });
    }
  });

process.exitCode = await run(process.argv.slice(2), { env: process.env, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, untilStopped });
