/**
 * What the documents say is what happens: every command is run or at least exists, every snippet compiles and runs, every output is the real one, every link
 * leads somewhere. Not here: how documents are read (documents/read.ts) and sessions compared (documents/console.ts).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Hono } from 'hono';
import { type RunningDevelopment, type RunningServer, startDevelopment } from '../server/src/runtimes/node.ts';
import { commandsOf, isCommand, problemOf } from './documents/commands.ts';
import { runStep, type Session, stepsOf } from './documents/console.ts';
import { freePort, startProgram } from './documents/program.ts';
import { type Document, documents, files, root } from './documents/read.ts';
import { type Snippets, typeErrors, writeSnippets } from './documents/snippets.ts';
import { tokenFor } from './documents/token.ts';
import { pythonMissing, uv } from './python-environment.ts';

const quiet = { info() {}, warn() {}, error: console.error };
const tools = ['curl', 'jq', 'openssl'].filter((tool) => spawnSync('bash', ['-c', `command -v ${tool}`]).status !== 0);
const skip = tools.length > 0 && `${tools.join(' and ')} not installed`;
const folder = mkdtempSync(join(tmpdir(), 'auth-agent-documents-'));
after(() => rmSync(folder, { recursive: true }));

/** Names that documents use for what exists only after something ran, or only at the reader's. */
const madeByRunning = ['auth-agent.config.json', '.auth-agent/dev.db', 'bench/results/latest.md'];

const sdk = 'sdk/typescript/README.md';

describe('sessions print what the documents say', () => {
  for (const document of documents.filter((one) => stepsOf(one).length > 0)) {
    test(document.path, { skip }, async (t) => {
      const missing = stepsOf(document).some(({ command }) => /\buv run /.test(command)) ? pythonMissing() : undefined;
      if (missing && process.env.CI !== 'true') return t.skip(missing);
      assert.equal(missing, undefined);
      const own = await startDevelopment({ port: 0, ephemeral: true, log: quiet });
      const [port, authPort, resourcePort, notesPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
      const bindings = new Map([
        ['localhost:9000', `localhost:${own.port}`],
        ['localhost:8000', `localhost:${port}`],
        ['localhost:4000', `localhost:${authPort}`],
        ['localhost:4001', `localhost:${resourcePort}`],
        ['localhost:8001', `localhost:${notesPort}`],
        ['--port 8001', `--port ${notesPort}`],
      ]);
      const data = mkdtempSync(join(folder, 'data-'));
      const tasks = {
        AUTH_PORT: String(authPort),
        RESOURCE_PORT: String(resourcePort),
        AUTH_FILE: join(data, 'auth.db'),
        TASKS_FILE: join(data, 'tasks.db'),
        NOTES_FILE: join(data, 'notes.db'),
      };
      using running = new DisposableStack();
      const session: Session = { bindings, running, env: { PORT: String(port), FOLDER: join(folder, 'files'), ...tasks } };
      try {
        for (const step of stepsOf(document)) await runStep(step, session);
      } finally {
        await own.stop();
      }
    });
  }
});

describe('snippets and addresses', () => {
  let written: { folder: string; snippets: Snippets[] };
  let development: RunningDevelopment;
  before(async () => {
    written = writeSnippets(documents);
    development = await startDevelopment({ port: 0, ephemeral: true, log: quiet });
  });
  after(async () => {
    await development.stop();
    rmSync(written.folder, { recursive: true });
  });

  test('every snippet compiles under the rules of the project', async () => {
    assert.equal(await typeErrors(written.folder), '');
  });

  test('every snippet runs, and the guarded app tells a stranger where to go and a handler whose agent it is', async () => {
    const token = await tokenFor(development.issuer, 'https://your-mcp-server.com', 'files:read');
    for (const { document, modules } of written.snippets) {
      const names = await load(modules, development.issuer);
      const app = names['app'] as Hono;
      // What the documents of the example leave to its source, and those that are about other routes.
      const others = ['docs/delegation.md', 'docs/runtimes.md', 'docs/webhooks.md', 'server/README.md'];
      if (document.path.startsWith('examples/') || others.includes(document.path)) continue;

      const stranger = await app.request('https://your-mcp-server.com/api/files');
      const known = await app.request('https://your-mcp-server.com/api/files', { headers: { Authorization: `Bearer ${token}` } });

      assert.equal(stranger.status, 401, document.path);
      const metadata = `${development.issuer}/.well-known/oauth-protected-resource/srv_abc123`;
      assert.equal(stranger.headers.get('www-authenticate'), `Bearer realm="srv_abc123", resource_metadata="${metadata}", scope="files:read"`);
      assert.deepEqual([known.status, await known.json()], [200, { user_email: 'testuser@example.com' }], document.path);
    }
  });

  test('the library starts in a program of its own as docs/runtimes.md says, signs, and stops', async () => {
    const { modules = [] } = written.snippets.find(({ document }) => document.path === 'docs/runtimes.md') ?? {};
    const { startAuthServer } = await load(modules, development.issuer);
    const settings = { issuer: 'https://auth.example.com', secret: randomBytes(32).toString('base64'), database: 'sqlite::memory:', port: 0 };

    const { url, stop } = await (startAuthServer as (given: typeof settings) => Promise<RunningServer>)(settings);
    const ready = await fetch(`${url}/health/ready`);
    const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: unknown[] };
    await stop();

    assert.equal(ready.status, 200, await ready.text());
    assert.ok(keys.length > 0);
    await assert.rejects(fetch(url));
  });

  test('the Python of the documents runs as printed', (t) => {
    const missing = pythonMissing();
    if (missing && process.env.CI !== 'true') return t.skip(missing);
    assert.equal(missing, undefined);

    const { status, stdout, stderr } = uv('run', 'pytest', '-q', 'sdk/python/tests/test_readme.py');

    assert.equal(status, 0, `${stdout}\n${stderr}`);
  });

  test('every address of the development server in the documents answers', async () => {
    const links = documents.flatMap((document) => document.links).filter((link) => link.startsWith('http://localhost:9000'));
    const answers = await Promise.all(links.map((link) => fetch(link.replace('http://localhost:9000', development.issuer))));

    assert.ok(links.length > 0);
    for (const { status, url } of answers) assert.equal(status, 200, url);
  });
});

