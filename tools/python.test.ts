/**
 * The Python examples hold: `uv run pytest tests/test_oauth_servers.py -v` as their documents print it, and the tests of the file server. Without Python, uv or
 * their packages it is skipped with the reason; in CI that is a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pythonMissing, uv } from './python-environment.ts';

for (const file of ['tests/test_oauth_servers.py', 'tests/test_filesystem_server.py'])
  test(`uv run pytest ${file} -v`, (t) => {
    const missing = pythonMissing();
    if (missing && process.env.CI !== 'true') return t.skip(missing);
    assert.equal(missing, undefined);

    const { status, stdout, stderr } = uv('run', 'pytest', file, '-v');

    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /\d+ passed in /);
    assert.doesNotMatch(stdout, /\d+ (skipped|xfailed)/);
  });
