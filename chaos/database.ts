/** The databases under test: a SQLite file for one node, a Postgres cluster of our own for several, and what can be done to each. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDatabase } from '../server/src/runtimes/database.ts';
import type { Driver } from '../server/src/storage/driver.ts';

export type Database = {
  readonly kind: 'sqlite' | 'postgres';
  readonly url: string;
  /** A connection of the judge. */
  driver(): Promise<Driver>;
  /** SQLite: how many bytes its largest file has. */
  bytes(): number;
  /** Postgres: stops at once, as when the machine dies, and starts again after `milliseconds`. */
  restart(milliseconds: number): Promise<void>;
  /** Postgres: ends every connection but the judge's. Resolves to how many. */
  cutConnections(): Promise<number>;
  remove(): Promise<void>;
};

const run = promisify(execFile);
const script = fileURLToPath(new URL('../tools/postgres.sh', import.meta.url));

export function sqliteFile(): Database {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-chaos-'));
  const file = join(folder, 'chaos.db');
  const url = `sqlite:${file}`;
  return {
    kind: 'sqlite',
    url,
    driver: () => openDatabase(url),
    bytes: () => Math.max(...[file, `${file}-wal`].map((path) => statSync(path).size)),
    restart: () => Promise.reject(new Error('SQLite is part of its node')),
    cutConnections: () => Promise.resolve(0),
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

/** @throws when Postgres is not installed. */
export async function postgresCluster(): Promise<Database> {
  const { stdout } = await run(script, ['start']);
  const told = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1] ?? '';
  const [url, folder] = [told('AUTH_AGENT_TEST_POSTGRES'), told('AUTH_AGENT_TEST_POSTGRES_FOLDER')];
  return {
    kind: 'postgres',
    url,
    driver: () => openDatabase(url),
    bytes: () => 0,
    async restart(milliseconds) {
      await run(script, ['crash', folder]);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      await run(script, ['revive', folder]);
    },
    async cutConnections() {
      const judge = await openDatabase(url);
      const text = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'";
      const cut = await judge.read({ text, values: [] });
      await judge.close();
      return cut.length;
    },
    remove: async () => void (await run(script, ['stop', folder])),
  };
}
