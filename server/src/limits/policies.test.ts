import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { limitNames, nodePolicies, readLimitChanges, sharedPolicies } from './policies.ts';

test('limits are changed by name: how many in which time, or off', () => {
  assert.deepEqual(readLimitChanges(['authorize.address=1200/15m', ' token.client = 5/s ', 'mail=10/2h', 'register=1/7d', 'keys=off']), {
    'authorize.address': { limit: 1200, periodSeconds: 900 },
    'token.client': { limit: 5, periodSeconds: 1 },
    mail: { limit: 10, periodSeconds: 7200 },
    register: { limit: 1, periodSeconds: 604_800 },
    keys: 'off',
  });
});

test('what is no limit is refused with the names there are, and what is no number with an example', () => {
  assert.throws(() => readLimitChanges(['authorise=1/1m']), /knows no limit "authorise"; there are authorize\.address, /);
  for (const wrong of ['mail', 'mail=', 'mail=0/1m', 'mail=-1/1m', 'mail=1', 'mail=1/0s', 'mail=1/8d', 'mail=1/1y', 'mail=1e3/1m', 'mail=OFF', 'mail=1/1m=2'])
    assert.throws(() => readLimitChanges([wrong]), /mail=600\/15m/, wrong);
});

test('whatever is written, it is read as a limit within bounds or refused', () => {
  const entry = fc.oneof(
    fc.string(),
    fc.tuple(fc.constantFrom(...limitNames, 'toString'), fc.string()).map((parts) => parts.join('=')),
  );
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      try {
        for (const changed of Object.values(readLimitChanges(entries)))
          if (changed !== 'off') assert.ok(changed.limit >= 1 && changed.periodSeconds >= 1 && changed.periodSeconds <= 604_800);
      } catch (error) {
        assert.ok(error instanceof TypeError, String(error));
      }
    }),
  );
});

test('the manual lists every limit with its default', () => {
  const manual = readFileSync(new URL('../../../docs/limits.md', import.meta.url), 'utf8');
  const period = (seconds: number) => (seconds % 3600 === 0 ? `${seconds / 3600}h` : seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`);

  const rows = Object.entries({ ...sharedPolicies, ...nodePolicies }).map(
    ([name, { limit, periodSeconds, about }]) => `| \`${name}\` | ${limit}/${period(periodSeconds)} | ${about} |`,
  );

  assert.deepEqual(
    manual.split('\n').filter((line) => /^\| `[a-z.-]+` \|/.test(line)),
    rows,
  );
});
