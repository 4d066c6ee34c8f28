import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { auditEvent } from '../audit/event.ts';
import { openNodeSqlite } from '../storage/drivers/node-sqlite.ts';
import { openStorage } from '../storage/open.ts';
import { ROOT_TENANT } from '../storage/store.ts';
import { startDevelopment } from './development.ts';
import { StartRefused } from './start-refused.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-dev-'));
after(() => rmSync(folder, { recursive: true }));
const log = { info() {}, warn() {}, error() {} };
const dataFile = join(folder, '.auth-agent', 'dev.db');

test('development mode listens on this computer only', async () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.com', '127.0.0.1.nip.io'])
    await assert.rejects(
      startDevelopment({ host, port: 0, ephemeral: true, log }),
      (error) => error instanceof StartRefused && error.kind === 'usage' && error.message.endsWith(host),
    );
});

test('[KEY-06] it answers on its issuer, keeps secret and data readable by their owner only, and finds them again', async () => {
  const first = await startDevelopment({ port: 0, dataFile, log });
  const answer = await fetch(`${first.issuer}/.well-known/oauth-authorization-server`).finally(() => first.stop());
  const metadata = (await answer.json()) as { issuer: string };
  const secret = readFileSync(`${dataFile}.secret`, 'utf8');

  const second = await startDevelopment({ port: 0, dataFile, log });
  await second.stop();

  assert.equal(metadata.issuer, first.issuer);
  for (const file of [dataFile, `${dataFile}.secret`]) assert.equal(statSync(file).mode & 0o777, 0o600, file);
  assert.equal(readFileSync(`${dataFile}.secret`, 'utf8'), secret);
  assert.equal(readFileSync(join(folder, '.auth-agent', '.gitignore'), 'utf8'), '*\n');
});

test('a secret that does not fit the data is explained, not a stack trace', async () => {
  writeFileSync(`${dataFile}.secret`, 'another secret of this machine, long enough to be one');

  await assert.rejects(startDevelopment({ port: 0, dataFile, log }), (error) => error instanceof StartRefused && error.fix.includes(`rm ${dataFile}`));
});

test('an ephemeral server leaves nothing behind', async () => {
  const nowhere = join(folder, 'nowhere', 'dev.db');
  const running = await startDevelopment({ port: 0, ephemeral: true, dataFile: nowhere, log });
  await running.stop();

  assert.ok(!existsSync(join(folder, 'nowhere')));
});

test('a database with real people is never made a demo', async () => {
  const real = join(folder, 'real.db');
  const storage = openStorage(openNodeSqlite(real));
  await storage.migrate(1);
  await storage.forTenant(ROOT_TENANT).addUser({ id: 'usr_1', username: 'ada', role: 'user', createdAt: 1 }, auditEvent('user.added', 1, 'test'));
  await storage.close();

  await assert.rejects(startDevelopment({ port: 0, dataFile: real, log }), (error) => error instanceof StartRefused && error.message.includes('real people'));
});
