import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Hono } from 'hono';
import { activeAnswer, goodReply, optionsFor, type PlayedServer, playAuthorizationServer, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { authAgentMiddleware, requireScope } from './adapters/hono.ts';
import type { AuthAgentOptions } from './options.ts';

type Report = { token: string; actions: Record<string, unknown>[] };
interface ReportFile {
  readonly required_scopes: string[];
  readonly tool_scopes: Record<string, string[]>;
  readonly cases: { name: string; requirements: string[]; method: string; target: string; body?: string; granted: string[]; actions: unknown[] }[];
}
const file = readVectors<ReportFile>('reports');

/** An MCP server whose reports go out when the test says so. */
async function reporting(t: TestContext, granted: string[], more: Partial<AuthAgentOptions> = {}, status = 204) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: startOfTime * 1000 });
  const played = await playAuthorizationServer(t);
  played.reply = (request) => {
    if (request.path === '/introspect') return { body: activeAnswer(played.url, { scope: granted.join(' ') }) };
    if (request.path !== '/report') return goodReply(request, played.url);
    return { status };
  };
  const app = new Hono();
  app.use('*', authAgentMiddleware({ ...optionsFor(played), requiredScopes: ['files:read'], ...more } as AuthAgentOptions));
  app.post('/api/write', requireScope('files:write'), (c) => c.text('written'));
  app.all('*', async (c) => c.text(await c.req.text()));
  return { played, app };
}

const bodyOf = (body: string | undefined): RequestInit =>
  body === undefined ? {} : { body, headers: { 'Content-Type': 'application/json', 'Content-Length': String(body.length) } };

function call(app: Hono, target: string, init: RequestInit = {}): Promise<Response> {
  return Promise.resolve(app.request(target, { ...init, headers: { ...init.headers, Authorization: 'Bearer token-1' } }));
}

/** Lets a second pass and waits for as many reports. */
async function reports(t: TestContext, played: PlayedServer, count: number): Promise<Report[]> {
  t.mock.timers.tick(1000);
  while (played.asked('/report') < count) await new Promise((resolve) => setImmediate(resolve));
  return played.received.filter(({ path }) => path === '/report').map(({ form }) => JSON.parse([...form.keys()][0] ?? '') as Report);
}

for (const vector of file.cases) {
  test(`${titleOf(vector)} (reports)`, async (t) => {
    const { played, app } = await reporting(t, vector.granted, { toolScopes: file.tool_scopes });

    await call(app, vector.target, { method: vector.method, ...bodyOf(vector.body) });

    const [report] = await reports(t, played, 1);
    assert.deepEqual(report, { token: 'token-1', actions: vector.actions });
    assert.doesNotMatch(JSON.stringify(played.received), /canary/);
  });
}

test('[ACT-01] calls answered from the cache are counted, and a refusal on a route takes the place of the allowed call', async (t) => {
  const { played, app } = await reporting(t, ['files:read']);
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file"}}';

  for (let times = 0; times < 5; times++) assert.equal(await (await call(app, '/mcp', { method: 'POST', ...bodyOf(body) })).text(), body);
  assert.equal((await call(app, '/api/write', { method: 'POST' })).status, 403);

  assert.equal(played.asked('/introspect'), 1);
  assert.deepEqual((await reports(t, played, 1))[0]?.actions, [
    { action: 'read_file', outcome: 'allowed', count: 5 },
    { action: 'POST', outcome: 'refused', count: 1, missing: ['files:write'] },
  ]);
});

test('[ACT-06] a refusal is told at once, so that the question for more can say why; what follows within the second waits for it', async (t) => {
  const { played, app } = await reporting(t, ['files:read']);
  await call(app, '/mcp');
  await call(app, '/api/write', { method: 'POST' });

  t.mock.timers.tick(0);
  while (played.asked('/report') < 1) await new Promise((resolve) => setImmediate(resolve));
  for (let times = 0; times < 20; times++) await call(app, '/api/write', { method: 'POST' });
  t.mock.timers.tick(999);
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(played.asked('/report'), 1);
  t.mock.timers.tick(1);

  const [, second] = await reports(t, played, 2);
  assert.deepEqual(second?.actions, [{ action: 'POST', outcome: 'refused', count: 20, missing: ['files:write'] }]);
});

/** An MCP server whose reports get the answers that the test gives them, on a clock of its own: sockets of other tests hold timers of the mocked one. */
async function reportingTo(t: TestContext, report: () => Promise<Response>) {
  let now = startOfTime * 1000;
  const timers = new Map<object, { readonly run: () => void; readonly at: number }>();
  const set = (run: () => void, ms: number) => {
    // Connections of other tests set timers too.
    const timer = { unref: () => timer, refresh: () => timer, hasRef: () => false };
    timers.set(timer, { run, at: now + ms });
    return timer;
  };
  t.mock.method(Date, 'now', () => now);
  t.mock.method(globalThis, 'setTimeout', set as unknown as typeof setTimeout);
  t.mock.method(globalThis, 'clearTimeout', (timer: object) => timers.delete(timer));
  let asked = 0;
  const play = (async (input: unknown) => {
    if (!String(input).endsWith('/report')) return Response.json(activeAnswer('https://auth.example.com'));
    asked += 1;
    return report();
  }) as typeof fetch;
  const app = new Hono();
  app.use('*', authAgentMiddleware({ ...optionsFor({ url: 'https://auth.example.com' }), resource, fetch: play }));
  app.all('*', (c) => c.text('ok'));
  const pass = async () => {
    now += 1000;
    for (const [timer, { run, at }] of timers) {
      if (at <= now && timers.delete(timer)) run();
    }
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
  };
  const second = async () => {
    await call(app, '/mcp');
    await pass();
  };
  return { asked: () => asked, second, pass, timers };
}

test('[ACT-03] while the authorization server hangs, one report waits for it and no other is sent; what came meanwhile follows', async (t) => {
  const hanging = Promise.withResolvers<Response>();
  const { asked, second, pass } = await reportingTo(t, () => hanging.promise);

  for (let seconds = 0; seconds < 4; seconds++) await second();
  assert.equal(asked(), 1);
  hanging.resolve(new Response(null, { status: 204 }));
  await pass();
  await pass();

  assert.equal(asked(), 2);
});

test('[ACT-03] a report that died with the request that began it, as on Workers, is not waited for', async (t) => {
  const { asked, second } = await reportingTo(t, () => new Promise(() => undefined));

  for (let seconds = 0; seconds < 9; seconds++) await second();

  assert.equal(asked(), 2);
});

test('[ACT-03] a timer that died with the request that set it, as on Workers, is set again', async (t) => {
  const { asked, second, timers } = await reportingTo(t, async () => new Response(null, { status: 204 }));
  const lose = t.mock.method(timers, 'set', () => timers);
  await second();
  lose.mock.restore();
  for (let seconds = 0; seconds < 8; seconds++) await second();

  assert.ok(asked() > 0);
});

test('[ACT-03] an authorization server that knows no reports is not asked again, and no call notices', async (t) => {
  const { played, app } = await reporting(t, ['files:read'], {}, 404);

  await call(app, '/mcp');
  await reports(t, played, 1);
  // The answer is read after it was sent.
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await call(app, '/mcp')).status, 200);
  t.mock.timers.tick(5000);
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));

  assert.equal(played.asked('/report'), 1);
});

test('[ACT-03] switched off, nothing is told', async (t) => {
  const { played, app } = await reporting(t, ['files:read'], { report: false });

  await call(app, '/mcp');
  t.mock.timers.tick(5000);
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));

  assert.equal(played.asked('/report'), 0);
});
