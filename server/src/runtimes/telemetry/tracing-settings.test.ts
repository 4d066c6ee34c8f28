import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readTraceparent, traceparent } from './trace-context.ts';
import { type TracingSettings, tracingSettings } from './tracing-settings.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

function read(env: Record<string, string | undefined>): { settings: TracingSettings | undefined; warnings: string[] } {
  const warnings: string[] = [];
  return { settings: tracingSettings(env, warnings), warnings };
}

test('tracing is off until an endpoint is named, and when it is switched off by any of the standard ways', () => {
  for (const env of [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' },
    { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
    { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' },
  ])
    assert.deepEqual(read(env), { settings: undefined, warnings: [] });
});

test('the endpoint of all signals gets the path of traces, the endpoint of traces is taken as it is', () => {
  assert.equal(read(endpoint).settings?.endpoint, 'http://collector:4318/v1/traces');
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.example/otlp/' }).settings?.endpoint, 'https://c.example/otlp/v1/traces');
  assert.equal(read({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://c.example/in' }).settings?.endpoint, 'https://c.example/in');
});

test('names, attributes and headers are read as the standard writes them', () => {
  const { settings, warnings } = read({
    ...endpoint,
    OTEL_SERVICE_NAME: 'auth',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other, deployment.environment.name=a%2Cb',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret%20one,x=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x=2',
    OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    OTEL_BSP_SCHEDULE_DELAY: '10',
  });

  assert.deepEqual(settings?.resource, { 'service.name': 'auth', 'deployment.environment.name': 'a,b' });
  assert.deepEqual(settings?.headers, { 'api-key': 'secret one', x: '2' });
  assert.deepEqual([settings?.timeoutMs, settings?.batch.delayMs, warnings], [500, 10, []]);
});

test('what cannot be used is a warning that does not repeat it', () => {
  for (const env of [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'canary' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://user:canary@collector' },
    { ...endpoint, OTEL_TRACES_EXPORTER: 'canary' },
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' },
    { ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'canary' },
    { ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 'key=canary%' },
    { ...endpoint, OTEL_TRACES_SAMPLER: 'canary' },
    { ...endpoint, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: 'canary' },
    { ...endpoint, OTEL_BSP_MAX_QUEUE_SIZE: '-canary' },
  ]) {
    const { warnings } = read(env);
    assert.equal(warnings.length, 1, JSON.stringify(env));
    assert.match(warnings[0] ?? '', /OTEL_|http\/json/);
    assert.doesNotMatch(warnings[0] ?? '', /canary/);
  }
  assert.equal(read({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }).settings, undefined);
});

test('samplers decide as their names say', () => {
  const parent = (sampled: boolean) => ({ traceId, spanId: '00f067aa0ba902b7', sampled });
  const decides = (name: string, argument = '', ...given: [string, ReturnType<typeof parent>?]) =>
    read({ ...endpoint, OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument }).settings?.sampler(...(given as [string, ReturnType<typeof parent>]));
  const [low, high] = [`${'0'.repeat(31)}1`, 'f'.repeat(32)];

  assert.deepEqual([decides('always_on', '', low, parent(false)), decides('always_off', '', high, parent(true))], [true, false]);
  assert.deepEqual(
    [decides('traceidratio', '0.5', low), decides('traceidratio', '0.5', high), decides('traceidratio', '0', high), decides('traceidratio', '1', low)],
    [false, true, false, true],
  );
  assert.deepEqual([decides('parentbased_traceidratio', '0', high, parent(true)), decides('parentbased_traceidratio', '1', low, parent(false))], [true, false]);
  assert.deepEqual([decides('', '', low), decides('', '', low, parent(false))], [true, false]);
});

test('traceparent is read as it is written, and what is none begins a trace of its own', () => {
  const id = fc.stringMatching(/^[0-9a-f]{31}[1-9a-f]$/);
  fc.assert(
    fc.property(id, fc.stringMatching(/^[0-9a-f]{15}[1-9a-f]$/), fc.boolean(), (trace, spanId, sampled) => {
      const span = { traceId: trace, spanId, sampled };
      assert.deepEqual(readTraceparent(traceparent(span)), span);
    }),
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.equal(readTraceparent(text), undefined)));
  const rest = `${traceId}-00f067aa0ba902b7`;
  for (const none of [
    null,
    '',
    `00-${rest}`,
    `ff-${rest}-01`,
    `00-${rest}-01-x`,
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${rest.toUpperCase()}-01`,
  ])
    assert.equal(readTraceparent(none), undefined, String(none));
  assert.equal(readTraceparent(`cc-${rest}-03-what-comes-later`)?.sampled, true);
});
