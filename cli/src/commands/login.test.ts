import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { enterCode, openStage, type Stage } from '../../test/stage.ts';

let stage: Stage;
let store: string;
const kept = () => JSON.parse(readFileSync(store, 'utf8'));

describe('login', () => {
  before(async () => {
    stage = await openStage();
    store = join(stage.folder, 'credentials.json');
  });
  after(() => stage.stop());
  /** Each test signs in anew; the registration of the client stays. */
  afterEach(() => {
    const kept = JSON.parse(readFileSync(store, 'utf8'));
    writeFileSync(store, JSON.stringify({ ...kept, tokens: {}, places: {}, pending: {} }));
  });

  test('with a browser here it signs in there, says what it may, and the second time that it is done', async () => {
    const ran = await stage.cli(['login', stage.mcpUrl, '--no-browser']);
    const again = await stage.cli(['login', stage.mcpUrl, '--json']);

    assert.equal(ran.exit, 0, ran.out + ran.err);
    assert.match(ran.out, /Signed in to http:.*\n.*It may: files:read/);
    assert.match(ran.err, /which only you can read/);
    const { data } = JSON.parse(again.out);
    assert.deepEqual([again.exit, data.state, data.resource, data.issuer, data.scope], [0, 'authenticated', stage.mcpUrl, stage.issuer, 'files:read']);
  });

  test('[CL-19] with --device it shows a code, waits, and keeps the tokens that `try` then uses', async () => {
    const visited: string[] = [];
    const ran = await stage.cli(['login', stage.mcpUrl, '--device'], {
      visit: async (url, _type, said) => {
        visited.push(url);
        await enterCode(url, said);
      },
    });

    assert.equal(ran.exit, 0, ran.out + ran.err);
    assert.deepEqual(visited, [`${stage.issuer}/device`]);
    assert.match(ran.err, /Your code is [B-Z]{4}-[B-Z]{4}\. Enter it, on any computer or phone, at\n/);
    assert.match(ran.err, /Nobody from this service asks for the code/);
    const [token] = Object.values(kept().tokens) as { accessToken: string; refreshToken: string }[];
    assert.ok(token && !(ran.out + ran.err).includes(token.accessToken) && !(ran.out + ran.err).includes('dc_'));
    const tried = await stage.cli(['try', stage.mcpUrl, '--no-login']);
    assert.equal(tried.exit, 0, tried.err);
  });

  test('--no-wait --json begins and --check asks: 3 while nobody has answered, 0 with tokens, and then it is known no more', async () => {
    const begun = await stage.cli(['login', stage.mcpUrl, '--no-wait', '--json'], { visit: async () => assert.fail('nothing is printed beside the data') });
    const { data } = JSON.parse(begun.out);
    const file = readFileSync(store, 'utf8');

    assert.equal(begun.exit, 0, begun.err);
    assert.deepEqual([data.state, data.check_after_seconds, data.browser_url], ['pending', 5, `${stage.issuer}/device`]);
    assert.match(data.user_code, /^[B-Z]{4}-[B-Z]{4}$/);
    assert.ok(Date.parse(data.expires_at) > Date.now());
    assert.ok(!begun.out.includes('dc_') && file.includes('dc_') && (statSync(store).mode & 0o777) === 0o600);
    const early = await stage.cli(['login', '--check', data.id, '--json']);
    const sooner = await stage.cli(['login', '--check', data.id, '--json']);
    for (const ran of [early, sooner]) assert.deepEqual([ran.exit, JSON.parse(ran.out).ok, JSON.parse(ran.out).data.state], [3, false, 'pending']);
    assert.ok(JSON.parse(sooner.out).data.check_after_seconds <= 5, 'no poll before its time, so nothing slows down');
    await enterCode(data.browser_url, data.user_code);
    due(data.id);
    const done = await stage.cli(['login', '--check', data.id, '--json']);
    assert.deepEqual([done.exit, JSON.parse(done.out).data.state, JSON.parse(done.out).data.scope], [0, 'authenticated', 'files:read']);
    assert.equal((await stage.cli(['login', '--check', data.id])).exit, 4);
    assert.equal((await stage.cli(['try', stage.mcpUrl, '--no-login'])).exit, 0);
  });

  test('a begun sign-in that is denied is exit 10, one that nobody answered in time 8; each is over then', async () => {
    const [denied, late] = [await begin(), await begin()];
    await enterCode(denied.browser_url, denied.user_code, 'deny');
    change(late.id, { expiresAt: 1 });

    const exits = [];
    for (const id of [denied.id, denied.id, late.id, late.id]) exits.push((await stage.cli(['login', '--check', id])).exit);

    assert.deepEqual(exits, [10, 4, 8, 4]);
  });

  test('mistakes say what to do', async () => {
    const [none, both, unknown, flag, late] = [
      await stage.cli(['login']),
      await stage.cli(['login', stage.mcpUrl, '--check', 'x']),
      await stage.cli(['login', '--check', '__proto__']),
      await stage.cli(['login', stage.mcpUrl, '--device', '--client-id', 'mcp-task-manager']),
      await stage.cli(['login', stage.mcpUrl, '--device', '--timeout', '1'], { visit: async () => {} }),
    ];

    assert.deepEqual([none.exit, both.exit, unknown.exit, flag.exit, late.exit], [2, 2, 4, 6, 8]);
    assert.match(none.err, /address of an MCP server is missing/);
    assert.match(unknown.err, /--no-wait --json/);
  });
});

async function begin(): Promise<{ id: string; browser_url: string; user_code: string }> {
  return JSON.parse((await stage.cli(['login', stage.mcpUrl, '--no-wait', '--json'])).out).data;
}

/** The interval is over, without waiting for it. */
function due(id: string): void {
  change(id, { nextPollAt: 0 });
}

function change(id: string, members: object): void {
  const all = kept();
  Object.assign(all.pending[id], members);
  writeFileSync(store, JSON.stringify(all));
}
