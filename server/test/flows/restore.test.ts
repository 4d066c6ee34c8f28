/** What a restored backup brings back, and what it must not (OPS-04). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer } from '../../src/server.ts';
import { backupLines, restoreLines } from '../../src/storage/backup.ts';
import { collected } from '../../src/storage/contract/made-rows.ts';
import { openNodeSqlite } from '../../src/storage/drivers/node-sqlite.ts';
import { bearer, redemption, type Stage, stage } from './token-stage.ts';

async function* each(lines: Iterable<string>): AsyncGenerator<string> {
  yield* lines;
}

/** A server on the restored backup, and short ways to ask it. */
async function restored(lines: Iterable<string>, scene: Stage, keepAccess: boolean) {
  const driver = openNodeSqlite(':memory:');
  const { ended } = await restoreLines(driver, each(lines), { now: scene.clock.now(), keepAccess });
  const server = createServer({ ...scene.context.options, driver });
  const post = async (path: string, values: Record<string, string>, headers: Record<string, string> = {}) => {
    const init = { method: 'POST', body: new URLSearchParams(values), headers };
    const response = await server.fetch(new Request(`${scene.context.issuer}${path}`, init), { address: '203.0.113.9' });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const refresh = (token: string) => post('/token', { grant_type: 'refresh_token', refresh_token: token, client_id: scene.client.id });
  return { server, ended, post, refresh, store: server.storage.forTenant(scene.store.tenant) };
}

async function scene() {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-restore-'));
  const live = await stage({ driver: openNodeSqlite(join(folder, 'live.db')) });
  const kept = await live.tokens();
  const { code } = await live.code();
  const { secret } = await live.keyOf();
  const lines = await collected(backupLines(live.context.options.driver, live.clock.now()));
  live.clock.advance(1);
  return { live, folder, kept, code, key: bearer(secret), lines };
}

test('[OPS-04] after a restore no token, code, grant or session of before is good, and the event says so', async () => {
  const { live, folder, kept, code, key, lines } = await scene();
  // After the backup: rotated, as an attacker who kept the older token hopes that nobody remembers.
  assert.equal((await live.refresh(kept.refresh_token)).status, 200);

  const { post, refresh, store, ended } = await restored(lines, live, false);

  assert.deepEqual(ended, { grants: 2, sessions: 0 });
  assert.deepEqual([(await refresh(kept.refresh_token)).status, (await refresh(kept.refresh_token)).body.error], [400, 'invalid_grant']);
  assert.deepEqual((await post('/introspect', { token: kept.access_token }, key)).body, { active: false });
  assert.equal((await post('/token', redemption(live.client, code))).body.error, 'invalid_grant');
  assert.deepEqual(await store.listAgents(live.user.id, live.clock.now()), []);
  const [event] = await store.listEvents({ type: 'database.restored', limit: 2 });
  assert.deepEqual(event?.detail, { made_at: live.clock.now() - 1 });
  await live.close();
  rmSync(folder, { recursive: true });
});

test('[OPS-04] who says that no server ran since keeps everything as it was', async () => {
  const { live, folder, kept, code, key, lines } = await scene();

  const { post, refresh, ended } = await restored(lines, live, true);

  assert.equal(ended, undefined);
  assert.equal((await post('/introspect', { token: kept.access_token }, key)).body.active, true);
  assert.equal((await refresh(kept.refresh_token)).status, 200);
  assert.equal((await post('/token', redemption(live.client, code))).status, 200);
  await live.close();
  rmSync(folder, { recursive: true });
});
