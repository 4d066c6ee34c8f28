/**
 * No code without a page and no page without a code: reads what the server, both SDKs and the command line can say from their sources, and asks the server for
 * every page.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { errorCodes } from '../src/errors.ts';
import { documentedCodes } from '../src/site/documented-codes.ts';
import { issuer, type TestServer, testServer } from './harness.ts';

const root = new URL('../..', import.meta.url).pathname;

/** The sources of a program without their tests. */
function sources(pattern: string): string {
  const files = globSync(pattern, { cwd: root }).filter((file) => !/\.test\.ts$|error-codes|documented-codes|server\/src\/errors\.ts$/.test(file));
  assert.ok(files.length > 0, pattern);
  return files.map((file) => readFileSync(root + file, 'utf8')).join('\n');
}
const found = (text: string, ...patterns: RegExp[]) =>
  [...new Set(patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code = '']) => code)))].sort();

const server = sources('server/src/**/*.ts');
const typescript = sources('sdk/typescript/src/**/*.ts');
const python = sources('sdk/python/src/**/*.py');
const commandLine = sources('cli/src/exit-codes.ts');

const said = {
  server: found(server, /new OAuthError\(\s*'(\w+)'/g, /members: \{ code: '(\w+)' \}/g, /errorUri\([^)]*'(\w+)'\)/g),
  typescript: found(
    typescript,
    /new (?:AuthenticationError|TokenRequestRefused)\(\s*'(\w+)'/g,
    /super\('(\w+)', \d{3}/g,
    /declare readonly code: '(\w+)'/g,
    /^\s+\| '(\w+)'$/gm,
  ).filter((code) => code.includes('_')),
  python: [
    ...found(python, /(?:AuthenticationError|TokenRequestRefused)\(\s*"(\w+)"/g, /super\(\).__init__\("(\w+)", \d{3}/g),
    ...found(sources('sdk/python/src/auth_agent_mcp/errors.py'), /^ {4}"([a-z]+_[a-z_]+)",$/gm),
  ],
  commandLine: found(commandLine, /^ {2}(\w+): \d+,$/gm).filter((code) => code !== 'ok'),
};

describe('the documentation of error codes', () => {
  let on: TestServer;
  before(async () => {
    on = await testServer();
  });
  after(() => on.close());
  const documented = documentedCodes.map(({ code }) => code as string);

  test('the sources were read: each program says codes that everybody knows it says', () => {
    assert.ok(said.server.includes('invalid_grant') && said.server.includes('grant_paused'));
    for (const sdk of [said.typescript, said.python])
      for (const code of ['missing_token', 'insufficient_scope', 'actor_refused', 'auth_server_unavailable']) assert.ok(sdk.includes(code), code);
    assert.deepEqual(said.commandLine.length, 11);
  });

  test('every code that the server, an SDK or the command line can say has a page', () => {
    const missing = Object.entries(said).flatMap(([program, codes]) =>
      codes.filter((code) => !documented.includes(code)).map((code) => `${code} (${program})`),
    );

    assert.deepEqual(missing, []);
  });

  test('every page is of a code that somebody says', () => {
    const anywhere = `${server}\n${typescript}\n${python}`;
    const gone = documented.filter((code) => !said.commandLine.includes(code) && !new RegExp(`['"]${code}['"]`).test(anywhere));

    assert.deepEqual(gone, []);
  });

  test('both SDKs say the same codes', () => {
    const sdk = documentedCodes.filter(({ origin }) => origin === 'sdk').map(({ code }) => code);

    for (const code of sdk) assert.deepEqual([code, said.typescript.includes(code), said.python.includes(code)], [code, true, true]);
  });

  test('every page answers, says what the code means, and is listed', async () => {
    const list = await (await on.request('/docs/errors')).text();

    for (const { code, status, fix } of documentedCodes) {
      const response = await on.request(`/docs/errors/${code}`);
      const html = await response.text();
      assert.equal(response.status, 200, code);
      assert.match(html, new RegExp(`<h1><code class="code-name">${code}</code></h1>\\s*<p class="lead">[^<]{15,}</p>`), code);
      if (status !== undefined) assert.match(html, new RegExp(`<dd>${status}</dd>`));
      if (fix !== undefined) assert.match(html, /<h2>For the developer<\/h2>/);
      assert.ok(list.includes(`href="/docs/errors/${code}"`), code);
    }
  });

  test('error_uri leads to its page, at the root also for a tenant, and a code that nobody says is 404', async () => {
    const { error_uri: uri } = JSON.parse(
      await (await on.request('/token', { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).text(),
    );

    assert.ok(uri.startsWith(`${issuer}/docs/errors/`));
    assert.equal((await on.request(new URL(uri).pathname)).status, 200);
    assert.equal((await on.request('/docs/errors/no_such_code')).status, 404);
    assert.equal((await on.request('/docs/errors/__proto__')).status, 404);
    assert.equal((await on.request('/docs/errors/constructor')).status, 404);
  });

  test('the table of the server has no row that says nothing to a developer or a person', () => {
    for (const code of Object.keys(errorCodes)) assert.ok(documentedCodes.find((row) => row.code === code));
  });
});
