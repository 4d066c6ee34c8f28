/**
 * What the chain of audit events proves, on a real database whose guards somebody has taken away; and what those guards refuse while they stand.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type TestServer, testServer } from '../../test/harness.ts';
import { instanceKeys } from '../crypto/instance-keys.ts';
import { backupLines, restoreLines } from '../storage/backup.ts';
import { collected } from '../storage/contract/made-rows.ts';
import type { Driver } from '../storage/driver.ts';
import { openNodeSqlite } from '../storage/drivers/node-sqlite.ts';
import { openStorage } from '../storage/open.ts';
import { ROOT_TENANT } from '../storage/store.ts';
import { emptyChain, hashOf, privateHashOf } from './chain.ts';
import { auditEvent } from './event.ts';
import { adoptChain, retireEvents, sealEvents } from './seal.ts';
import { verifyChain } from './verify.ts';

const day = 86_400;

type Sealed = {
  at: TestServer;
  driver: Driver;
  change(sql: string): Promise<void>;
  verify(checkpoint?: { seq: number; hash: string }): ReturnType<typeof verifyChain>;
};

/** A server with six sealed events, three of them about somebody with an address. */
async function sealed(options: Parameters<typeof testServer>[0] = {}): Promise<Sealed> {
  const at = await testServer(options);
  const { driver } = at.context.options;
  await at.addUser({ id: 'usr_1' });
  for (let index = 0; index < 5; index++) {
    at.clock.advance(1);
    const about = index % 2 ? {} : { userId: 'usr_1', address: '192.0.2.7', detail: { n: index } };
    await at.store.recordEvent(auditEvent('user.signed_in', at.clock.now(), 'user:usr_1', about));
  }
  await sealEvents(at.context);
  return {
    at,
    driver,
    change: async (sql) => void (await driver.write([{ text: sql, values: [] }])),
    verify: (checkpoint) => verifyChain({ store: at.store, instance: at.context.instance, checkpoint }),
  };
}

async function withoutGuards({ driver, change }: Sealed): Promise<void> {
  for (const [name, table] of [
    ['audit_events_rewritten', 'audit_events'],
    ['audit_events_deleted', 'audit_events'],
    ['audit_chains_turned_back', 'audit_chains'],
  ])
    await change(`drop trigger ${name}${driver.name === 'postgres' ? ` on ${table}` : ''}`);
}

test('[OPS-01] another node that seals between any two reads of this one leaves no gap', async () => {
  for (const raced of ['findChain', 'listUnsealed'] as const) {
    for (const order of ['before', 'after'] as const) {
      const chain = await sealed();
      const { store, context } = chain.at;
      await store.recordEvent(auditEvent('user.signed_out', chain.at.clock.now(), 'user:usr_1'));
      const between = async <Value>(read: () => Promise<Value>): Promise<Value> => {
        if (order === 'before') await sealEvents(context);
        const found = await read();
        if (order === 'after') await sealEvents(context);
        return found;
      };
      const racing = { ...store, [raced]: (limit: number) => between<unknown>(() => store[raced](limit)) };

      await sealEvents({ ...context, store: racing });

      assert.deepEqual([(await chain.verify()).broken, (await chain.verify()).verified], [undefined, 7], `${raced} ${order}`);
    }
  }
});

test('[OPS-01] what was sealed verifies, and the end can be written down and compared later', async () => {
  const chain = await sealed();
  const first = await chain.verify();
  await chain.at.store.recordEvent(auditEvent('user.signed_out', chain.at.clock.now(), 'user:usr_1'));

  assert.deepEqual([first.verified, first.end.seq, first.unsealed, first.broken], [6, 6, 0, undefined]);
  assert.equal((await chain.verify(first.end)).unsealed, 1);
  await sealEvents(chain.at.context);
  assert.deepEqual((await chain.verify(first.end)).broken, undefined);
  assert.match((await chain.verify({ seq: 6, hash: 'another' })).broken?.why ?? '', /checkpoint has another hash/);
  assert.match((await chain.verify({ seq: 99, hash: 'x' })).broken?.why ?? '', /ends at 7/);
  await chain.at.close();
});

