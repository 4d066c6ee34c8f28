/**
 * The empty database that a test works on: SQLite in memory, or with AUTH_AGENT_TEST_DATABASE=postgres a schema of its own in the Postgres that
 * AUTH_AGENT_TEST_POSTGRES names, or in workerd a D1. So every story runs on all of them, with nothing changed.
 */
import { ownSchema } from '../src/storage/contract/own-schema.ts';
import type { Driver } from '../src/storage/driver.ts';
import { openD1 } from '../src/storage/drivers/d1.ts';
import { openNodeSqlite } from '../src/storage/drivers/node-sqlite.ts';
import { openPostgres } from '../src/storage/drivers/postgres.ts';
import { schemaScript } from '../src/storage/migrations/index.ts';
import { wantsWorkerd, workerd } from './workerd/start.ts';

/** Hundreds of servers come and go in a run, and not each is closed. */
const pool = { max: 4, idleMs: 1000 };

export type TestDatabase = { driver: Driver /** How a server in another process finds it. */; name: string };

const named = new WeakMap<Driver, string>();

/** The name of a database that {@link testDatabase} made, by its driver: a second server of a story stands on the same one. */
export const nameOf = (driver: Driver): string | undefined => named.get(driver);

export async function testDatabase(): Promise<TestDatabase> {
  const made = await anotherDatabase();
  named.set(made.driver, made.name);
  return made;
}

async function anotherDatabase(): Promise<TestDatabase> {
  if (process.env.AUTH_AGENT_TEST_DATABASE !== 'postgres') return wantsWorkerd ? d1() : { driver: openNodeSqlite(':memory:'), name: '' };
  const url = process.env.AUTH_AGENT_TEST_POSTGRES;
  if (!url) throw new Error('AUTH_AGENT_TEST_DATABASE=postgres needs AUTH_AGENT_TEST_POSTGRES; try tools/postgres.sh run');
  const name = await ownSchema(url, { durable: false });
  const driver = openPostgres(name, pool);
  // One commit instead of one for each migration: hundreds of tests wait for it.
  await driver.script(await schemaScript(driver.name));
  return { driver, name };
}

/** Connections of the further nodes that AUTH_AGENT_TEST_NODES asks for, each with a pool of its own. */
export function moreDrivers({ name }: TestDatabase): Driver[] {
  const nodes = Number(process.env.AUTH_AGENT_TEST_NODES ?? 1);
  return Array.from({ length: nodes - 1 }, () => openPostgres(name, pool));
}

async function d1(): Promise<TestDatabase> {
  const { name, binding } = await (await workerd()).database();
  const driver = openD1(binding);
  await driver.script(await schemaScript(driver.name));
  return { driver, name };
}
