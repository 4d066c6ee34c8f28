/** Bound tokens through every adapter: the same vectors, over whatever the framework does to requests. */
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { activeAnswer, listen, optionsFor, playAuthorizationServer, resource } from '../../test/stage.ts';
import { readVectors } from '../../test/vectors.ts';
import { requireAuth } from './express.ts';
import { protect as protectFetch } from './fetch.ts';
import { authAgentMiddleware } from './hono.ts';
import { mcpTokenVerifier } from './mcp.ts';
import { mcpTokenVerifier as mcpTokenVerifierV1 } from './mcp-v1.ts';
import { protect } from './node.ts';

type Call = { authorization: string; dpop: string; status: number; dpop_nonce?: string | null };
const { cases } = readVectors<{ cases: { name: string; requirements: string[]; token: Record<string, unknown>; nonce_secret?: string; calls: Call[] }[] }>(
  'dpop-requests',
);
const vector = (name: string) => {
  const found = cases.find((one) => one.name.startsWith(name));
  assert.ok(found);
  return found;
};
const once = vector('a proof works once');
const nonces = vector('nonces: that of the window before');

type Options = ReturnType<typeof optionsFor> & { resource: string; requiredScopes: string[]; dpopNonceSecret?: string };
type Start = (t: TestContext, options: Options) => Promise<string>;
const require = createRequire(import.meta.url);

const adapters: Record<string, Start> = {
  hono: async (t, options) => {
    const app = new Hono();
    app.use('*', authAgentMiddleware(options));
    app.post('/mcp', (c) => c.text('reached'));
    return new Promise((resolve) => {
      const server = serve({ overrideGlobalObjects: false, fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
        resolve(`http://127.0.0.1:${port}`),
      );
      t.after(() => void server.close());
    });
  },
  express: (t, options) => {
    const app = (require('express') as () => RequestListener & { use(...handlers: unknown[]): void })();
    app.use(requireAuth(options));
    app.use((_request: unknown, response: { send(text: string): void }) => response.send('reached'));
    return listen(t, app);
  },
  node: (t, options) =>
    listen(
      t,
      protect(options, (_request, response) => void response.end('reached')),
    ),
};

for (const [name, start] of Object.entries(adapters)) {
  test(`[DPR-01] [DPR-05] [DPR-07] ${name}: a proof works once, and an expected nonce is announced on the answer that passes`, async (t) => {
    for (const { token, calls, nonce_secret: dpopNonceSecret } of [once, nonces]) {
      const url = await stand(t, start, token, dpopNonceSecret);
      for (const { authorization, dpop, status, dpop_nonce: nonce } of calls) {
        const response = await fetch(`${url}/mcp`, { method: 'POST', headers: { Authorization: authorization, DPoP: dpop } });
        assert.equal(response.status, status);
        if (nonce !== undefined) assert.equal(response.headers.get('dpop-nonce'), nonce);
      }
    }
  });

  test(`[DPR-01] ${name}: two DPoP headers are no proof`, async (t) => {
    const url = new URL(await stand(t, start, once.token));
    const [{ authorization, dpop }, { dpop: second }] = [once.calls[0], once.calls[2]] as [Call, Call];

    const status = await sendRaw(url, [`Authorization: ${authorization}`, `DPoP: ${dpop}`, `DPoP: ${second}`]);

    assert.equal(status, 401);
  });
}

test('[DPR-02] the verifiers for the official SDKs, which see no request, refuse bound tokens', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: activeAnswer(played.url, once.token) });
  const options = { ...optionsFor(played), resource };

  await assert.rejects(mcpTokenVerifier(options).verifyAccessToken('abc'), /invalid/);
  await assert.rejects(mcpTokenVerifierV1(options).verifyAccessToken('abc'), /invalid/);
});

test('[CORS-08] [DPR-04] a browser can read the nonce of an answer that passes', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: activeAnswer(played.url, nonces.token) });
  const options = { ...optionsFor(played), resource, dpopNonceSecret: nonces.nonce_secret ?? '', allowedOrigins: ['https://app.example.com'] };
  const handle = protectFetch(options, () => new Response('reached'));
  const [{ authorization, dpop, dpop_nonce: nonce }] = nonces.calls as [Call];

  const response = await handle(
    new Request(resource, { method: 'POST', headers: { Origin: 'https://app.example.com', Authorization: authorization, DPoP: dpop } }),
  );

  assert.equal(response.headers.get('dpop-nonce'), nonce);
  assert.match(response.headers.get('access-control-expose-headers') ?? '', /DPoP-Nonce/);
});

async function stand(t: TestContext, start: Start, token: Record<string, unknown>, dpopNonceSecret?: string): Promise<string> {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: activeAnswer(played.url, token) });
  return start(t, { ...optionsFor(played), resource, requiredScopes: ['files:read'], ...(dpopNonceSecret !== undefined && { dpopNonceSecret }) });
}

/** fetch would join the headers itself. */
function sendRaw({ hostname, port }: URL, headers: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname === 'localhost' ? '127.0.0.1' : hostname);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      socket.destroy();
      resolve(Number(chunk.toString('latin1', 9, 12)));
    });
    socket.write(['POST /mcp HTTP/1.1', 'Host: x', 'Content-Length: 0', ...headers, '', ''].join('\r\n'));
  });
}
