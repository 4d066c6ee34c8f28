/** The self-check of the example holds, from its first line to its last. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openFolder } from './folder.ts';

test('[RS-13] [RS-16] the example signs a person in, steps up twice and ends with 401 after Disconnect', async () => {
  const program = new URL('./check.ts', import.meta.url).pathname;

  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--conditions=aa-source', program]);

  assert.equal(stderr, '');
  assert.equal(stdout.match(/^ ?\d+ ✓ /gm)?.length, 11);
  assert.match(stdout, /asked for files:write only/);
  assert.match(stdout, /11 ✓ the person disconnected the agent, and its next call is told 401\n$/);
});

test('a name cannot leave the folder', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'files-'));
  t.after(() => rm(path, { recursive: true }));
  const folder = await openFolder(path);

  for (const name of ['', '.', '..', '../x', 'a/b', 'a\\b', '/etc/passwd', '.env', 'a..b', 'a\0b', 'x'.repeat(101)]) {
    assert.throws(() => folder.read(name), /A file name has/);
    assert.throws(() => folder.write(name, ''), /A file name has/);
    assert.throws(() => folder.remove(name), /A file name has/);
  }
  await assert.rejects(folder.read('none.txt'), { message: 'There is no such file' });
});
