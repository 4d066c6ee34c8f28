/**
 * Kill -9 in the middle of thousands of token operations: whatever was acknowledged is there afterwards, whole, and no code was redeemed twice.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { family, NOW, settle } from './contract/fixtures.ts';
import type { Driver } from './driver.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { openStorage } from './open.ts';
import { ROOT_TENANT, type Store } from './store.ts';

const OPERATIONS = 10_000;
const KILLS = 6;

test('[COD-07] [RT-09] [KEY-03] every acknowledged operation survives kill -9, and no code was redeemed twice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-crash-'));
  const path = join(folder, 'crash.db');
  await prepare(path);
  const acknowledged: string[] = [];

  for (let round = 0; round < KILLS; round++) {
    // Somewhere in the middle of a sixth of the operations, never at the same place.
    const killAfter = 200 + Math.floor((Math.random() * OPERATIONS) / KILLS);
    const lines = await work(path, round, killAfter);
    assert.notEqual(lines.at(-1), `done ${round}`, 'the process was killed while it worked');
    acknowledged.push(...lines);
    await verify(path, acknowledged);
  }
  acknowledged.push(...(await work(path, KILLS, Number.POSITIVE_INFINITY, Math.max(500, OPERATIONS - acknowledged.length))));
  assert.ok(acknowledged.length >= OPERATIONS);
  await verify(path, acknowledged);
  rmSync(folder, { recursive: true });
});

test('[OPS-05] two processes on one file wait for each other and lose nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-two-'));
  const path = join(folder, 'two.db');
  await prepare(path);
  const both = await Promise.all([work(path, 1, Number.POSITIVE_INFINITY, 1500), work(path, 2, Number.POSITIVE_INFINITY, 1500)]);

  assert.deepEqual(
    both.map((lines) => lines.at(-1)),
    ['done 1', 'done 2'],
  );
  await verify(path, both.flat());
  rmSync(folder, { recursive: true });
});

async function prepare(path: string): Promise<void> {
  const storage = openStorage(openNodeSqlite(path));
  await storage.migrate(NOW);
  await settle(storage.forTenant(ROOT_TENANT));
  await storage.close();
}

/** Runs the worker, kills it without warning after `killAfter` acknowledgements, and returns every acknowledgement that reached us. */
async function work(path: string, round: number, killAfter: number, operations = OPERATIONS): Promise<string[]> {
  const worker = fileURLToPath(new URL('./crash-worker.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=aa-source', worker, path, String(round), String(operations)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (lines.push(line) === killAfter) child.kill('SIGKILL');
  }
  await gone;
  return lines;
}

async function verify(path: string, acknowledged: string[]): Promise<void> {
  const driver = openNodeSqlite(path);
  const storage = openStorage(driver);
  const store = storage.forTenant(ROOT_TENANT);
  const kids = new Set((await store.listSigningKeys(NOW)).map(({ kid }) => kid));
  const redeemed = new Set<string>();
  for (const line of acknowledged) {
    const [verb = '', subject = '', detail = ''] = line.split(' ');
    assert.ok(verb !== 'redeemed' || !redeemed.has(subject), `${subject} was redeemed twice`);
    if (verb === 'redeemed') redeemed.add(subject);
    assert.ok(verb === 'signing-key' ? kids.has(subject) : await survives(store, verb, subject, detail), `lost: ${line}`);
  }
  await verifyWhole(driver);
  await storage.close();
}

async function survives(store: Store, verb: string, subject: string, detail: string): Promise<boolean> {
  switch (verb) {
    case 'approved':
      return (await store.findGrant(subject)) !== undefined;
    case 'redeemed': {
      const again = {
        codeHash: subject,
        now: NOW,
        redemptionId: 'again',
        family: { ...family, familyId: 'again', grantId: subject.replace('code-', 'grant_') },
      };
      return (await store.redeemCode(again)) === 'spent' && (await store.findFamily(subject.replace('code', 'family'), NOW)) !== undefined;
    }
    case 'rotated':
      return ((await store.findFamily(subject, NOW))?.family.generation ?? -1) >= Number(detail);
    case 'revoked':
      return (await store.standing({ grantId: subject, jti: 'any', now: NOW }))?.active === false;
    case 'revoked-token':
      return (await store.standing({ grantId: subject.replace('jti-', 'grant_'), jti: subject, now: NOW }))?.active === false;
    case 'key':
      return (await store.findKey(subject)) !== undefined;
    case 'key-revoked':
      return (await store.findKey(subject))?.revokedAt !== undefined;
    default:
      return verb === 'done';
  }
}

/** What the statements of one batch wrote is there together, or not at all. */
async function verifyWhole(driver: Driver): Promise<void> {
  const [sound] = await driver.read({ text: 'pragma integrity_check', values: [] });
  assert.equal(sound?.integrity_check, 'ok');
  const together = [
    ['select count(*) from codes where redeemed_at is not null', 'select count(*) from refresh_tokens'],
    ['select count(*) from grants', "select count(*) from audit_events where type = 'grant.approved'"],
    ['select count(*) from grants where revoked_at is not null', "select count(*) from audit_events where type = 'grant.revoked'"],
    ['select count(*) from server_keys where revoked_at is not null', "select count(*) from audit_events where type = 'key.revoked'"],
    ['select count(*) from signing_keys', "select count(*) from audit_events where type = 'signing_key.added'"],
    ['select count(*) from refresh_tokens r join grants g on g.id = r.grant_id where g.revoked_at is not null and r.revoked_at is null', 'select 0'],
  ];
  for (const [left, right] of together) {
    const [row] = await driver.read({ text: `select (${left}) as one, (${right}) as other`, values: [] });
    assert.equal(row?.one, row?.other, left);
  }
}
