/**
 * The Python examples hold: `uv run pytest tests/test_oauth_servers.py -v` as their documents print it, and the tests of the file server. Needs Python 3.11 and
 * uv; without them, or without their packages, it is skipped with the reason. In CI that is a failure.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { root } from './documents/read.ts';

for (const file of ['tests/test_oauth_servers.py', 'tests/test_filesystem_server.py'])
  test(`uv run pytest ${file} -v`, (t) => {
    const reason = missing();
    if (reason && process.env.CI !== 'true') return t.skip(reason);
    assert.equal(reason, undefined);

    const { status, stdout, stderr } = uv('run', 'pytest', file, '-v');

    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /\d+ passed in /);
    assert.doesNotMatch(stdout, /\d+ (skipped|xfailed)/);
  });

/** What keeps the tests from running here. */
function missing(): string | undefined {
  if (spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))']).status !== 0) return 'python3 of 3.11 or newer is not installed';
  if (uv('--version').status !== 0) return 'uv is not installed (pip install uv)';
  const { status, stderr } = uv('sync', '--quiet');
  return status === 0 ? undefined : `the Python packages cannot be installed: ${stderr.trim()}`;
}

function uv(...args: string[]) {
  return spawnSync('uv', args, { cwd: root, encoding: 'utf8', env: { ...process.env, UV_PYTHON_DOWNLOADS: 'never' }, timeout: 300_000 });
}
