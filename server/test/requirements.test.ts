/** Proves the table of requirements: its ids, and that tests and claims speak of the same rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Requirement, requirements } from './requirements.ts';
import { citationsIn, citationsInPython, judge, proofs, readCitations } from './requirements-check.ts';

const root = new URL('../..', import.meta.url).pathname;
const must = (id: string, by?: string[]): Requirement => ({ id, level: 'MUST', text: 'A sentence.', status: 'claimed', by });

test('every requirement has an id of its own and one sentence', () => {
  const ids = requirements.map((row) => row.id);

  assert.equal(new Set(ids).size, ids.length);
  for (const row of requirements) assert.match(row.text, /^\S.*\.$/, row.id);
});

test('a decision names rows that exist and are claimed', () => {
  const claimed = new Set(requirements.filter((row) => row.status === 'claimed').map((row) => row.id));

  for (const row of requirements) for (const name of row.by ?? []) assert.ok(claimed.has(name), `${row.id} rests on ${name}`);
});

test('ids count at the front of a title, and not in a skipped test', () => {
  const source = ["test('[AZ-01] [D1] a title', () => {});", "test.skip('[AZ-02] not yet', () => {});", "const text = 'see [AZ-03]';"].join('\n');

  assert.deepEqual(citationsIn(source), ['AZ-01', 'D1']);
});

test('ids count at the front of the docstring of a Python test, and not in one that may be left out', () => {
  const source = [
    '"""[PY-01] A module."""',
    '@pytest.mark.parametrize("x", ["y"])\nasync def test_a(\n    x: str,\n) -> None:\n    """[PY-02] [PY-03] says what"""',
    'class TestB:\n    """[PY-04]"""',
    '    def test_b(self) -> None:\n        """[PY-05]"""',
    '@pytest.mark.skipif(old, reason="old")\ndef test_c() -> None:\n    """[PY-06]"""',
    'def test_d() -> None:\n    """see [PY-07]"""',
    'def helper() -> None:\n    """[PY-08]"""',
  ].join('\n\n');

  assert.deepEqual(citationsInPython(source), ['PY-02', 'PY-03', 'PY-05']);
});

test('a claimed MUST without a test and an unknown id are found', () => {
  const verdict = judge(
    [must('AZ-01'), must('AZ-02')],
    new Map([
      ['AZ-01', new Set(['a.test.ts'])],
      ['AZ-99', new Set(['b.test.ts'])],
    ]),
  );

  assert.deepEqual(
    verdict.unproven.map((row) => row.id),
    ['AZ-02'],
  );
  assert.deepEqual(verdict.unknown, [{ id: 'AZ-99', files: ['b.test.ts'] }]);
});

test('a decision is proven when every row that carries it out is', () => {
  const citations = new Map([['AZ-01', new Set(['a.test.ts'])]]);

  assert.deepEqual(proofs(must('D1', ['AZ-01']), citations), ['a.test.ts']);
  assert.deepEqual(proofs(must('D1', ['AZ-01', 'AZ-02']), citations), []);
});

test('every claimed MUST is cited by a test', async () => {
  const { unproven } = judge(requirements, await readCitations(root));

  assert.deepEqual(
    unproven.map((row) => row.id),
    [],
  );
});

test('no test cites an id that does not exist', async () => {
  assert.deepEqual(judge(requirements, await readCitations(root)).unknown, []);
});