/** The guards know the form of what the server does, not whether it was the server: three attacks look like it, and only verifying tells. */
const attacks: [name: string, sql: string, seq: number, why: RegExp, looksRight?: true][] = [
  ['an event was changed', `update audit_events set actor = 'system' where seq = 3`, 3, /is not what was sealed/],
  ['an event was given to somebody else', `update audit_events set user_id = 'usr_2' where seq = 4`, 4, /is not what was sealed/],
  ['an address was changed', `update audit_events set address = '198.51.100.1' where seq = 2`, 2, /address or detail/],
  ['an address was removed', `update audit_events set address = null where seq = 2`, 2, /address or detail/, true],
  [
    'address and detail were forgotten though their person is there',
    `update audit_events set address = null, detail = null, salt = null where seq = 2`,
    2,
    /no event says/,
    true,
  ],
  ['an event was deleted', `delete from audit_events where seq = 4`, 4, /is missing/],
  ['the first event was deleted', `delete from audit_events where seq = 1`, 1, /is missing/],
  ['the last event was deleted', `delete from audit_events where seq = 6`, 6, /is missing/],
  ['all were deleted', `delete from audit_events`, 1, /is missing/],
  ['an event was taken out of the chain', `update audit_events set seq = null where seq = 5`, 5, /is missing/],
  ['two events changed places', `update audit_events set seq = case seq when 3 then -3 else -4 end where seq in (3, 4)`, 3, /is missing|not what was sealed/],
  ['an event was moved in time', `update audit_events set at = at - 60 where seq = 5`, 5, /is not what was sealed/],
  ['the end was turned back', `update audit_chains set seq = 4, hash = (select hash from audit_events where seq = 4)`, 4, /with this secret/],
  [
    'the beginning was moved on',
    `update audit_chains set anchor_seq = 2, anchor_hash = (select hash from audit_events where seq = 2)`,
    6,
    /with this secret/,
    true,
  ],
];

for (const [name, sql, seq, why, looksRight] of attacks) {
  test(`[OPS-01] noticed, with its place: ${name}`, async () => {
    const chain = await sealed();
    if (!looksRight) await assert.rejects(chain.change(sql), 'the guards of the database refuse it');
    assert.equal((await chain.verify()).broken, undefined);
    await withoutGuards(chain);
    await chain.change(sql);
    const { broken } = await chain.verify();

    assert.equal(broken?.seq, seq, broken?.why);
    assert.match(broken?.why ?? '', why);
    await chain.at.close();
  });
}

test('[OPS-01] noticed: a chain that somebody with the database alone wrote anew', async () => {
  const chain = await sealed();
  await withoutGuards(chain);
  const { store } = chain.at;
  let { hash } = emptyChain;
  for (const event of await store.listSealed(0, 10)) {
    const forged = { ...event, actor: event.seq === 3 ? 'system' : event.actor };
    hash = hashOf(store.tenant, hash, forged);
    await chain.change(`update audit_events set actor = '${forged.actor}', hash = '${hash}' where seq = ${event.seq}`);
  }
  await chain.change(`update audit_chains set hash = '${hash}'`);

  assert.match((await chain.verify()).broken?.why ?? '', /not written by a server with this secret/);
  await chain.at.close();
});

