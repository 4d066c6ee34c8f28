import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { form, type TestServer, testServer } from '../../../test/harness.ts';
import { type Family, metric, readPrometheusText } from '../../../test/prometheus-text.ts';
import { errorCodes } from '../../errors.ts';
import { nodePolicies, sharedPolicies } from '../../limits/policies.ts';
import { routes } from '../../server.ts';
import { StorageUnavailable } from '../../storage/driver.ts';
import { openNodeSqlite } from '../../storage/drivers/node-sqlite.ts';
import { grantTypes } from '../../token/grants/index.ts';
import { StartRefused } from '../start-refused.ts';
import { families, type Metrics, metrics } from './metrics.ts';
import { openMetricsPort } from './metrics-port.ts';
import { watchedCalls, watchedDriver } from './watch.ts';

const made: Metrics[] = [];
after(() => {
  for (const one of made) one.close();
});

function newMetrics(now?: () => number): Metrics {
  const counted = metrics({ version: '1.2.3', runtime: 'node 24', database: 'sqlite' }, now);
  made.push(counted);
  return counted;
}

async function measured(): Promise<TestServer & { read(): Map<string, Family>; counted: Metrics }> {
  const counted = newMetrics();
  const server = await testServer({ observe: counted.request, driver: watchedDriver(openNodeSqlite(':memory:'), counted) });
  after(() => server.close());
  return { ...server, counted, read: () => readPrometheusText(counted.text()) };
}

const basic = (id: string, secret: string) => ({ Authorization: `Basic ${btoa(`${id}:${secret}`)}` });

test('a token request is counted by its grant type and how it ended', async () => {
  const { request, addServer, addClient, read } = await measured();
  await addServer();
  const { id } = await addClient({
    secret: 'secret',
    defaultResource: 'https://mcp.example.com/mcp',
    metadata: { grantTypes: ['client_credentials'], scope: 'files:read', redirectUris: [] },
  });
  const ask = { grant_type: 'client_credentials', resource: 'https://mcp.example.com/mcp', scope: 'files:read' };

  await request('/token', form(ask, basic(id, 'secret')));
  await request('/oauth/token', form(ask, basic(id, 'wrong')));
  await request('/token', form({ grant_type: 'sk_made up' }));
  await request('/token', form({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'nobody' }));

  const counted = (grant: string, outcome: string) => metric(read(), 'auth_agent_token_requests_total', { grant, outcome });
  assert.deepEqual(
    [
      counted('client_credentials', 'ok'),
      counted('client_credentials', 'invalid_client'),
      counted('other', 'unsupported_grant_type'),
      counted('refresh_token', 'invalid_client'),
    ],
    [1, 1, 1, 1],
  );
  const requests = { route: '/token', method: 'POST', status: '2xx' };
  assert.equal(metric(read(), 'auth_agent_http_request_duration_seconds_count', requests), 1);
  assert.equal(metric(read(), 'auth_agent_errors_total', { code: 'invalid_client' }), 2);
});

test('an introspection is counted as active, inactive or by its error', async () => {
  const { request, addServer, addClient, read } = await measured();
  await addServer();
  const { id } = await addClient({
    secret: 'secret',
    defaultResource: 'https://mcp.example.com/mcp',
    metadata: { grantTypes: ['client_credentials'], scope: 'files:read', redirectUris: [] },
  });
  const granted = await request(
    '/token',
    form({ grant_type: 'client_credentials', resource: 'https://mcp.example.com/mcp', scope: 'files:read' }, basic(id, 'secret')),
  );
  const { access_token: token } = (await granted.json()) as { access_token: string };

  await request('/introspect', form({ token }, basic(id, 'secret')));
  await request('/introspect', form({ token: 'unknown' }, basic(id, 'secret')));
  await request('/introspect', form({ token }));

  const counted = (outcome: string) => metric(read(), 'auth_agent_introspection_requests_total', { outcome });
  assert.deepEqual([counted('active'), counted('inactive'), counted('invalid_client')], [1, 1, 1]);
});

