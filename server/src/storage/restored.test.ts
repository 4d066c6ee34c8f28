/** What a restore does with each table (OPS-04): a new table is not restored before somebody has decided. As people and clients meet it: server/test/flows/restore.test.ts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { backupLines, restoreLines } from './backup.ts';
import { allRows, collected, fillTables } from './contract/made-rows.ts';
import { openNodeSqlite } from './drivers/node-sqlite.ts';
import { tablesOf } from './migrations/index.ts';
import { openStorage } from './open.ts';

/** Nothing of these is there afterwards. */
const emptied = [
  ...['sessions', 'session_clients', 'signing_keys', 'codes', 'device_codes', 'authorization_requests', 'pushed_requests', 'upstream_visits'],
  ...['one_time_links', 'setup_links', 'outbox', 'webhook_deliveries'],
];
/** They are there, and over. */
const ended = ['grants', 'refresh_tokens', 'registration_tokens'];
/** Why the others come back as they were. */
const asTheyWere: Record<string, string> = {
  users: 'people sign in again with what they know or hold',
  credentials: 'a password',
  passkeys: 'a way to sign in',
  second_factors: 'without it whoever has the password would be in',
  recovery_codes: 'without them whoever lost their app would be out',
  identity_links: 'who somebody is elsewhere',
  upstream_identities: 'who somebody is elsewhere',
  known_devices: 'decides only who is told of a sign-in',
  dismissals: 'what somebody does not want to be asked again',
  receipts: 'what was allowed once, for the person to read',
  holds: 'what an operator stopped stays stopped',
  access_requests: 'a question that an operator answers',
  activity: 'what happened',
  delegations: 'names the grants it hangs from, which are over',
  issuer_grants: 'names the grants it hangs from, which are over',
  revoked_tokens: 'what is revoked',
  replayed_ids: 'what was used',
  attempts: 'how much was guessed',
  limits: 'how much was asked',
  client_documents: 'a copy of what clients publish',
  servers: 'the operator’s, in docs/storage.md',
  server_keys: 'the operator’s, in docs/storage.md',
  server_people: 'the operator’s, in docs/storage.md',
  owner_tokens: 'the operator’s, in docs/storage.md',
  trusted_issuers: 'the operator’s, in docs/storage.md',
  workloads: 'the operator’s, in docs/storage.md',
  assertion_targets: 'the operator’s, in docs/storage.md',
  upstreams: 'the operator’s, in docs/storage.md',
  webhooks: 'the operator’s, in docs/storage.md',
  tenants: 'the operator’s, in docs/storage.md',
  audit_chains: 'the record',
  facts: 'the database',
};

test('[OPS-04] each table is emptied by a restore, ended, or as it was for a reason', async () => {
  assert.deepEqual([...emptied, ...ended, ...Object.keys(asTheyWere), 'clients', 'audit_events'].toSorted(), [...tablesOf(), 'facts'].toSorted());
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-restored-'));
  const source = openNodeSqlite(join(folder, 'source.db'));
  await openStorage(source).migrate(1);
  await fillTables(source, 3);
  await source.write([...['grants', 'refresh_tokens', 'registration_tokens'].map((table) => ({ text: `update ${table} set revoked_at = null`, values: [] }))]);
  const before = await allRows(source);
  const target = openNodeSqlite(join(folder, 'target.db'));
  async function* lines() {
    yield* await collected(backupLines(source, 1));
  }

  const { ended: said } = await restoreLines(target, lines(), { now: 7, keepAccess: false });

  const after = await allRows(target);
  assert.deepEqual(said, { grants: 3, sessions: 3 });
  for (const table of emptied) assert.deepEqual(after[table], [], table);
  for (const table of Object.keys(asTheyWere)) assert.deepEqual(after[table], before[table], table);
  assert.equal(after.audit_events?.length, (before.audit_events?.length ?? 0) + 1);
  const count = async (text: string) => (await target.read({ text: `select count(*) as count from ${text}`, values: [] }))[0]?.count;
  for (const table of ['grants', 'refresh_tokens', 'registration_tokens']) assert.equal(await count(`${table} where revoked_at = 7`), 3, table);
  assert.equal(await count('clients where management_hash is null and secret_hash is not null'), 3);
  for (const driver of [source, target]) await driver.close();
  rmSync(folder, { recursive: true });
});
