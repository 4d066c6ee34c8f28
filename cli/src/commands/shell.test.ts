import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser } from '../../../server/test/browser.ts';
import { openStage, type Stage } from '../../test/stage.ts';

let stage: Stage;
let config: string;
before(async () => {
  stage = await openStage();
  config = join(stage.folder, 'mcp_config.json');
  const printed = JSON.parse(readFileSync(new URL('../../../examples/mcp_config.json', import.meta.url), 'utf8'));
  const program = new URL('../../test/program.ts', import.meta.url).pathname;
  const [server] = printed.servers;
  server.command = [process.execPath, '--conditions=aa-source', program];
  for (const name of ['authorization_url', 'token_url']) server.auth[name] = server.auth[name].replace('http://localhost:9000', stage.issuer);
  printed.servers.push({ name: 'files', transport: 'http', url: stage.mcpUrl }, { name: 'broken', transport: 'stdio', command: ['/nowhere/at/all'] });
  writeFileSync(config, JSON.stringify(printed));
});
after(() => stage.stop());

const shell = (lines: string[], given: Parameters<Stage['cli']>[1] = {}) =>
  stage.cli(['shell', '--config', config, '--no-browser'], { input: [...lines, '/exit', ''].join('\n'), ...given });

/** What a person does with the page that shows the code: sign in, allow, read, type. */
async function copyCode(url: string): Promise<string> {
  const browser = openBrowser(fetch, new URL(url).origin);
  let page = await browser.submit(await browser.open(url), { username: 'testuser', password: 'testpass' });
  page = await browser.submit(page, {}, 'allow');
  if (page.refresh !== undefined) page = await browser.open(page.refresh);
  const code = /ac_[A-Za-z0-9_-]+/.exec(page.html)?.[0];
  assert.ok(code, page.title);
  return code;
}

test('the configuration of the guide: paste a code, and the program gets a token for it, from then on without asking', async () => {
  const first = await stage.cli(['shell', '--config', config, '--no-browser'], {
    input: '/mcp connect oauth-protected\n',
    visit: async (url, type) => {
      assert.equal(new URL(url).searchParams.get('redirect_uri'), 'urn:ietf:wg:oauth:2.0:oob');
      type(await copyCode(url));
      for (const line of ['/mcp tools oauth-protected', '/mcp call oauth-protected whoami', '/mcp read oauth-protected user://profile', '/mcp list', '/exit'])
        type(line);
    },
  });
  const second = await shell(['/mcp connect oauth-protected', '/mcp resources oauth-protected'], {
    visit: async () => assert.fail('asked again'),
  });

  assert.equal(first.exit, 0, first.out + first.err);
  assert.ok(first.out.includes('"scope":"mcp:read mcp:write","client_id":"mcp-test-client"'), first.out);
  assert.ok(first.out.includes('oauth-protected  stdio  connected'));
  assert.equal(second.exit, 0, second.out + second.err);
  assert.ok(second.out.includes('user://profile  profile'));
});

test('[CL-22] what a server says cannot drive the terminal', async () => {
  const { out } = await shell(['/mcp connect oauth-protected', '/mcp tools oauth-protected', '/mcp call oauth-protected whoami']);

  assert.ok(out.includes('Who this runs for') && out.includes('mcp-test-client'));
  assert.ok(!/\p{Cc}/u.test(out.replaceAll('\n', '')));
});

test('a server over HTTP needs no "auth": it is found, registered at, and its tools are called', async () => {
  const { exit, out, err } = await shell([
    '/mcp connect files',
    '/mcp call files write_file {"name": "tea.txt", "text": "Green tea"}',
    '/mcp call files read_file {"name": "tea.txt"}',
    '/mcp disconnect files',
    '/mcp list',
  ]);

  assert.equal(exit, 0, out + err);
  assert.ok(out.includes('Wrote tea.txt') && out.includes('\nGreen tea\n') && out.includes('files  http\n'));
});

test('a mistake says what to do and ends the command only; from a pipe the end is exit 1', async () => {
  const { exit, out, err } = await shell([
    'Can you get my profile?',
    '/mcp dance',
    '/mcp connect nobody',
    '/mcp tools files',
    '/mcp connect broken',
    '/mcp connect oauth-protected',
    '/mcp call oauth-protected whoami nonsense',
    '/mcp call oauth-protected fail',
    '/help',
  ]);

  assert.equal(exit, 1);
  for (const said of [
    'no model in this shell',
    'Known: oauth-protected, files, broken',
    '/mcp connect files',
    'not a JSON object',
    'not today',
    'Check "command"',
    '7 of the commands failed',
  ])
    assert.ok(err.includes(said), `${said}\n${err}`);
  assert.ok(out.includes('/mcp call NAME TOOL'));
});

test('a code that is not valid is refused in a sentence, and the conversation goes on', async () => {
  const other = join(stage.folder, 'other.json');
  const kept = JSON.parse(readFileSync(config, 'utf8'));
  kept.servers[0].name = 'fresh';
  writeFileSync(other, JSON.stringify(kept));

  const { exit, out, err } = await stage.cli(['shell', '--config', other, '--no-browser'], {
    input: '/mcp connect fresh\n',
    visit: async (_url, type) => {
      for (const line of ['wrong-code', '/mcp list', '/exit']) type(line);
    },
  });

  assert.equal(exit, 1);
  assert.match(err, /gave no token: invalid_grant\n.*Why.*\n.*Fix {3}Sign in again/);
  assert.ok(out.includes('fresh  stdio\n'));
});

test('a configuration that is wrong names the member', async () => {
  for (const [servers, said] of [
    [[{ name: 'x y' }], 'servers[0].name'],
    [[{ name: 'x', transport: 'stdio', command: 'sh -c evil' }], 'servers[0].command'],
    [[{ name: 'x', transport: 'http', url: 'file:///etc/passwd' }], 'servers[0].url'],
    [[{ name: 'x', transport: 'http', url: 'http://localhost', auth: { type: 'basic' } }], 'servers[0].auth.type'],
  ] as const) {
    const file = join(stage.folder, 'wrong.json');
    writeFileSync(file, JSON.stringify({ servers }));
    const { exit, err } = await stage.cli(['shell', '--config', file]);

    assert.equal(exit, 2);
    assert.ok(err.includes(said), err);
  }
  assert.equal((await stage.cli(['shell', '--config', join(stage.folder, 'none.json')])).exit, 4);
});
