#!/usr/bin/env node
/**
 * The binary `auth-agent`: hands the process to run.ts. Owns the signals: the first asks a command that waits for it for a clean end, any other ends at once.
 * Owns what becomes of output that nobody takes, too.
 */
import module from 'node:module';
import { join } from 'node:path';
import { exitCodes } from './exit-codes.ts';

// npm only warns of an old Node, which ends at the first import that it does not know. Bun says for itself which Node it is like.
const { node, bun } = process.versions;
if (bun === undefined && Number.parseInt(node, 10) < 24) {
  process.stderr.write(
    `✗ fail  Node ${node} is too old for auth-agent\n  Fix   Install Node 24 or newer, or npx --package node@24 --package auth-agent-mcp auth-agent\n`,
  );
  process.exit(exitCodes.refused);
}

// Heard from the beginning: process 1 of a container has no end by default, and what is ended without a handler leaves what `exit` would tidy up.
let awaited = false;
const stopped = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
  let told = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (told || !awaited) process.exit(exitCodes.interrupted);
      told = true;
      resolve(signal);
    });
});
const untilStopped = () => {
  awaited = true;
  return stopped;
};

// A disk that is full, or a reader of the log that went away, ends no server: it says so once and goes on. A command whose answer did not arrive has failed.
let unwritten = false;
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  const said = !unwritten;
  unwritten = true;
  if (awaited) {
    if (said) process.stderr.write(`The log cannot be written (${code ?? message}); the server goes on without those lines\n`);
    return;
  }
  // Whoever closed a pipe, as head does, has what they wanted.
  if (said && code !== 'EPIPE') process.stderr.write(`The output cannot be written: ${message}\n`);
  process.exit(exitCodes.failed);
});
process.stderr.on('error', () => {});

// Starting takes half as long when nothing is compiled anew. Kept where only this person writes: what another one put there would run as them.
const { XDG_CACHE_HOME, HOME } = process.env;
const cache = XDG_CACHE_HOME || (HOME && join(HOME, '.cache'));
if (cache) module.enableCompileCache?.(join(cache, 'auth-agent'));

const { run } = await import('./run.ts');

process.exitCode = await run(process.argv.slice(2), { env: process.env, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, untilStopped });
