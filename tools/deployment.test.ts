/**
 * What DEPLOYMENT.md hands to an operator, as far as it can be proven without docker and systemd: every file, setting and command that it names is there.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commands } from '../cli/src/commands/index.ts';
import { settings, variableOf } from '../server/src/runtimes/node.ts';

const root = new URL('..', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const files = ['DEPLOYMENT.md', 'Dockerfile', 'compose.yaml', 'deploy/auth-agent.service', 'workers/wrangler.toml'];
const known = settings.flatMap(({ name }) => [variableOf(name), `${variableOf(name)}_FILE`]);

for (const file of files)
  test(`every setting in ${file} is one`, () => {
    const named = read(file).match(/AUTH_AGENT_[A-Z_]+/g) ?? [];
    assert.ok(named.length > 0);
    for (const name of named) assert.ok(known.includes(name), name);
  });

test('every command in DEPLOYMENT.md is one', () => {
  const named = [...read('DEPLOYMENT.md').matchAll(/`auth-agent ([a-z-]+(?: [a-z-]+)?)/g)].map(([, words = '']) => words);
  assert.ok(named.length > 8);
  for (const words of named)
    assert.ok(
      commands.some(({ name }) => words === name || words.startsWith(`${name} `)),
      words,
    );
});

test('every file that DEPLOYMENT.md and the units name is there', () => {
  const text = files.map(read).join('\n');
  const named = text.match(/\b(deploy|docs|supabase|workers|cli|bench)\/[\w./-]*\w/g) ?? [];
  assert.ok(named.length > 8);
  // What is built has a source.
  const sourceOf = (path: string) => path.replace(/\/dist(?=\/|$)/, '/src').replace(/\.js$/, '.ts');
  for (const path of named) assert.ok(existsSync(new URL(sourceOf(path), root)), path);
});

test('compose hands every setting of .env to the server, and the guide makes that file readable by its owner only', () => {
  const compose = read('compose.yaml');
  for (const service of ['migrate', 'auth-agent']) assert.match(compose, new RegExp(`\\n  ${service}:\\n(?:    .*\\n)*?    env_file: .env\\n`), service);

  assert.match(read('DEPLOYMENT.md'), /\ninstall -m 600 \/dev\/null \.env && cat > \.env <</);
});

test('the wrapper runs the command line as the unit runs the server, and every word arrives as it was typed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-agent-wrapper-'));
  const stub = (name: string, script: string) => writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  stub('id', 'echo 0');
  stub('systemd-run', `printf '%s\\0' "$@"`);
  const typed = ['users', 'add', 'a $HOME $$ "c"', "it's"];
  const handed = spawnSync(new URL('../deploy/auth-agent', import.meta.url).pathname, typed, {
    env: { PATH: `${folder}:${process.env.PATH}` },
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  const words = handed.stdout.split('\0').slice(0, -1);
  const begins = words.indexOf('--') + 1;
  const unit = read('deploy/auth-agent.service').split('\n');

  const properties = words.slice(0, begins).flatMap((word) => /^--property=(.+)$/.exec(word)?.[1] ?? []);
  assert.ok(properties.length > 5);
  // The unit has no User: its name is that of its user.
  for (const property of properties) assert.ok(property === 'User=auth-agent' || unit.includes(property), property);

  // What systemd.service(5) does to the words of a command.
  const [shell = '', ...rest] = words.slice(begins).map((word) => word.replaceAll('$$', '$'));
  const [option = '', script = '', name = '', node = '', program = '', ...arrived] = rest;
  for (const path of [node, program]) assert.ok(unit.find((line) => line.startsWith('ExecStart='))?.includes(path), path);
  const echo = [process.execPath, '-e', 'console.log(JSON.stringify([process.env.AUTH_AGENT_SECRET_FILE, process.argv.slice(1)]))', '--'];
  const ran = spawnSync(shell, [option, script, name, ...echo, ...arrived], { env: { CREDENTIALS_DIRECTORY: '/run/credentials/x' }, encoding: 'utf8' });
  assert.deepEqual(JSON.parse(ran.stdout), ['/run/credentials/x/secret', typed]);
});

test('the image is made from files that exist and that its context lets through', () => {
  const through = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) => sources.split(' '));
  assert.ok(copied.length > 6);
  for (const path of copied) {
    assert.ok(existsSync(new URL(path, root)), path);
    assert.ok(
      through.some((one) => path === one || path.startsWith(`${one}/`)),
      `${path} is not in the context`,
    );
  }
});
