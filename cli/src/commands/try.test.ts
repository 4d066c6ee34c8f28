import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { signInAndDecide } from '../../../server/test/browser.ts';
import { openStage, type Stage } from '../../test/stage.ts';

let stage: Stage;
before(async () => {
  stage = await openStage();
});
after(() => stage.stop());

test('without a sign-in --no-login is exit 3, and nothing is opened', async () => {
  const ran = await stage.cli(['try', stage.mcpUrl, '--no-login']);

  assert.equal(ran.exit, 3, ran.out + ran.err);
  assert.ok(ran.err.includes('Sign-in is needed') && !ran.err.includes('/authorize'));
});

test('[CL-01] [CL-06] [CL-10] [CL-12] the walk says its six steps, and the token is kept in a file only its owner can read', async () => {
  const ran = await stage.cli(['try', stage.mcpUrl, '--no-browser']);

  assert.equal(ran.exit, 0, ran.out + ran.err);
  const lines = ran.out.trim().split('\n');
  assert.deepEqual(
    lines.map((line) => line.slice(0, 1)),
    ['1', '2', '3', '4', '4', '5', '6'],
    ran.out,
  );
  assert.match(lines[2] ?? '', /client: registered → client_/);
  assert.match(lines[4] ?? '', /you allowed: files:read/);
  assert.match(lines[6] ?? '', /tools\/list → list_files, read_file, write_file, delete_file/);
  const file = join(stage.folder, 'credentials.json');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const { tokens } = JSON.parse(readFileSync(file, 'utf8'));
  const [token] = Object.values(tokens) as [{ accessToken: string; refreshToken: string }];
  assert.ok(!ran.out.includes(token.accessToken) && !ran.err.includes(token.accessToken) && !ran.err.includes(token.refreshToken));
});

test('[CL-09] a tool that needs more leads to one step-up for the union of scopes', async () => {
  const asked: string[] = [];
  const ran = await stage.cli(['try', stage.mcpUrl, '{"name":"a.txt","text":"hi"}', '--call', 'write_file', '--no-browser'], {
    visit: async (url) => {
      asked.push(new URL(url).searchParams.get('scope') ?? '');
      await fetch(await signInAndDecide(url, { username: 'testuser', password: 'testpass', decision: 'allow' }));
    },
  });

  assert.equal(ran.exit, 0, ran.out + ran.err);
  assert.ok(ran.out.includes('Wrote a.txt'));
  assert.equal(asked.length, 1);
  assert.deepEqual(
    ['files:read', 'files:write'].map((scope) => asked[0]?.split(' ').includes(scope)),
    [true, true],
  );
});

test('what is kept is used again: no step asks, and ordinary routes answer too', async () => {
  const ran = await stage.cli(['try', stage.mcpUrl, '--call', 'GET:/api/files', '--no-login']);

  assert.equal(ran.exit, 0, ran.out + ran.err);
  assert.ok(ran.out.includes('{"files":["a.txt"],"user_email":"testuser@example.com"}'), ran.out);
});

test('[CL-18] [CL-20] a token that ended is renewed without asking; a refresh token that is refused leads to one sign-in', async () => {
  const file = join(stage.folder, 'credentials.json');
  const spoil = (change: (token: { accessToken: string; refreshToken: string }) => void): void => {
    const kept = JSON.parse(readFileSync(file, 'utf8'));
    for (const token of Object.values(kept.tokens)) change(token as { accessToken: string; refreshToken: string });
    writeFileSync(file, JSON.stringify(kept));
  };
  spoil((token) => {
    token.accessToken = 'ended';
  });
  const renewed = await stage.cli(['try', stage.mcpUrl, '--no-login']);
  assert.equal(renewed.exit, 0, renewed.out + renewed.err);
  assert.ok(renewed.out.includes('renewed without asking you'));

  spoil((token) => {
    token.accessToken = 'ended';
    token.refreshToken = 'rt_unknown';
  });
  assert.equal((await stage.cli(['try', stage.mcpUrl, '--no-login'])).exit, 3);
  const again = await stage.cli(['try', stage.mcpUrl, '--no-browser']);
  assert.equal(again.exit, 0, again.out + again.err);
  assert.match(again.out, /you allowed: .*files:write/, 'what was requested before is requested again');
});

test('[CL-18] a registration that is gone is made anew, once', async () => {
  const file = join(stage.folder, 'credentials.json');
  const kept = JSON.parse(readFileSync(file, 'utf8'));
  for (const token of Object.values(kept.tokens)) (token as { accessToken: string }).accessToken = 'ended';
  kept.clients[stage.issuer].clientId = 'client_gone';
  writeFileSync(file, JSON.stringify(kept));

  const ran = await stage.cli(['try', stage.mcpUrl, '--no-browser']);

  assert.equal(ran.exit, 0, ran.out + ran.err);
  assert.notEqual(JSON.parse(readFileSync(file, 'utf8')).clients[stage.issuer].clientId, 'client_gone');
});

test('--json prints one envelope with steps and tools; a refusal of the person is exit 10', async () => {
  const ran = await stage.cli(['try', stage.mcpUrl, '--json', '--no-login']);
  const { data } = JSON.parse(ran.out);
  assert.deepEqual(data.tools, ['list_files', 'read_file', 'write_file', 'delete_file']);

  const denied = await stage.cli(['try', stage.mcpUrl, '{"name":"a.txt"}', '--call', 'delete_file', '--no-browser'], {
    visit: async (url) => void (await fetch(await signInAndDecide(url, { username: 'testuser', password: 'testpass', decision: 'deny' }))),
  });
  assert.equal(denied.exit, 10, denied.err);
});

test('mistakes and servers that do not answer say what to do', async () => {
  assert.equal((await stage.cli(['try', 'nonsense'])).exit, 2);
  assert.equal((await stage.cli(['try', stage.mcpUrl, 'no json', '--call', 'read_file'])).exit, 2);
  assert.equal((await stage.cli(['try', 'http://files.example.com/mcp'])).exit, 6);
  const away = await stage.cli(['try', 'http://localhost:1/mcp']);
  assert.equal(away.exit, 7, away.err);
});
