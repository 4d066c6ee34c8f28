import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { scryptAside } from './scrypt-threads.ts';

/** RFC 7914 §12. */
const vector = () => scryptAside('password', Buffer.from('NaCl'), { N: 1024, r: 8, p: 16, length: 64 });
const expected = 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640';

test('the key is that of RFC 7914, for many at once too', async () => {
  const keys = await Promise.all(Array.from({ length: 20 }, vector));

  assert.deepEqual(new Set(keys.map((key) => key.toString('hex'))), new Set([expected]));
});

test('parameters that cannot be are an error, and whoever comes next is served', async () => {
  await assert.rejects(scryptAside('password', Buffer.from('NaCl'), { N: 1000, r: 8, p: 1, length: 64 }), /scrypt/i);

  assert.equal((await vector()).toString('hex'), expected);
});

test('the threads make way for everything else', { skip: process.platform !== 'linux' && 'threads have no priority of their own here' }, async () => {
  await vector();

  // Field 19 of proc(5): the nice value.
  const nice = readdirSync('/proc/self/task').map((thread) => Number(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]));
  assert.ok(nice.includes(10), String(nice));
});

test('a process that has hashed ends by itself', () => {
  const module = new URL('./scrypt-threads.ts', import.meta.url).href;
  const program = `import { scryptAside } from ${JSON.stringify(module)}; await scryptAside('a', Buffer.from('b'), { N: 1024, r: 8, p: 1, length: 4 }); console.log('done')`;

  assert.equal(
    execFileSync(process.execPath, ['--conditions=aa-source', '--input-type=module', '-e', program], { encoding: 'utf8', timeout: 60_000 }),
    'done\n',
  );
});
