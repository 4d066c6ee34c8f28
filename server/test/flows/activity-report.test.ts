/**
 * What MCP servers report that agents did: only for tokens of their own, only names and results, within caps, and never in the way of anything.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import { MAX_ACTIONS_PER_MINUTE } from '../../src/storage/activity-counter.ts';
import { bearer, errorOf, stage } from './token-stage.ts';

async function reporting(overrides: Parameters<typeof stage>[0] = {}) {
  const scene = await stage(overrides);
  const { access_token } = await scene.tokens();
  const { secret } = await scene.keyOf();
  const send = (body: string, headers: Record<string, string> = {}) =>
    scene.request('/report', { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...bearer(secret), ...headers } });
  const report = (actions: unknown, token: string = access_token) => send(JSON.stringify({ token, actions }));
  const kept = async () => {
    await scene.server.flush();
    const rows = await scene.store.listActivity({ userId: scene.user.id, since: 0, before: Number.MAX_SAFE_INTEGER, limit: 1000 });
    return rows.map(({ action, outcome, missing, times }) => [action, outcome, missing.join(' '), times]);
  };
  return { ...scene, token: access_token, send, report, kept };
}

test('[ACT-01] a report is kept under the grant of its token: name, result, missing scopes, how often, and nothing else', async () => {
  const { report, kept, server } = await reporting();
  const canary = 'canary-7f3a';

  const response = await report([
    { action: 'read_file', outcome: 'allowed', count: 38, arguments: { path: canary }, path: canary },
    { action: 'create_file', outcome: 'refused', missing: ['files:write'], body: canary },
    { action: 'read_file', outcome: 'allowed' },
  ]);

  assert.equal(response.status, 204);
  assert.equal(await response.text(), '');
  assert.deepEqual((await kept()).toSorted(), [
    ['create_file', 'refused', 'files:write', 1],
    ['read_file', 'allowed', '', 39],
  ]);
  const rows = await server.options.driver.read({ text: 'select * from activity', values: [] });
  assert.ok(rows.length > 0 && !JSON.stringify(rows).includes(canary));
});

test('[ACT-02] a server reports about its own tokens only, and learns nothing about others', async () => {
  const { report, kept, addServer, keyOf, request, token } = await reporting();
  const other = await addServer({ resource: 'https://other.example/mcp' });
  const { secret } = await keyOf(other);
  const body = JSON.stringify({ token, actions: [{ action: 'forged', outcome: 'allowed' }] });

  const foreign = await request('/report', { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...bearer(secret) } });
  const unknown = await report([{ action: 'forged', outcome: 'allowed' }], `${token.slice(0, -3)}AAA`);

  assert.deepEqual([foreign.status, unknown.status], [204, 204]);
  assert.deepEqual(await kept(), []);
});

test('[ACT-02] what happened before access ended may be told for five minutes, and nothing after', async () => {
  const { report, kept, store, clock, user } = await reporting();
  const [grant] = await store.listGrants({ userId: user.id }, clock.now());
  await store.revokeGrant(grant?.id ?? '', 'disconnected by the person', auditEvent('grant.revoked', clock.now(), 'test'));

  clock.advance(299);
  const late = await report([{ action: 'last_words', outcome: 'allowed' }]);
  clock.advance(1);
  const tooLate = await report([{ action: 'forged', outcome: 'allowed' }]);

  assert.deepEqual([late.status, tooLate.status], [204, 204]);
  assert.deepEqual(await kept(), [['last_words', 'allowed', '', 1]]);
});

test('[ACT-02] without a living key nothing is taken', async () => {
  const { send, kept, token, logged } = await reporting();
  const body = JSON.stringify({ token, actions: [{ action: 'read', outcome: 'allowed' }] });

  for (const Authorization of ['', 'Bearer nonsense', 'Basic YTpi', `Bearer sk_abc_${'x'.repeat(43)}`])
    assert.equal((await send(body, { Authorization })).status, 401);

  assert.deepEqual(await kept(), []);
  assert.ok(!logged.some((line) => line.includes(token)));
});

test('[ACT-01] a name is cut and loses what cannot be seen; what is no action is dropped and the others count', async () => {
  const { report, kept } = await reporting();
  const bad = ['', 3, null, '\u202e\u200b'].map((action) => ({ action, outcome: 'allowed' }));

  await report([
    ...bad,
    { action: 'x', outcome: 'maybe' },
    { action: 'x', outcome: 'allowed', count: 0 },
    { action: 'x', outcome: 'allowed', count: 1e9 },
    { action: 'x', outcome: 'refused', missing: ['two words'] },
    7,
    { action: 'a\u202e\nb\0', outcome: 'allowed' },
    { action: 'n'.repeat(5000), outcome: 'allowed', missing: ['ignored'] },
  ]);

  assert.deepEqual((await kept()).toSorted(), [
    ['a b', 'allowed', '', 1],
    [`${'n'.repeat(99)}…`, 'allowed', '', 1],
  ]);
});

test('[ACT-01] a body that is no report is 400, and too large is 413', async () => {
  const { send, token } = await reporting();

  for (const body of ['', '[]', '{}', 'null', '{"token":"x"}', `{"token":"${token}","token":"${token}","actions":[]}`, '{"token":"","actions":[]}'])
    assert.deepEqual([(await errorOf(await send(body))).error, (await send(body)).status], ['invalid_request', 400]);
  assert.equal((await send('x', { 'Content-Type': 'text/plain' })).status, 400);
  assert.equal((await send(' '.repeat(65_537))).status, 413);
});

test('[ACT-01] whatever a server reports, it is never our failure, and nothing that is no action is kept', async () => {
  const { report, kept } = await reporting();
  const values = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.jsonValue(), fc.constantFrom('allowed', 'refused'));
  const action = fc.record({
    action: values,
    outcome: values,
    missing: fc.oneof(fc.array(fc.string()), fc.jsonValue()),
    count: fc.oneof(fc.integer(), fc.jsonValue()),
  });

  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.array(action, { maxLength: 5 }), fc.jsonValue()), async (actions) => {
      const { status } = await report(actions);
      assert.ok(status === 204 || status === 400, String(status));
    }),
    { numRuns: 200 },
  );

  for (const [name = '', outcome, missing, times] of (await kept()) as [string, string, string, number][]) {
    assert.match(name, /^[^\p{Cc}\p{Cf}\p{Cs}]{1,100}$/u);
    assert.ok(['allowed', 'refused'].includes(outcome) && /^[\x20-\x7e]*$/.test(missing) && times >= 1);
  }
});

test('[ACT-03] what a server reports in a minute has a cap: the rest is dropped, the next minute counts again', async () => {
  const { report, kept, clock } = await reporting();
  const full = Array.from({ length: MAX_ACTIONS_PER_MINUTE / 1000 }, () => ({ action: 'loop', outcome: 'allowed', count: 1000 }));

  await report(full);
  assert.equal((await report([{ action: 'dropped', outcome: 'allowed' }])).status, 204);
  clock.advance(60);
  await report([{ action: 'again', outcome: 'allowed' }]);

  assert.deepEqual((await kept()).toSorted(), [
    ['again', 'allowed', '', 1],
    ['loop', 'allowed', '', MAX_ACTIONS_PER_MINUTE],
  ]);
});

test('[ACT-03] an operator can have nothing kept', async () => {
  const { report, kept } = await reporting({ activitySeconds: 0 });

  assert.equal((await report([{ action: 'read', outcome: 'allowed' }])).status, 204);

  assert.deepEqual(await kept(), []);
});
