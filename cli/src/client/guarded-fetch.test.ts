import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Failure } from '../exit-codes.ts';
import { guardedFetch } from './guarded-fetch.ts';

const remote = new URL('https://mcp.example.com/mcp');
const local = new URL('http://localhost:1/mcp');
const resolved = (address: string) => async () => [{ address, family: address.includes(':') ? 6 : 4 }];
const isRefused = (error: unknown): boolean => error instanceof Failure && error.exit === 'refused';

async function withServer<T>(listener: RequestListener, act: (origin: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return act(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).finally(() => {
    server.close();
    server.closeAllConnections();
  });
}

test('[CL-14] a public MCP server cannot send the client to plain http, to this computer or to a private network', async () => {
  for (const address of ['http://auth.example.com/x', 'http://localhost:1/x', 'https://user@auth.example.com/x', 'ftp://auth.example.com/x'])
    await assert.rejects(guardedFetch({ home: remote, lookup: resolved('93.184.216.34') })(address), isRefused, address);
  for (const address of ['10.0.0.1', '127.0.0.1', '169.254.169.254', '192.168.1.1', '::1', 'fd00::1', '::ffff:10.0.0.1']) {
    const lookup = async (name: string) => resolved(name === 'mcp.example.com' ? '93.184.216.34' : address)();
    await assert.rejects(guardedFetch({ home: remote, lookup })('https://auth.example.com/x'), isRefused, address);
  }
  const literal = guardedFetch({ home: remote, lookup: resolved('93.184.216.34') });
  for (const address of ['https://169.254.169.254/x', 'https://[::1]/x', 'https://2130706433/x']) await assert.rejects(literal(address), isRefused, address);
});

test('[CL-14] a server on this computer may name others here, every redirect is checked, and there are three at most', async () => {
  await withServer(
    (request, response) => {
      const hop = Number(new URL(request.url ?? '/', 'http://h').searchParams.get('hop'));
      const away = request.url === '/away' ? 'http://files.example.com/x' : undefined;
      if (hop === 0 && !away) response.end('{}');
      else response.writeHead(302, { Location: away ?? `/?hop=${hop - 1}` }).end();
    },
    async (origin) => {
      const get = guardedFetch({ home: local });

      assert.equal((await get(`${origin}/?hop=3`)).status, 200);
      await assert.rejects(get(`${origin}/?hop=4`), isRefused);
      await assert.rejects(get(`${origin}/away`), isRefused);
      assert.equal((await get(`${origin}/?hop=1`, { method: 'POST', body: 'a=b' })).status, 302, 'what is posted stays where it was sent');
    },
  );
});

test('[CL-14] an answer that does not end is cut off', async () => {
  await withServer(
    (_request, response) => {
      const more = (): void => void (response.destroyed || response.write('x'.repeat(64 * 1024), more));
      more();
    },
    async (origin) => {
      await assert.rejects(
        guardedFetch({ home: local })(origin),
        (error) => error instanceof Failure && error.exit === 'unreachable' && /too large/.test(error.why ?? ''),
      );
    },
  );
});
