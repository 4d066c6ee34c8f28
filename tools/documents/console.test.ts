import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asThisTime } from './console.ts';

test('a port that begins like one of the document is not replaced again', () => {
  const bindings = new Map([
    ['localhost:9000', 'localhost:40004'],
    ['localhost:4000', 'localhost:51111'],
  ]);
  assert.equal(asThisTime('curl localhost:9000 localhost:4000 localhost:40009', bindings), 'curl localhost:40004 localhost:51111 localhost:40009');
});

test('a key that begins with an id is replaced whole', () => {
  const bindings = new Map([
    ['srv_1', 'srv_9'],
    ['srv_1_secret', 'srv_9_other'],
  ]);
  assert.equal(asThisTime('srv_1 srv_1_secret', bindings), 'srv_9 srv_9_other');
});
