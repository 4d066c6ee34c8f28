import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { comparedLength, differenceOf, likelyMistake, type Run } from './difference.ts';

const whole = (runs: Run[]) => runs.map(({ text }) => text).join('');
const marked = (runs: Run[]) => runs.filter(({ same }) => !same).map(({ text }) => text);

test('a slash too many, another letter and another port are each marked alone', () => {
  assert.deepEqual(marked(differenceOf('https://a.example/mcp/', 'https://a.example/mcp').asked), ['/']);
  assert.deepEqual(marked(differenceOf('https://a.example/mcp', 'https://a.example/Mcp').known), ['M']);
  assert.deepEqual(marked(differenceOf('http://localhost:3000/cb', 'http://localhost:3001/cb').asked), ['0']);
});

test('each side keeps its whole text, and both have the same in common', () => {
  const address = fc.string({ maxLength: 40, unit: fc.constantFrom(...'ab/:.?') });
  fc.assert(
    fc.property(address, address, (asked, known) => {
      const difference = differenceOf(asked, known);

      assert.equal(whole(difference.asked), asked);
      assert.equal(whole(difference.known), known);
      const common = (runs: Run[]) => whole(runs.filter(({ same }) => same));
      assert.equal(common(difference.asked), common(difference.known));
    }),
  );
});

test('a text of any length is cut before it is compared', () => {
  const { asked, known } = differenceOf('a'.repeat(100_000), 'b'.repeat(100_000));

  assert.deepEqual([whole(asked).length, whole(known).length], [comparedLength, comparedLength]);
});

test('the registered address that is meant is the one that shares most', () => {
  const registered = ['https://a.example/other', 'https://a.example/callback', 'https://b.example/callback'];

  assert.equal(whole(likelyMistake('https://a.example/callback/', registered)?.known ?? []), 'https://a.example/callback');
  assert.equal(likelyMistake('https://a.example/callback', []), undefined);
});

test('an address that is quite another is not laid over any', () => {
  assert.equal(likelyMistake('https://app.agent-hub.example.net/cb', ['http://localhost/callback']), undefined);
});
