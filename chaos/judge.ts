/** What must hold when everything is quiet again: what callers were told is still true at every node, and the rows agree. */
import { sql } from '../server/src/storage/driver.ts';
import { insist, introspect, machineToken, Refused, type World } from './callers.ts';
import type { Database } from './database.ts';
import { refreshOnce } from './load.ts';

const twoFamilies = sql<Record<string, never>>`select grant_id from refresh_tokens where revoked_at is null group by tenant, grant_id having count(*) > 1`;
const codesSpent = sql<Record<string, never>>`select grant_id from refresh_tokens group by tenant, grant_id having count(*) > 1`;
/** What nodes may say while the database is away: whatever was batched is tried again. */
const saysUnavailable = /^storage\.unavailable$|\.(flush|seal)_failed$|^maintenance\./;
/** Families and ended tokens that are looked at after each disruption. */
const most = 40;
const recoveryMilliseconds = 15_000;

/** Milliseconds until every node serves a request that reads and writes. */
export async function recovery(world: World): Promise<number> {
  const began = Date.now();
  for (const node of world.nodes) {
    while (!(await serves(world, node))) {
      if (Date.now() - began > recoveryMilliseconds) {
        world.ledger.violated(`${node.name} did not recover by itself within ${recoveryMilliseconds / 1000} seconds`);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return Date.now() - began;
}

async function serves(world: World, node: World['nodes'][number]): Promise<boolean> {
  try {
    return (await machineToken(world, node)).status === 200;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}

/** Holds the ledger against nodes and database. Resolves to how much was looked at. */
export async function judge(world: World, database: Database): Promise<number> {
  const { ledger, nodes } = world;
  const living = [...ledger.living].slice(-most);
  for (const family of living) {
    for (const node of nodes) {
      const { result } = await insist(world, () => introspect(world, family.accessToken, node));
      if (result.body.active !== true) ledger.violated(`${node.name}: an acknowledged token is not active`);
    }
    await refreshOnce(world, family);
  }
  const ended = ledger.ended.slice(-most);
  for (const token of ended) {
    for (const node of nodes) {
      const { result } = await insist(world, () => introspect(world, token, node));
      if (result.body.active !== false) ledger.violated(`${node.name}: a revoked token is active`);
    }
  }
  await judgeRows(world, database);
  for (const node of nodes) for (const event of node.logged()) if (!saysUnavailable.test(event)) ledger.violated(`${node.name} logged ${event}`);
  return living.length + ended.length;
}

async function judgeRows({ ledger, nodes }: World, database: Database): Promise<void> {
  const driver = await database.driver();
  try {
    if ((await driver.read(twoFamilies({}))).length > 0) ledger.violated('two living families of one grant');
    if ((await driver.read(codesSpent({}))).length > 0) ledger.violated('a code that was redeemed twice');
  } finally {
    await driver.close();
  }
  const broken = await nodes[0]?.ask('chain');
  if (broken) ledger.violated(`the chain of audit events: ${broken}`);
}