test('what a limit refuses is counted by the name of the limit', async () => {
  const counted = newMetrics();
  const server = await testServer({ observe: counted.request, limits: ['authorize.address=1/1h'] });
  after(() => server.close());

  for (let count = 0; count < 3; count += 1) await server.request('/authorize?client_id=x');

  assert.equal(metric(readPrometheusText(counted.text()), 'auth_agent_limited_requests_total', { limit: 'authorize.address' }), 2);
});

test('whatever strangers send, labels hold names of our tables only', async () => {
  const { server, read, addUser } = await measured();
  // Without anybody the pages say 503.
  await addUser();
  const word = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('sk_DqBNe6Sj4DsX_PcOzdGBb3gm', '..%2f', '%', 'token', 'a'.repeat(9000)));
  const path = fc.oneof(
    fc.constantFrom(...routes.map((route) => route.path)),
    word.map((text) => `/${encodeURIComponent(text)}`),
    word.map((text) => `/t/${encodeURIComponent(text)}/token`),
    word.map((text) => `/docs/errors/${encodeURIComponent(text)}`),
    word.map((text) => `/token?${encodeURIComponent(text)}`),
  );
  const method = fc.oneof(fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'M-SEARCH'), fc.stringMatching(/^[A-Z]{1,12}$/));
  await fc.assert(
    fc.asyncProperty(path, method, word, word, async (where, how, grant, header) => {
      const body = new URLSearchParams({ grant_type: grant, decision: grant, token: header }).toString();
      const headers = new Headers({
        'content-type': 'application/x-www-form-urlencoded',
        'x-http-method-override': 'POST',
        traceparent: encodeURIComponent(header).slice(0, 200),
      });
      const request = { method: how, url: `https://auth.example.com${where}`, headers, body: new Response(body).body, text: async () => body };
      const reply = await server.answer(request, { address: '203.0.113.7' });
      assert.ok(reply.status < 500, `${how} ${where}`);
    }),
    { numRuns: 200 },
  );

  const known: Record<string, Set<string>> = {
    route: new Set([...routes.map((route) => route.path), 'other']),
    method: new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other']),
    status: new Set(['2xx', '3xx', '4xx', '5xx']),
    code: new Set([...Object.keys(errorCodes), 'other']),
    grant: new Set([...grantTypes.map(({ name }) => name), 'other']),
    outcome: new Set([...Object.keys(errorCodes), 'ok', 'failed', 'active', 'inactive', 'other']),
    operation: new Set(['read', 'write']),
    limit: new Set([...Object.keys(sharedPolicies), ...Object.keys(nodePolicies), 'guesses']),
  };
  for (const { samples } of read().values())
    for (const { labels } of samples)
      for (const [label, value] of Object.entries(labels))
        if (!['le', 'version', 'runtime', 'database'].includes(label)) assert.ok(known[label]?.has(value), `${label}="${value}"`);
});

test('the text keeps the rules of Prometheus, and every metric of ours is in it', async () => {
  const { request, read } = await measured();
  await request('/health');

  const found = read();

  for (const { name, type } of Object.values(families)) assert.equal(found.get(name)?.type, type, name);
  assert.equal(metric(found, 'auth_agent_build_info', { version: '1.2.3', database: 'sqlite' }), 1);
  assert.equal(metric(found, 'auth_agent_http_requests_in_flight'), 0);
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
    'nodejs_eventloop_lag_p99_seconds',
    'process_start_time_seconds',
  ])
    assert.ok((metric(found, name) ?? -1) >= 0, name);
});

