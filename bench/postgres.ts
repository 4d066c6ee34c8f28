/** A throw-away Postgres (tools/postgres.sh) on a core, and what its processes have used of the processor. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pinned } from './processes.ts';

export type Postgres = {
  url: string;
  /** The postmaster and everything it has started. */
  pids(): number[];
  stop(): void;
};

const script = fileURLToPath(new URL('../tools/postgres.sh', import.meta.url));

/** Starts a cluster, on one core where that is given; on all where not. */
export function startPostgres(core?: number): Postgres {
  const command = pinned && core !== undefined ? ['taskset', '-c', String(core), script, 'start'] : [script, 'start'];
  const said = execFileSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });
  const url = /^AUTH_AGENT_TEST_POSTGRES=(.+)$/m.exec(said)?.[1] ?? '';
  const folder = /^AUTH_AGENT_TEST_POSTGRES_FOLDER=(.+)$/m.exec(said)?.[1] ?? '';
  return {
    url,
    pids() {
      const postmaster = Number(readFileSync(`${folder}/data/postmaster.pid`, 'utf8').split('\n')[0]);
      const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ').map(Number);
      return [postmaster, ...children];
    },
    stop: () => void execFileSync(script, ['stop', folder]),
  };
}