test('[OPS-01] what somebody else wrote is never signed: nothing more is sealed on it, and the log says so once', async () => {
  const chain = await sealed();
  const { store, clock, context, logged } = chain.at;
  const honest = (await chain.verify()).end;
  await withoutGuards(chain);
  await chain.change(`update audit_chains set seq = 4, hash = (select hash from audit_events where seq = 4)`);
  await chain.change('delete from audit_events where seq > 4');
  await store.recordEvent(auditEvent('user.signed_out', clock.now(), 'user:usr_1'));

  assert.equal(await sealEvents(context), 0);
  assert.equal(await sealEvents(context), 0);
  assert.match((await chain.verify()).broken?.why ?? '', /not written by a server with this secret/);
  assert.equal((await store.listUnsealed(9)).length, 1);
  assert.equal(logged.filter((line) => line.startsWith('error audit.not_sealed')).length, 1);
  assert.match((await chain.verify(honest)).broken?.why ?? '', /with this secret/);
  await chain.at.close();
});

test('[OPS-01] retention cannot be feigned: where the record begins is signed too', async () => {
  const chain = await sealed();
  const { store, clock, context } = chain.at;
  const [, , , fourth] = await store.listSealed(0, 4);
  // The guards allow this much: it is what retention does.
  await chain.change(`update audit_chains set anchor_seq = 4, anchor_hash = '${fourth?.hash}'`);
  await chain.change('delete from audit_events where seq <= 4');
  await store.recordEvent(auditEvent('audit.retired', clock.now(), 'system', { detail: { through: 4, hash: fourth?.hash ?? '' } }));

  assert.match((await chain.verify()).broken?.why ?? '', /with this secret/);
  assert.equal(await sealEvents(context), 0);
  await chain.at.close();
});

test('[OPS-01] a feigned farewell excuses nobody who is still there', async () => {
  const chain = await sealed();
  await chain.change(`update audit_events set address = null, detail = null, salt = null where seq = 2`);
  await chain.at.store.recordEvent(auditEvent('user.removed', chain.at.clock.now(), 'system', { userId: 'usr_1' }));
  await sealEvents(chain.at.context);

  assert.match((await chain.verify()).broken?.why ?? '', /no event says/);
  await chain.at.close();
});

test('[OPS-01] after a change of the secret the record goes on when somebody says so, and only if the rest of it is whole', async () => {
  const chain = await sealed();
  const { store, clock, context } = chain.at;
  const later = { ...context, instance: instanceKeys('another secret, long enough to be taken') };
  const verify = () => verifyChain({ store, instance: later.instance });
  await store.recordEvent(auditEvent('user.signed_out', clock.now(), 'user:usr_1'));
  assert.equal(await sealEvents(later), 0);
  assert.equal((await verifyChain({ store, instance: later.instance, adopting: true })).broken, undefined);

  await adoptChain(later, 'cli');

  const { broken, verified, unsealed } = await verify();
  assert.deepEqual([broken, verified, unsealed], [undefined, 8, 0]);
  assert.deepEqual((await store.listEvents({ type: 'audit.adopted', limit: 9 }))[0]?.detail?.through, 6);
  await withoutGuards(chain);
  await chain.change(`update audit_events set actor = 'system' where seq = 3`);
  assert.equal((await verifyChain({ store, instance: context.instance, adopting: true })).broken?.seq, 3);
  await chain.at.close();
});

test('[OPS-01] an inserted event waits at the end of the chain, wherever its time puts it', async () => {
  const chain = await sealed();
  await chain.at.store.recordEvent(auditEvent('user.signed_in', chain.at.clock.now() - 3, 'user:usr_1'));
  await sealEvents(chain.at.context);

  assert.deepEqual((await chain.verify()).broken, undefined);
  assert.equal((await chain.at.store.listSealed(6, 9)).length, 1);
  await chain.at.close();
});

test('[OPS-01] who deletes their account is forgotten, and the chain stays whole', async () => {
  const chain = await sealed();
  const { store, clock } = chain.at;
  assert.equal(await store.removeUser('usr_1', auditEvent('user.removed', clock.now(), 'user:usr_1', { userId: 'usr_1' })), 'removed');
  await sealEvents(chain.at.context);
  const { broken, forgotten, verified } = await chain.verify();

  assert.deepEqual([broken, forgotten, verified], [undefined, 3, 7]);
  assert.ok((await store.listSealed(0, 6)).every(({ address, detail, userId, salt }) => userId === undefined || (!address && !detail && !salt)));
  await chain.at.close();
});

