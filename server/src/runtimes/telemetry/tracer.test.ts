import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { form, type TestServer, testServer } from '../../../test/harness.ts';
import { openNodeSqlite } from '../../storage/drivers/node-sqlite.ts';
import { nodeLog } from '../log.ts';
import { otlpExporter } from './otlp.ts';
import { tracer } from './tracer.ts';
import { tracingSettings } from './tracing-settings.ts';
import { watchedCalls, watchedDriver } from './watch.ts';

type Wire = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: string } }[];
  status: { code?: number };
};
type Received = { path: string; headers: IncomingHttpHeaders; text: string; spans: Wire[]; resource: Record<string, string | undefined> };

/** A receiver of OTLP over HTTP. `answers` are the statuses of its answers, then 200. */
async function receiver(answers: number[] = []): Promise<{ endpoint: string; received: Received[]; spans(): Wire[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { resourceSpans } = JSON.parse(text) as { resourceSpans: { resource: { attributes: Wire['attributes'] }; scopeSpans: { spans: Wire[] }[] }[] };
    const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    const resource = Object.fromEntries(resourceSpans[0]?.resource.attributes.map(({ key, value }) => [key, value.stringValue]) ?? []);
    const status = answers.shift() ?? 200;
    received.push({ path: request.url ?? '', headers: request.headers, text, spans, resource });
    response.writeHead(status, { 'Content-Type': 'application/json' }).end('{"partialSuccess":{}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, spans: () => received.flatMap((one) => one.spans) };
}

async function traced(env: Record<string, string>) {
  const lines: string[] = [];
  const log = nodeLog({ format: 'json', output: { write: (line) => lines.push(line) } });
  const settings = tracingSettings(env, []);
  assert.ok(settings);
  const exporter = otlpExporter(settings, log);
  const watcher = tracer({ sampler: settings.sampler, exporter, database: 'sqlite' });
  const sent: Record<string, string>[] = [];
  const calls = watchedCalls(
    {
      fetchUpstream: async (_url, { headers }) => {
        sent.push(headers);
        return new Response('{}');
      },
      fetchDocument: () => Promise.reject(new TypeError('nothing there: https://client.example/?canary')),
    },
    watcher,
  );
  const server: TestServer = await testServer({ observe: watcher.request, driver: watchedDriver(openNodeSqlite(':memory:'), watcher), log, ...calls });
  after(() => server.close());
  return { ...server, calls, watcher, exporter, lines, sent };
}

const attribute = (span: Wire | undefined, name: string) => {
  const value = span?.attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
};
const incoming = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('a request, its statements and what it was are sent as one trace below the one it came with', async () => {
  const { endpoint, received, spans } = await receiver();
  const { request, addServer, addClient, exporter } = await traced({
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=k1',
    OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=house',
  });
  await addServer();
  const metadata = { grantTypes: ['client_credentials'], scope: 'files:read', redirectUris: [] };
  const { id } = await addClient({ secret: 'canary-secret', defaultResource: 'https://mcp.example.com/mcp', metadata });

  const headers = { Authorization: `Basic ${btoa(`${id}:canary-secret`)}`, traceparent: incoming };
  const answer = await request('/token?x=canary', form({ grant_type: 'client_credentials' }, headers));
  await exporter.close();

  assert.equal(answer.status, 200);
  assert.deepEqual([received[0]?.path, received[0]?.headers['content-type'], received[0]?.headers['api-key']], ['/v1/traces', 'application/json', 'k1']);
  assert.deepEqual(received[0]?.resource, { 'service.name': 'auth-agent', 'service.namespace': 'house' });
  const root = spans().find(({ kind }) => kind === 2);
  assert.deepEqual([root?.name, root?.traceId, root?.parentSpanId, root?.status], ['POST /token', '4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', {}]);
  assert.deepEqual(
    ['http.request.method', 'http.route', 'http.response.status_code', 'auth_agent.grant_type'].map((name) => attribute(root, name)),
    ['POST', '/token', '200', 'client_credentials'],
  );
  assert.match(attribute(root, 'auth_agent.request_id') ?? '', /^req_/);
  const statements = spans().filter(({ kind }) => kind === 3);
  assert.ok(statements.length >= 1);
  for (const span of statements) {
    assert.deepEqual([span.traceId, span.parentSpanId, attribute(span, 'db.system.name')], [root?.traceId, root?.spanId, 'sqlite']);
    assert.match(span.name, /^(select|insert|update|delete) [a-z_]+/);
  }
  for (const span of spans()) assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano) && span.startTimeUnixNano.length === 19);
  assert.doesNotMatch(received.map(({ text }) => text).join(), /canary/);
});

