import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { auditEvent, loadConfig, nodeLog, openDatabase, openStorage, startProduction } from 'auth-agent-mcp-server/node';
import { openStage, type Stage } from '../../test/stage.ts';

let stage: Stage;
before(async () => {
  stage = await openStage();
});
after(() => stage.stop());

type Found = { of: string; level: 'ok' | 'warn' | 'fail'; text: string; fix?: string };

async function doctor(words: string[], env: Record<string, string> = {}) {
  const { exit, out, err } = await stage.cli(['doctor', ...words, '--json'], { env });
  const { data, error } = JSON.parse(out);
  const found = (data?.found ?? []) as Found[];
  return { exit, found, error, failures: found.filter(({ level }) => level === 'fail'), out, err };
}

/** An HTTP server that says what it is told to. */
async function playing(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

const settings = (name: string) => ({
  AUTH_AGENT_DATABASE_URL: `sqlite:${join(stage.folder, `${name}.db`)}`,
  AUTH_AGENT_SECRET: randomBytes(36).toString('base64'),
});

describe('doctor of an MCP server', () => {
  test('one that is well is told so, from the 401 to the authorization server that guards it', async () => {
    const { exit, found } = await doctor([stage.mcpUrl]);

    assert.deepEqual([exit, found.map(({ level }) => level)], [0, ['ok', 'ok', 'ok', 'ok']]);
    assert.match(
      found.map(({ text }) => text).join('\n'),
      new RegExp(`401 with a challenge[\\s\\S]*points to its metadata[\\s\\S]*for ${stage.mcpUrl}[\\s\\S]*${stage.issuer} guards it`),
    );
    const { out } = await stage.cli(['doctor', stage.mcpUrl]);
    assert.match(out, /ok {4}401 with a challenge[\s\S]*no failures, no warnings\n$/);
  });

  for (const [name, status, headers, text] of [
    ['open to everybody', 200, {}, /answers without a token/],
    ['without a challenge', 401, {}, /no challenge/],
    ['whose key has ended', 503, {}, /cannot ask the authorization server/],
    ['that is elsewhere', 404, {}, /answers 404/],
    ['that points to a name inside a network', 401, { 'WWW-Authenticate': 'Bearer resource_metadata="http://auth:9000/x"' }, /points to http:\/\/auth:9000\/x/],
    ['that points nowhere', 401, { 'WWW-Authenticate': 'Bearer resource_metadata="http://["' }, /points to http:\/\/\[$/],
    ['without metadata', 401, { 'WWW-Authenticate': 'Bearer' }, /No protected resource metadata at/],
  ] as const) {
    test(`one ${name} is exit 9, with what to do`, async (t) => {
      const url = await playing(t, (request, response) => response.writeHead(request.url === '/mcp' ? status : 404, headers).end());
      const { exit, failures } = await doctor([`${url}/mcp`]);

      assert.equal(exit, 9);
      assert.match(failures[0]?.text ?? '', text);
      assert.ok(failures[0]?.fix);
    });
  }

  test('one whose metadata is for another address, or names another authorization server than the one of this machine, is exit 9', async (t) => {
    const metadata = (document: object): RequestListener => {
      return (request, response) =>
        request.url === '/mcp' ? response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end() : response.end(JSON.stringify(document));
    };
    const elsewhere = await playing(t, metadata({ resource: 'https://mcp.example.com/mcp', authorization_servers: [stage.issuer] }));
    assert.match((await doctor([`${elsewhere}/mcp`])).failures[0]?.text ?? '', /The metadata is for https:\/\/mcp\.example\.com\/mcp/);

    const own = { ...settings('guarded'), AUTH_AGENT_ISSUER: 'http://localhost:9' };
    const { failures } = await doctor([stage.mcpUrl], own);
    assert.ok(
      failures.some(
        ({ text, fix }) => text === `It sends people to ${stage.issuer}, not to http://localhost:9` && fix?.includes('AUTH_AGENT_URL=http://localhost:9'),
      ),
    );
  });

  test('what is no address is a usage error, and nobody who is not there is waited for', async () => {
    assert.equal((await stage.cli(['doctor', 'mcp.example.com'])).exit, 2);
    const { exit, failures } = await doctor(['http://localhost:9/mcp']);
    assert.deepEqual([exit, failures[0]?.text], [9, 'http://localhost:9 does not answer']);
  });
});

describe('doctor of the authorization server', () => {
  test('what a start would refuse is told with its fix: no issuer, no database, another secret', async () => {
    const own = settings('refused');
    const texts = async (env: Record<string, string>) => (await doctor([], env)).failures.map(({ text }) => text);

    assert.deepEqual(await texts(own), ['No issuer is set']);
    const placed = { ...own, AUTH_AGENT_ISSUER: 'http://localhost:9' };
    assert.deepEqual(await texts(placed), [`There is no database at ${own.AUTH_AGENT_DATABASE_URL}`, 'http://localhost:9 does not answer']);
    const running = await startProduction(loadConfig({ env: { ...placed, AUTH_AGENT_PORT: '0' } }), nodeLog({ output: { write: () => {} } }));
    await running.stop({ drainSeconds: 0 });
    assert.deepEqual((await texts({ ...placed, AUTH_AGENT_PASSWORD: 'false', AUTH_AGENT_TRUSTED_PROXIES: '127.0.0.1' })).slice(0, 1), [
      'Nobody could sign in: passwords and codes by mail are off, and no upstream is listed',
    ]);
    assert.match((await texts({ ...placed, AUTH_AGENT_TRUSTED_PROXIES: 'proxy.example' }))[0] ?? '', /^A setting cannot be used/);
    const storage = openStorage(await openDatabase(own.AUTH_AGENT_DATABASE_URL));
    await storage.setFact('demo', '1');
    await storage.close();
    assert.equal((await texts(placed))[0], 'This database was made by development mode');
    const [sealed] = await texts({ ...placed, AUTH_AGENT_SECRET: randomBytes(36).toString('base64') });
    assert.equal(sealed, 'The secret does not open the signing keys of this database');
  });

  test('a running one is seen from inside and from outside, and which MCP servers it does not know', async (t) => {
    const port = await playingPort();
    const env = { ...settings('running'), AUTH_AGENT_ISSUER: `http://localhost:${port}`, AUTH_AGENT_PORT: String(port) };
    const running = await startProduction(loadConfig({ env }), nodeLog({ output: { write: () => {} } }));
    try {
      const { exit, found } = await doctor([], env);
      assert.deepEqual(
        [exit, found.filter(({ level }) => level === 'warn').map(({ text, fix }) => fix ?? text)],
        [0, ['auth-agent setup-link', 'AUTH_AGENT_SMTP_URL, then auth-agent mail test']],
      );
      const said = found.map(({ text }) => text).join('\n');
      assert.match(said, /sqlite answers[\s\S]*A key signs, and the next follows in 90 days[\s\S]*answers and names itself[\s\S]*clock/);

      const { store } = running.context;
      const at = Math.floor(Date.now() / 1000);
      const server = { id: 'srv_files', ownerId: 'usr_1', resource: 'http://localhost:9/', serverUrl: 'http://localhost:9/', name: 'Files', scopes: [] };
      await store.addServer({ ...server, createdAt: at, updatedAt: at }, auditEvent('server.added', at, 'test'));
      for (const [days, text] of [
        [9, 'An API key in use ends in 9 days'],
        [-1, 'An API key in use has ended: its MCP server answers 503'],
      ] as const) {
        const key = { id: `sk_${days}`, serverId: 'srv_files', name: 'Key', secretHash: `hash${days}`, createdAt: at, lastUsedAt: at };
        await store.addKey({ ...key, expiresAt: at + days * 86_400 + 3600 }, auditEvent('key.created', at, 'test'));
        const ending = (await doctor([], env)).found.find(({ text: said }) => said.includes('API key'));
        assert.deepEqual([ending?.text, ending?.level], [text, days > 0 ? 'warn' : 'fail']);
        await store.revokeKey('srv_files', key.id, auditEvent('key.revoked', at, 'test'));
      }

      let resource = '';
      const unknown = await playing(t, (request, response) => {
        if (request.url === '/mcp') return response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end();
        return response.end(JSON.stringify({ resource, authorization_servers: [env.AUTH_AGENT_ISSUER] }));
      });
      resource = `${unknown}/mcp`;
      const { failures } = await doctor([resource], env);
      assert.deepEqual([failures.map(({ text }) => text), failures[0]?.fix], [[`${resource} is not registered there`], `auth-agent servers add ${resource}`]);
    } finally {
      await running.stop({ drainSeconds: 0 });
    }
  });

  for (const [name, answer, text] of [
    ['redirects', (_, response) => response.writeHead(301, { Location: 'https://auth.example.com/' }).end(), /redirects/],
    ['is not handed on', (_, response) => response.writeHead(404).end(), /answers 404/],
    ['is somebody else’s', (_, response) => response.end('{"issuer":"https://other.example"}'), /names https:\/\/other\.example/],
    ['is a page', (_, response) => response.end('<html>'), /is none of an authorization server/],
    ['has a clock that is wrong', (_, response) => response.writeHead(200, { Date: new Date(0).toUTCString() }).end('{}'), /s apart/],
  ] as [string, RequestListener, RegExp][]) {
    test(`an issuer that ${name} is exit 9`, async (t) => {
      const issuer = await playing(t, answer);
      const { exit, failures } = await doctor([], { ...settings('outside'), AUTH_AGENT_ISSUER: issuer });

      assert.equal(exit, 9);
      assert.ok(
        failures.some((failure) => failure.of === issuer && text.test(failure.text)),
        JSON.stringify(failures),
      );
    });
  }
});

/** A port that was free a moment ago: the issuer must name it before the server has it. */
async function playingPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