describe('commands', () => {
  for (const { path, blocks, spans } of documents) {
    const commands = [...blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => commandsOf(text)), ...spans.filter(isCommand)];
    if (commands.length === 0) continue;
    test(`what ${path} tells to run exists`, () => {
      assert.deepEqual(
        commands.map((command) => ({ command, problem: problemOf(command) })).filter(({ problem }) => problem !== undefined),
        [],
      );
    });
  }

  test('npm start answers within five seconds, keeps its data in its folder, and stops when told', async () => {
    // The real files behind links, so that a database of the developer stays as it is.
    const copy = mkdtempSync(join(folder, 'clone-'));
    await copyFile(join(root, 'package.json'), join(copy, 'package.json'));
    for (const name of ['cli', 'server', 'sdk', 'tools', 'node_modules']) symlinkSync(join(root, name), join(copy, name));
    // Five seconds are for a computer that has a core to spare.
    const crowd = Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
    const began = performance.now();
    using program = startProgram('npm start', { folder: copy, env: { AUTH_AGENT_PORT: '0' } });

    const [, issuer = ''] = /Issuer +(http\S+)/.exec(await program.says(/Ctrl-C to stop/)) ?? [];
    const answer = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
    const took = performance.now() - began;
    program.stop();
    const printed = await program.ends();

    assert.deepEqual([answer.status, ((await answer.json()) as { issuer: string }).issuer], [200, issuer]);
    assert.ok(took < 5000 * crowd, `it took ${took} ms`);
    assert.ok(existsSync(join(copy, '.auth-agent/dev.db')));
    assert.match(printed, /server\.stopped\nstopped$/);
  });

  test('the commands under "Run it for real" start a server that prints a setup link, answers and stops', { skip }, async () => {
    const block = documents.flatMap(({ blocks }) => blocks).find(({ text }) => text.includes('export AUTH_AGENT_ISSUER='))?.text ?? '';
    const env = { AUTH_AGENT_PORT: '0', AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, 'real.db')}` };
    using program = startProgram(block, { env });

    const said = await program.says(/setup-link prints another/);
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
    const health = await fetch(`${url}/health`);
    const metadata = (await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json()) as { issuer: string };
    program.stop();
    const printed = await program.ends();

    assert.match(said, /https:\/\/auth\.example\.com\/setup\?token=st_\S+/);
    assert.deepEqual([health.status, metadata.issuer], [200, 'https://auth.example.com']);
    assert.match(printed, /"event":"server\.stopped"/);
    await assert.rejects(fetch(`${url}/health`), 'nothing listens any more');
  });
});

describe('references', () => {
  test('every block is of a kind that is checked, and data can be read', () => {
    for (const { path, blocks } of documents)
      for (const { language, text, line } of blocks) {
        // Run above, by a test that is Python itself, and by webhook-receivers.test.ts.
        const python = language === 'python' && ['sdk/python/README.md', 'docs/webhooks.md'].includes(path);
        assert.ok(python || ['', 'ts', 'sh', 'console', 'json'].includes(language), `${path}:${line} is ${language}`);
        if (language === 'json') assert.doesNotThrow(() => JSON.parse(text), `${path}:${line}`);
      }
  });

  test('every link leads to a file and heading that exist', () => {
    assert.deepEqual(documents.flatMap(brokenLinks), []);
  });

  test('every file that is named exists', () => {
    const isName = /^[\w.-]+(\/[\w.-]+)*(\.(ts|mjs|md|sql|sh|json)|\/)$/;
    const named = documents.flatMap(({ path, spans }) => spans.filter((span) => isName.test(span)).map((span) => ({ path, span })));
    const missing = named.filter(
      ({ span }) => !madeByRunning.includes(span) && !files.some((file) => `/${file}/`.includes(`/${span.replace(/^\.\/|\/$/g, '')}/`)),
    );

    assert.deepEqual(missing, []);
  });

  test('the table of imports in the document of the SDK names what its entries export', async () => {
    const rows = [...readFileSync(join(root, sdk), 'utf8').matchAll(/^\|[^|]*\| (`(?:auth-agent-mcp-sdk|\/)[^|]*)\|([^|]*)\|$/gm)];
    const wordsIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
    for (const [, entries, names = ''] of rows)
      for (const entry of wordsIn(entries)) {
        const exported = Object.keys(await import(entry.startsWith('/') ? `auth-agent-mcp-sdk${entry}` : entry));
        // What follows is members and remarks.
        for (const name of wordsIn(names.split(/[:;]|, without/)[0])) assert.ok(exported.includes(name), `${entry} exports ${name}`);
      }
    assert.equal(rows.length, 8);
  });

  test('the documents of both SDKs say what their shared vectors say of each thing that can go wrong', () => {
    type Answer = { name: string; status: 200 | 401 | 503; retry_after?: number; log?: string };
    const { cases } = JSON.parse(readFileSync(join(root, 'sdk/vectors/answers.json'), 'utf8')) as { cases: Answer[] };
    const caller = { 200: () => "your handler's answer", 401: () => '`401 invalid_token`', 503: (retry = 0) => `\`503\`, \`Retry-After: ${retry}\`` };
    const rows = cases.map(({ name, status, retry_after: retry, log }) => `| ${name} | ${caller[status](retry)} | ${log ? `… ${log} …` : 'nothing'} |`);

    for (const path of [sdk, 'sdk/python/README.md']) {
      const [, table = ''] = /## When something is wrong\n\n.*\n.*\n((?:\|.*\n)+)/.exec(readFileSync(join(root, path), 'utf8')) ?? [];
      assert.deepEqual(table.trimEnd().split('\n'), rows, path);
    }
  });

  test('the table of options in the document of the SDK is complete', () => {
    const source = readFileSync(join(root, 'sdk/typescript/src/options.ts'), 'utf8');
    const types = source.slice(source.indexOf('interface CommonOptions'), source.indexOf('export type AuthAgentOptions'));
    const known = [...types.matchAll(/readonly (\w+)\??:/g)].map(([, name = '']) => name);
    const [, table = ''] = /## Options\n([\s\S]*?)\n## /.exec(readFileSync(join(root, sdk), 'utf8')) ?? [];
    const told = [...table.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));

    assert.deepEqual(told.sort(), [...new Set(known)].sort());
  });

  test('the tree in docs/architecture.md is the tree of the project, and no folder of it is missing', () => {
    const [tree = ''] = documents.filter(({ path }) => path === 'docs/architecture.md').flatMap(({ blocks }) => blocks.map(({ text }) => text));
    const above: string[] = [];
    for (const [, indent = '', name = ''] of tree.matchAll(/^( *)(\S+)/gm)) {
      above.length = indent.length / 2;
      above.push(name);
      assert.ok(existsSync(join(root, ...above)), above.join(''));
    }
    const inCode = files.flatMap((path) => /^(\w+)\/.*\.ts$/.exec(path)?.[1] ?? []);
    const rooms = files.flatMap((path) => /^server\/src\/(\w+)\//.exec(path)?.[1] ?? []);
    for (const name of new Set([...inCode, ...rooms])) assert.match(tree, new RegExp(`(^|[\\s/])${name}/`), name);
  });
});

/** Imports the modules of a document with the environment its reader has; answers everything they declared. */
async function load(modules: string[], issuer: string): Promise<Record<string, unknown>> {
  const earlier = process.env;
  process.env = { ...earlier, AUTH_AGENT_URL: issuer };
  try {
    const names = {};
    for (const module of modules) Object.assign(names, await import(join(dirname(module), 'prelude.ts')), await import(module));
    return names;
  } finally {
    process.env = earlier;
  }
}

function brokenLinks({ path, links, anchors }: Document): string[] {
  return links
    .filter((link) => !/^(https?|mailto):/.test(link))
    .filter((link) => {
      const [target = '', anchor] = link.split('#');
      const file = target === '' ? path : normalize(join(dirname(path), target)).replace(/\/$/, '');
      if (!existsSync(join(root, file))) return true;
      const headings = file === path ? anchors : documents.find((one) => one.path === file)?.anchors;
      return anchor !== undefined && !headings?.includes(anchor);
    })
    .map((link) => `${path}: ${link}`);
}
