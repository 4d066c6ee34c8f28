/** What npm would publish: `npm pack` of each package, without writing one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { root } from './documents/read.ts';

type Packed = { files: { path: string }[] };

for (const name of ['server', 'sdk/typescript', 'cli']) {
  test(`the package of ${name} comes with its licence and a readme, and without tests`, () => {
    const said = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '-w', name], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [packed] = Object.values(JSON.parse(said) as Packed[] | Record<string, Packed>);

    const files = packed?.files.map(({ path }) => path) ?? [];

    assert.deepEqual(
      files.filter((path) => path === 'LICENSE' || path === 'README.md'),
      ['LICENSE', 'README.md'],
    );
    assert.deepEqual(
      files.filter((path) => /\.test\.[jt]s$/.test(path)),
      [],
    );
  });
}
