/**
 * What the Python examples need beyond Node: Python 3.11, uv, and their packages in `.venv`. Whoever tests them asks here first.
 */
import { spawnSync } from 'node:child_process';
import { root } from './documents/read.ts';

/** Installs the packages where that is possible. Answers what keeps the examples from running here, or nothing. */
export function pythonMissing(): string | undefined {
  if (spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 11))']).status !== 0) return 'python3 of 3.11 or newer is not installed';
  if (uv('--version').status !== 0) return 'uv is not installed (pip install uv)';
  const { status, stderr } = uv('sync', '--quiet');
  return status === 0 ? undefined : `the Python packages cannot be installed: ${stderr.trim()}`;
}

/** Runs uv in the root of the project. */
export function uv(...args: string[]) {
  return spawnSync('uv', args, { cwd: root, encoding: 'utf8', env: { ...process.env, UV_PYTHON_DOWNLOADS: 'never' }, timeout: 300_000 });
}
