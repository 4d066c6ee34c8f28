import assert from 'node:assert/strict';
import { test } from 'node:test';
import { literal, part, sql } from './driver.ts';

test('each name becomes one numbered parameter, in the order of its first appearance', () => {
  const statement = sql<{ tenant: string; now: number }>`select * from t where a > ${'now'} and tenant = ${'tenant'} and b > ${'now'}`;

  assert.deepEqual(statement({ tenant: 'x', now: 5 }), { text: 'select * from t where a > ?1 and tenant = ?2 and b > ?1', values: [5, 'x'] });
});

test('parts are spliced in, with their parameters, to any depth', () => {
  const lives = part<'now'>`g.ends > ${'now'}`;
  const stands = part<'now' | 'id'>`${lives} and g.id = ${'id'}`;
  const statement = sql<{ now: number; id: string }>`select ${'id'} from ${literal('grants g')} where ${stands} or ${lives}`;

  assert.deepEqual(statement({ now: 5, id: 'x' }), { text: 'select ?1 from grants g where g.ends > ?2 and g.id = ?1 or g.ends > ?2', values: ['x', 5] });
});

test('a value never becomes text', () => {
  const statement = sql<{ id: string }>`select * from t where id = ${'id'}`;

  assert.deepEqual(statement({ id: "x' or 1=1 --" }), { text: 'select * from t where id = ?1', values: ["x' or 1=1 --"] });
});
