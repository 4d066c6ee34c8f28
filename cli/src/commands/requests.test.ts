/**
 * Questions for access as an operator answers them, and another e-mail address by an operator's word. Asking: server/test/flows/ask-access.test.ts.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { auditEvent, openDatabase, openStorage, ROOT_TENANT } from 'auth-agent-mcp-server/node';
import { run } from '../run.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-requests-'));
after(() => rmSync(folder, { recursive: true }));
const databaseUrl = `sqlite:${join(folder, 'live.db')}`;
const secret = randomBytes(32).toString('base64');
const password = 'correct horse battery';

async function cli(line: string, input = '', more: Record<string, string> = {}) {
  const out: string[] = [];
  const exit = await run([...line.split(' '), '--json'], {
    env: { AUTH_AGENT_DATABASE_URL: databaseUrl, AUTH_AGENT_ISSUER: 'https://auth.example.com', AUTH_AGENT_SECRET: secret, ...more },
    stdin: Object.assign(Readable.from([input]), { isTTY: false }),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: () => true },
    untilStopped: async () => 'SIGINT' as const,
  });
  const { data, error } = JSON.parse(out.join(''));
  return { exit, data, error };
}

async function withStore<Value>(act: (store: ReturnType<ReturnType<typeof openStorage>['forTenant']>) => Promise<Value>): Promise<Value> {
  const storage = openStorage(await openDatabase(databaseUrl));
  try {
    return await act(storage.forTenant(ROOT_TENANT));
  } finally {
    await storage.close();
  }
}

let server = '';
const people: Record<string, string> = {};
before(async () => {
  await cli('db migrate');
  await cli('users add op --role operator --password-stdin', password);
  for (const name of ['ada', 'bob']) people[name] = (await cli(`users add ${name} --email ${name}@example.com --password-stdin`, password)).data.user_id;
  server = (await cli('servers add https://files.example.com/ --name Files --scope files:read')).data.server_id;
  await cli(`server-people open ${server} listed`);
});

async function ask(id: string, name: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const question = { id, serverId: server, userId: people[name] ?? '', message: 'For the report.', createdAt: now, expiresAt: now + 3600 };
  assert.equal(await withStore((store) => store.askForAccess(question, auditEvent('access.requested', now, 'test'))), true);
}

test('[AZ-37] who asks for access is listed, and a yes puts them on the list of the server once', async () => {
  await ask('ask_ada', 'ada');
  const { data: asked } = await cli('requests list');
  assert.deepEqual([asked.length, asked[0].username, asked[0].server_id, asked[0].message], [1, 'ada', server, 'For the report.']);
  assert.deepEqual((await cli('requests list --server srv_other')).data, []);

  assert.deepEqual((await cli('requests approve ask_ada')).data, { id: 'ask_ada', decision: 'approved', server_id: server, user_id: people.ada });

  assert.match(JSON.stringify((await cli(`server-people list ${server}`)).data), /"ada"/);
  assert.deepEqual((await cli('requests list')).data, []);
  assert.equal((await cli('requests approve ask_ada')).exit, 4);
  assert.equal((await cli('requests deny ask_ada')).exit, 4);
});

test('[AZ-37] a no leaves the list as it is, and what nobody asked cannot be answered', async () => {
  await ask('ask_bob', 'bob');
  assert.equal((await cli('requests deny ask_bob')).data.decision, 'denied');
  assert.doesNotMatch(JSON.stringify((await cli(`server-people list ${server}`)).data), /"bob"/);
  assert.equal((await cli('requests approve ask_none')).exit, 4);
});

test('an operator gives somebody another address, which nobody else has, and no link for a password where there are none', async () => {
  assert.deepEqual((await cli('users set-email bob Bob@new.example')).data, { id: people.bob, email: 'Bob@new.example' });
  assert.equal((await withStore((store) => store.findUser(people.bob ?? '')))?.email, 'Bob@new.example');
  assert.equal((await cli('users set-email bob ada@example.com')).exit, 5);
  assert.equal((await cli('users set-email bob nowhere')).exit, 2);
  assert.equal((await cli('users set-email nobody x@example.com')).exit, 4);
  assert.equal((await cli('users reset-link bob')).exit, 0);
  assert.match((await cli('users reset-link bob', '', { AUTH_AGENT_PASSWORD: 'false' })).error.message, /Nobody has a password/);
});
