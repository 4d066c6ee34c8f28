/**
 * API keys that end: whoever an MCP server belongs to hears of it before that server refuses everybody, once, whichever node looks first.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import type { Context } from '../../src/context.ts';
import type { OutgoingMail } from '../../src/options.ts';
import { createServer as createNode } from '../../src/server.ts';
import { newKey } from '../../src/servers/key-value.ts';
import type { McpServer } from '../../src/storage/store.ts';
import { form } from '../harness.ts';
import { type Stage, stage } from './authorize-stage.ts';
import { bearer } from './token-stage.ts';

const DAY = 86_400;

async function mailing() {
  const sent: OutgoingMail[] = [];
  const sendMail = async (mail: OutgoingMail) => {
    sent.push(mail);
    return 'sent' as const;
  };
  return { ...(await stage({ sendMail })), sent };
}

/** A key that lives for so long, and what its MCP server does with it. */
async function keyOf(on: Stage, seconds: number, server: McpServer = on.mcp, { store, base }: Pick<Context, 'store' | 'base'> = on.context) {
  const now = on.clock.now();
  const { id, secret, hash } = newKey();
  const expiresAt = now + seconds;
  await store.addKey({ id, serverId: server.id, name: 'production', secretHash: hash, createdAt: now, expiresAt }, auditEvent('key.created', now, 'test'));
  const use = async () => {
    const { status } = await on.request(`${base}/introspect`, form({ token: 'unknown' }, bearer(secret)));
    await on.server.flush();
    return status;
  };
  return { id, expiresAt, use };
}

/** Lets time pass, and three nodes keep house at once. */
async function maintained(on: Stage, seconds: number) {
  on.clock.advance(seconds);
  await Promise.all([on.server.maintain(), on.server.maintain(), on.server.maintain()]);
  await on.context.mail.idle();
}
const warnings = async ({ store }: Stage) => (await store.listEvents({ type: 'key.expiring', limit: 10 })).toReversed();
const lines = ({ logged }: Stage) => logged.filter((line) => line.includes('key.expiring'));

test('30, 7 and 1 day before the end of a key in use its owner is told, once, however many nodes keep house and start anew', async () => {
  const on = await mailing();
  const key = await keyOf(on, 365 * DAY);
  for (const days of [30, 7, 1]) {
    on.clock.advance(key.expiresAt - days * DAY - 1 - on.clock.now());
    assert.equal(await key.use(), 200);
    const before = [(await warnings(on)).length, lines(on).length, on.sent.length];
    await maintained(on, 0);
    assert.deepEqual([(await warnings(on)).length, lines(on).length, on.sent.length], before);

    await maintained(on, 1);
    await createNode(on.context.options).maintain();
    await maintained(on, 61);
  }

  const about = { actor: 'system', userId: on.user.id, serverId: on.mcp.id };
  const events = await warnings(on);
  assert.deepEqual(
    events.map(({ actor, userId, serverId, detail }) => ({ actor, userId, serverId, detail })),
    [30, 7, 1].map((days) => ({ ...about, detail: { key_id: key.id, days_left: days } })),
  );
  assert.deepEqual(
    lines(on),
    [30, 7, 1].map((days) => `warn key.expiring ${JSON.stringify({ server_id: on.mcp.id, key_id: key.id, days_left: days })}`),
  );
  assert.deepEqual(
    on.sent.map(({ to, subject }) => [to, subject]),
    Array(3).fill([on.user.email, 'An API key of My File Server ends soon']),
  );
  for (const said of [
    `My File Server: ${key.id} “production”, until January 15, 2028 at 08:00 UTC`,
    `auth-agent keys create ${on.mcp.id}\n`,
    `auth-agent keys revoke ${on.mcp.id} ${key.id}\n`,
  ])
    assert.ok(on.sent[0]?.text.includes(said), on.sent[0]?.text);
});