test('[OPS-01] events older than they are kept go, with an event that says so, and the rest verifies', async () => {
  const chain = await sealed({ auditSeconds: 30 * day });
  const { store, clock, context } = chain.at;
  const early = (await chain.verify()).end;
  assert.equal(await retireEvents(context), 0);
  clock.advance(20 * day);
  await store.recordEvent(auditEvent('user.signed_in', clock.now(), 'user:usr_1'));
  await sealEvents(context);
  clock.advance(11 * day + 10);

  assert.equal(await retireEvents(context), 6);
  assert.equal(await retireEvents(context), 0);
  const left = await chain.verify();
  assert.deepEqual([left.broken, left.anchor, left.verified, left.unsealed], [undefined, early, 1, 1]);
  await sealEvents(context);
  assert.deepEqual((await chain.verify(early)).broken, undefined);
  assert.deepEqual((await store.listEvents({ type: 'audit.retired', limit: 9 }))[0]?.detail, { through: 6, hash: early.hash });
  assert.match((await chain.verify({ seq: 3, hash: 'x' })).broken?.why ?? '', /no longer kept/);
  await chain.at.close();
});

test('[OPS-01] nothing but sealing, forgetting and retention changes an event', async () => {
  const chain = await sealed();
  await chain.at.store.recordEvent(auditEvent('user.signed_out', chain.at.clock.now(), 'user:usr_1'));
  for (const statement of [
    `update audit_events set hash = 'x' where seq = 1`,
    `update audit_events set type = 'user.added' where seq is null`,
    `update audit_events set detail = '{}' where seq = 3`,
    `update audit_events set tenant = 'other' where seq = 3`,
    'delete from audit_events where seq is null',
    'delete from audit_chains',
    'update audit_chains set seq = 1',
    'update audit_chains set anchor_seq = 99',
  ])
    await assert.rejects(chain.change(statement), statement);
  await chain.at.close();
});

test('[OPS-01] [OPS-04] a restored backup verifies, and goes on where it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-audit-'));
  const chain = await sealed({ driver: openNodeSqlite(join(folder, 'live.db')) });
  const lines = await collected(backupLines(chain.driver, chain.at.clock.now()));
  const driver = openNodeSqlite(':memory:');
  await restoreLines(
    driver,
    (async function* () {
      yield* lines;
    })(),
    { now: chain.at.clock.now(), keepAccess: true },
  );
  const store = openStorage(driver).forTenant(ROOT_TENANT);

  await store.recordEvent(auditEvent('user.signed_out', chain.at.clock.now(), 'user:usr_1'));
  await sealEvents({ ...chain.at.context, store });
  const restored = await verifyChain({ store, instance: chain.at.context.instance, checkpoint: (await chain.verify()).end });
  assert.deepEqual([restored.verified, restored.broken], [7, undefined]);
  await driver.close();
  await chain.at.close();
  rmSync(folder, { recursive: true });
});

test('a salted hash tells apart whatever two events say, and hashes never depend on what is absent', () => {
  const detail = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string())));
  const one = fc.record({ address: fc.option(fc.string(), { nil: undefined }), detail: fc.option(detail, { nil: undefined }) });
  fc.assert(
    fc.property(one, one, fc.string(), (left, right, salt) => {
      const same = JSON.stringify([left.address, left.detail]) === JSON.stringify([right.address, right.detail]);
      assert.equal(privateHashOf(salt, left) === privateHashOf(salt, right), same);
      const written = left.detail === undefined ? left : { ...left, detail: JSON.parse(JSON.stringify(left.detail)) };
      assert.equal(privateHashOf(salt, written), privateHashOf(salt, left));
    }),
  );
});