test('the log names the trace that a line belongs to', async () => {
  const { endpoint, spans } = await receiver();
  const { request, exporter, lines } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });

  await request('/token', form({ grant_type: 'nothing' }, { traceparent: incoming }));
  await request('/token', form({ grant_type: 'nothing' }, { traceparent: 'canary' }));
  await exporter.close();

  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, string>);
  assert.equal(first?.trace_id, '4bf92f3577b34da6a3ce929d0e0e4736');
  const own = spans().find(({ spanId }) => spanId === second?.span_id);
  assert.deepEqual([own?.traceId, own?.parentSpanId], [second?.trace_id, undefined]);
  assert.equal(attribute(own, 'auth_agent.outcome'), 'unsupported_grant_type');
});

test('a trace goes along to upstreams that an operator listed, and to no stranger', async () => {
  const { endpoint, spans } = await receiver();
  const { watcher, calls, sent, exporter } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  const exchange = { request: new Request('https://auth.example.com/', { headers: { traceparent: incoming } }), address: '', requestId: 'req_1', params: {} };

  await watcher.request(exchange, '/login/upstream', async () => {
    await calls.fetchUpstream?.('https://login.example/token?canary', { method: 'POST', headers: { accept: 'x' }, privateNetwork: false });
    await calls.fetchDocument?.('https://client.example/canary').catch(() => undefined);
    return { status: 200, headers: {}, body: null };
  });
  await exporter.close();

  const [upstream, document] = ['call upstream', 'call document'].map((name) => spans().find((span) => span.name === name));
  assert.deepEqual(sent, [{ accept: 'x', traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-${upstream?.spanId}-01` }]);
  assert.deepEqual([attribute(upstream, 'server.address'), attribute(document, 'server.address')], ['login.example', 'client.example']);
  assert.deepEqual([document?.status.code, attribute(document, 'error.type')], [2, 'TypeError']);
  assert.doesNotMatch(JSON.stringify(spans()), /canary/);
});

test('what is not sampled is not sent, and says so to whoever it calls', async () => {
  const { endpoint, received } = await receiver();
  const { request, calls, sent, watcher, exporter } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER: 'always_off' });

  await request('/health', { headers: { traceparent: incoming } });
  await watcher.maintenance(async () => {
    await calls.fetchUpstream?.('https://login.example/', { method: 'GET', headers: {}, privateNetwork: false });
    return {};
  });
  await exporter.close();

  assert.equal(received.length, 0);
  assert.match(sent[0]?.traceparent ?? '', /-00$/);
});

test('a receiver that fails is asked again, nothing is lost before the queue is full, and the log says so without its address', async () => {
  const { endpoint, received, spans } = await receiver([503]);
  const { request, exporter, lines } = await traced({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/canary`,
    OTEL_BSP_SCHEDULE_DELAY: '1',
    OTEL_BSP_MAX_QUEUE_SIZE: '3',
  });

  for (let count = 0; count < 5; count += 1) await request('/nothing');
  while (received.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await exporter.close();

  assert.ok(spans().filter(({ name }) => name === 'GET').length >= 4, 'the first spans came twice');
  const warned = lines.find((line) => line.includes('traces.not_sent'));
  assert.match(warned ?? '', /the receiver answered 503/);
  assert.doesNotMatch(warned ?? '', /canary|127\.0\.0\.1/);
});

test('a batch that the receiver refuses for good is dropped and counted, and what comes after it is sent', async () => {
  const { endpoint, received } = await receiver([413, 429]);
  const { exporter, lines } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '1' });
  const span = (name: string) => ({ traceId: 'a', spanId: 'b', name, kind: 'internal', startedAt: 1, endedAt: 2, attributes: {}, failed: false }) as const;
  const warned = () => lines.filter((line) => line.includes('traces.not_sent')).map((line) => JSON.parse(line) as Record<string, unknown>);
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve));
  };

  exporter.add(span('too large'));
  await until(() => warned().length === 1);
  exporter.add(span('too early'));
  await until(() => received.length === 3);
  await exporter.close();

  assert.deepEqual(
    received.map(({ spans }) => spans.map(({ name }) => name)),
    [['too large'], ['too early'], ['too early']],
  );
  assert.deepEqual(
    warned().map(({ reason, waiting, dropped }) => [reason, waiting, dropped]),
    [
      ['the receiver answered 413', 0, 1],
      ['the receiver answered 429', 1, 0],
    ],
  );
});

test('a receiver that is not there holds nothing up and loses nothing but spans', async () => {
  const { request, exporter, lines } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_BSP_MAX_QUEUE_SIZE: '2' });

  for (let count = 0; count < 5; count += 1) assert.equal((await request('/health')).status, 200);
  await exporter.close();

  const warned = JSON.parse(lines.find((line) => line.includes('traces.not_sent')) ?? '{}') as Record<string, unknown>;
  assert.deepEqual([warned.waiting, warned.dropped], [2, 3]);
});

test('housekeeping is a trace of its own; statements that belong to nothing are none', async () => {
  const { endpoint, spans } = await receiver();
  const { watcher, server, exporter } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });

  await server.storage.ping();
  await watcher.maintenance(() => server.maintain());
  await exporter.close();

  const root = spans().find(({ name }) => name === 'maintenance');
  assert.ok(spans().length > 1);
  for (const span of spans()) assert.equal(span.traceId, root?.traceId);
});
