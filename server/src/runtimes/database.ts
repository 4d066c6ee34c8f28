/**
 * From a database URL to an open driver, and what belongs to a database file: its copy before a migration. Drivers are imported when needed, so that SQLite
 * users never load `pg`.
 */
import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Driver } from '../storage/driver.ts';
import { StartRefused } from './start-refused.ts';

export type DatabaseUrl = { kind: 'memory' } | { kind: 'file'; path: string } | { kind: 'postgres'; url: string };

/** Reads `sqlite:./x.db`, `sqlite::memory:` or `postgres://…`. @throws {StartRefused} */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  if (url === 'sqlite::memory:') return { kind: 'memory' };
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1];
  if (path !== undefined && !path.startsWith('//') && !path.includes('\0')) return { kind: 'file', path };
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return { kind: 'postgres', url };
  throw new StartRefused('The database URL cannot be read', {
    kind: 'usage',
    why: 'It is neither sqlite: with a path nor a postgres:// address.',
    fix: 'AUTH_AGENT_DATABASE_URL=sqlite:./auth-agent.db  or  postgres://user:password@host:5432/name',
  });
}

/** Opens a database; a file is created, readable by its owner only (KEY-06). @throws {StartRefused} */
export async function openDatabase(url: string): Promise<Driver> {
  const database = parseDatabaseUrl(url);
  if (database.kind === 'postgres') return (await import('../storage/drivers/postgres.ts')).openPostgres(database.url);
  const { openNodeSqlite } = await import('../storage/drivers/node-sqlite.ts');
  const path = database.kind === 'memory' ? ':memory:' : database.path;
  try {
    return openNodeSqlite(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown reason';
    throw new StartRefused(`The database file ${path} cannot be opened`, {
      why,
      fix:
        why === 'file is not a database'
          ? 'Name another file, or move this one away. A backup is restored into a new one: auth-agent db restore <file>'
          : 'Check that the folder exists and that this user may write there',
      cause,
    });
  }
}

/** Whether everything between server and database could be read on the way: a Postgres off this machine, without TLS and without `sslmode` saying that this is meant. */
export async function isSpokenInClear(url: string): Promise<boolean> {
  const database = parseDatabaseUrl(url);
  if (database.kind !== 'postgres' || new URL(database.url).searchParams.has('sslmode')) return false;
  const { host, encrypted } = (await import('../storage/drivers/postgres.ts')).addressOf(database.url);
  return !encrypted && !host.startsWith('/') && !/^(localhost|127(\.\d+){3}|::1|\[::1\])$/.test(host);
}

/** Whether the URL is of a file that already holds something. */
export function databaseFile(url: string): string | undefined {
  const database = parseDatabaseUrl(url);
  return database.kind === 'file' && existsSync(database.path) && statSync(database.path).size > 0 ? database.path : undefined;
}

/** Copies a living SQLite file beside itself, readable by its owner only; resolves to the path of the copy. */
export async function backUp(path: string, now: number): Promise<string> {
  const stamp = new Date(now * 1000).toISOString().replace(/[-:]/g, '').slice(0, 15);
  const copy = `${path}.backup-${stamp}`;
  // SQLite fills an empty file and leaves its mode alone.
  closeSync(openSync(copy, 'w', 0o600));
  const source = new DatabaseSync(path, { readOnly: true });
  try {
    await backup(source, copy);
  } finally {
    source.close();
  }
  return copy;
}