test('nobody is warned of a key that nobody uses, that was revoked, that has ended, or that was made to live no longer', async () => {
  const on = await mailing();
  const unused = await keyOf(on, 365 * DAY);
  const revoked = await keyOf(on, 365 * DAY);
  assert.deepEqual([await unused.use(), await revoked.use()], [200, 200]);
  on.clock.advance(334 * DAY);
  const short = await keyOf(on, 5 * DAY);
  assert.deepEqual([await revoked.use(), await short.use()], [200, 200]);
  await on.store.revokeKey(on.mcp.id, revoked.id, auditEvent('key.revoked', on.clock.now(), 'test'));

  await maintained(on, 3 * DAY);
  assert.deepEqual(await warnings(on), []);
  await maintained(on, DAY);
  await maintained(on, 30 * DAY);

  assert.deepEqual(
    (await warnings(on)).map(({ detail }) => detail),
    [{ key_id: short.id, days_left: 1 }],
  );
});

test('keys that end together are told in one mail, and of one whose owner has no address the record and the log tell', async () => {
  const on = await mailing();
  const bob = await on.addUser({ username: 'bob', email: undefined });
  const other = await on.addServer({ ownerId: bob.id, resource: 'https://bob.example', name: 'Notes' });
  const keys = [await keyOf(on, 365 * DAY), await keyOf(on, 365 * DAY), await keyOf(on, 365 * DAY, other)];
  on.clock.advance(340 * DAY);
  for (const key of keys) await key.use();

  await maintained(on, 0);
  await maintained(on, 61);

  assert.deepEqual(
    (await warnings(on)).map(({ userId, detail }) => `${userId} ${detail?.days_left}`).toSorted(),
    [on.user, on.user, bob].map(({ id }) => `${id} 25`).toSorted(),
  );
  assert.equal(lines(on).length, 3);
  const [mail = assert.fail(), ...more] = on.sent;
  assert.deepEqual([mail.to, mail.subject, more], [on.user.email, '2 API keys end soon', []]);
});

test('in a tenant, too, and there the commands name it', async () => {
  const on = await mailing();
  await on.server.storage.addTenant({ tenant: 'acme', name: 'Acme', createdAt: 0 });
  const acme = (await on.server.context('acme')) ?? assert.fail();
  await acme.store.addUser(on.user, auditEvent('user.added', 0, 'test'));
  await acme.store.addServer(on.mcp, auditEvent('server.added', 0, 'test'));
  const early = await keyOf(on, 40 * DAY, on.mcp, acme);
  const late = await keyOf(on, 365 * DAY);
  on.clock.advance(15 * DAY);
  assert.deepEqual([await early.use(), await late.use()], [200, 200]);

  const node = createNode(on.context.options);
  const found = await node.maintain();
  on.clock.advance(61);
  await node.maintain();
  await (await node.context('acme'))?.mail.idle();

  assert.equal(found.firstKeyEndsAt, early.expiresAt);
  assert.deepEqual([(await acme.store.listEvents({ type: 'key.expiring', limit: 10 })).length, await warnings(on)], [1, []]);
  assert.match(
    on.sent[0]?.text ?? '',
    new RegExp(`auth-agent keys create ${on.mcp.id} --tenant acme\n.*auth-agent keys revoke \\S+ ${early.id} --tenant acme\n`),
  );
});

test('the housekeeping says when the first key in use ends, and goes on to say so when it has ended', async () => {
  const on = await stage();
  const node = createNode(on.context.options);
  const firstEnd = async () => (await node.maintain()).firstKeyEndsAt;
  assert.equal(await firstEnd(), undefined);
  const late = await keyOf(on, 365 * DAY);
  const early = await keyOf(on, 20 * DAY);
  await late.use();
  assert.equal(await firstEnd(), late.expiresAt);
  await early.use();
  assert.equal(await firstEnd(), early.expiresAt);

  on.clock.advance(20 * DAY);
  assert.equal(await early.use(), 401);
  await late.use();
  assert.equal(await firstEnd(), early.expiresAt);

  await on.store.revokeKey(on.mcp.id, early.id, auditEvent('key.revoked', on.clock.now(), 'test'));
  assert.equal(await firstEnd(), late.expiresAt);
});
