import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OAuthError } from '../../errors.ts';
import { checkResource, narrowScope } from './narrow.ts';

test('[TOK-07] [RT-06] the granted resource is accepted in every canonical spelling, and no other', () => {
  checkResource([], 'https://h.example.com');
  checkResource(['https://h.example.com', 'https://H.example.com/', 'HTTPS://h.example.com:443'], 'https://h.example.com');
  for (const other of ['https://h.example.com/mcp', 'http://h.example.com', 'https://h.example.com#', '', 'x'])
    assert.throws(() => checkResource(['https://h.example.com', other], 'https://h.example.com'), { code: 'invalid_target' });
});

test('[RT-05] what is asked is a subset of what was granted, or invalid_scope; nothing asked is everything', () => {
  const granted = ['a', 'b', 'c'];
  const scope = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'A', 'a ', '')).map((list) => list.join(' '));

  assert.deepEqual(narrowScope(undefined, granted), granted);
  fc.assert(
    fc.property(scope, (asked) => {
      try {
        assert.ok(narrowScope(asked, granted).every((one) => granted.includes(one)));
      } catch (error) {
        assert.ok(error instanceof OAuthError && error.code === 'invalid_scope');
        assert.match(asked, /[dA]/);
      }
    }),
  );
});
