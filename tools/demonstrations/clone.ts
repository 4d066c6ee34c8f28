/**
 * A fresh clone of the last commit, as somebody has it who follows the documents: `git clone` into a folder that goes away, `npm ci`, nothing else. Commands are
 * run there as they are printed; a port that somebody on this computer uses already is replaced by a free one, in commands and in the files of the clone.
 */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type Program, type Surroundings, startProgram } from '../documents/program.ts';
import { root } from '../documents/read.ts';

export type Clone = {
  folder: string;
  /** Starts a printed command. */
  start(command: string, surroundings?: Surroundings): Program;
  /** Runs a printed command to its end; answers what it printed. */
  run(command: string, surroundings?: Surroundings): Promise<string>;
  /** A text of the documents with the ports of this run. */
  here(text: string): string;
  remove(): void;
};

const printedPorts = [9000, 8000, 8001, 4000, 4001];

/** @throws {Error} when this is no checkout of git, or `npm ci` fails. */
export async function openClone(): Promise<Clone> {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-clone-'));
  execFileSync('git', ['clone', '--quiet', root, folder]);
  const ports = new Map<number, number>();
  for (const printed of printedPorts) ports.set(printed, (await isFree(printed)) ? printed : await freePort());
  const here = (text: string) => text.replaceAll(/(?<=localhost:|--port |PORT=)\d{4}\b/g, (port) => String(ports.get(Number(port)) ?? port));
  for (const file of globSync('examples/*.json', { cwd: folder })) writeFileSync(join(folder, file), here(readFileSync(join(folder, file), 'utf8')));
  const own = {
    // Node is what npm installs in the clone, not that of this run.
    PATH: (process.env['PATH'] ?? '')
      .split(':')
      .filter((entry) => !entry.endsWith('node_modules/.bin'))
      .join(':'),
    AUTH_AGENT_CLIENT_STORE: join(folder, '.auth-agent', 'credentials.json'),
  };
  const start: Clone['start'] = (command, given = {}) => startProgram(here(command), { folder, ...given, env: { ...own, ...given.env } });
  const clone: Clone = {
    folder,
    start,
    here,
    run: (command, given) => ended(start(command, given), command),
    remove: () => rmSync(folder, { recursive: true }),
  };
  await clone.run('npm ci --prefer-offline --no-audit --no-fund', { patienceSeconds: 300 });
  return clone;
}

async function ended(running: Program, command: string): Promise<string> {
  using program = running;
  const printed = await program.ends();
  if (program.status() !== 0) throw new Error(`${command} ended with status ${program.status()}:\n${printed}`);
  return printed;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, 'localhost', () => probe.close(() => resolve(true)));
  });
}
