#!/usr/bin/env node
/**
 * The binary `auth-agent`: hands the process to run.ts. Owns the signals: the first asks for a clean end, the second ends at once.
 */
import module from 'node:module';
import { join } from 'node:path';

// Starting takes half as long when nothing is compiled anew. Kept where only this person writes: what another one put there would run as them.
const { XDG_CACHE_HOME, HOME } = process.env;
const cache = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
if (cache) module.enableCompileCache?.(join(cache, 'auth-agent'));

const { exitCodes } = await import('./exit-codes.ts');
const { run } = await import('./run.ts');

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