test('requests in flight go up and down, also when one fails', async () => {
  const counted = newMetrics();
  const reading = () => metric(readPrometheusText(counted.text()), 'auth_agent_http_requests_in_flight');
  const exchange = { request: new Request('https://auth.example.com/health'), address: '', requestId: '', params: {} };
  let end: (status: number) => void = () => {};
  const reply = counted.request(
    exchange,
    '/health',
    () =>
      new Promise((resolve) => {
        end = (status) => resolve({ status, headers: {}, body: null });
      }),
  );
  assert.equal(reading(), 1);

  end(200);
  await reply;

  assert.equal(reading(), 0);
  await assert.rejects(async () => counted.request(exchange, '/health', () => Promise.reject(new Error('gone'))));
  assert.throws(() =>
    counted.request(exchange, '/health', () => {
      throw new Error('gone');
    }),
  );
  assert.equal(reading(), 0);
  assert.equal(metric(readPrometheusText(counted.text()), 'auth_agent_http_request_duration_seconds_count', { status: '5xx' }), 2);
});

test('times are those of the clock, for requests, statements, calls and housekeeping', async () => {
  let time = 1000;
  const counted = newMetrics(() => time);
  const takes = (milliseconds: number) => async () => {
    time += milliseconds;
    return { status: 200, headers: {}, body: new Uint8Array() };
  };
  const calls = watchedCalls({ fetchDocument: takes(300), postForm: async () => ({ status: 500 }), sendMail: async () => 'refused' }, counted);

  await calls.fetchDocument?.('https://client.example/metadata?secret=sk_1');
  await calls.postForm?.('https://client.example/logout', '');
  await calls.sendMail?.({ to: '', senderName: '', subject: '', text: '', html: '', messageId: '' });
  await counted.store([], 'read', takes(2));
  await assert.rejects(counted.store([], 'write', () => Promise.reject(new StorageUnavailable('away'))));
  const firstKeyEndsAt = 1_800_000_000;
  await counted.maintenance(async () => ({ firstKeyEndsAt }));

  const found = readPrometheusText(counted.text());
  assert.equal(metric(found, 'auth_agent_outgoing_call_duration_seconds_sum', { kind: 'document', outcome: 'ok' }), 0.3);
  assert.equal(metric(found, 'auth_agent_outgoing_call_duration_seconds_count', { kind: 'logout', outcome: 'failed' }), 1);
  assert.equal(metric(found, 'auth_agent_outgoing_call_duration_seconds_count', { kind: 'mail', outcome: 'failed' }), 1);
  assert.equal(metric(found, 'auth_agent_store_operation_duration_seconds_bucket', { operation: 'read', le: '0.0025' }), 1);
  assert.equal(metric(found, 'auth_agent_store_operation_duration_seconds_count', { operation: 'write', outcome: 'failed' }), 1);
  assert.equal(metric(found, 'auth_agent_maintenance_runs_total', { outcome: 'ok' }), 1);
  assert.ok((metric(found, 'auth_agent_maintenance_last_success_timestamp_seconds') ?? 0) > 1_700_000_000);
  assert.equal(metric(found, 'auth_agent_first_key_end_timestamp_seconds'), firstKeyEndsAt);
  await counted.maintenance(async () => ({}));
  assert.equal(metric(readPrometheusText(counted.text()), 'auth_agent_first_key_end_timestamp_seconds'), 0);
});

test('the port of the metrics answers GET /metrics and nothing else', async () => {
  const counted = newMetrics();
  const opened = await openMetricsPort({ host: '127.0.0.1', port: 0 }, counted.text);
  after(opened.close);
  const base = new URL(opened.url).origin;

  const answer = await fetch(`${base}/metrics`);

  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(answer.headers.get('access-control-allow-origin'), null);
  readPrometheusText(await answer.text());
  assert.equal((await fetch(`${base}/metrics`, { method: 'POST' })).status, 405);
  for (const path of ['/', '/metrics/', '/token', '/health']) assert.equal((await fetch(base + path)).status, 404, path);
});

test('a port that is taken is refused at the start, with the setting that names it', async () => {
  const { url, close } = await openMetricsPort({ host: '127.0.0.1', port: 0 }, () => '');
  const port = Number(new URL(url).port);
  after(close);

  await assert.rejects(
    openMetricsPort({ host: '127.0.0.1', port }, () => ''),
    (error) => error instanceof StartRefused && /AUTH_AGENT_METRICS_PORT/.test(error.fix),
  );
});
