/**
 * A stage on which node:http plays the authorization server, in whatever state a test needs, and MCP servers run on real sockets.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

/** One request as the played server got it. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
}

/** What the played server says; `hang` never answers. */
export type Reply = { status?: number; headers?: Record<string, string>; body?: unknown; raw?: string } | 'hang';

/** A played authorization server. Tests change `reply` as they go. */
export interface PlayedServer {
  readonly url: string;
  readonly received: Received[];
  reply: (request: Received) => Reply | Promise<Reply>;
  asked(path: string): number;
}

export const startOfTime = 1_800_000_000;
export const resource = 'https://files.example.com/mcp';

/** Starts listening on a free port of loopback until the test ends. */
export async function listen(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

/** Starts a played authorization server that knows every token to be good. */
export async function playAuthorizationServer(t: TestContext): Promise<PlayedServer> {
  const received: Received[] = [];
  const url = await listen(t, (request, response) => void answer(request, response));
  const played: PlayedServer = {
    url,
    received,
    reply: (request) => goodReply(request, url),
    asked: (path) => received.filter((one) => one.path === path).length,
  };
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const got = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, form: new URLSearchParams(await text(request)) };
    received.push(got);
    const reply = await played.reply(got);
    if (reply === 'hang') return;
    response.writeHead(reply.status ?? 200, { 'Content-Type': 'application/json', ...reply.headers });
    response.end(reply.raw ?? JSON.stringify(reply.body ?? {}));
  }
  return played;
}

/** What a healthy authorization server says. */
export function goodReply({ path }: Received, url: string): Reply {
  if (path === '/introspect') return { body: activeAnswer(url) };
  if (path === '/revoke') return { status: 200, body: {} };
  if (path.startsWith('/.well-known/oauth-protected-resource/')) return { body: registered(url) };
  return { status: 404, body: { error: 'not_found' } };
}

/** An active introspection answer; `changes` override members. */
export function activeAnswer(issuer: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    active: true,
    sub: 'usr_1',
    username: 'testuser',
    email: 'testuser@example.com',
    client_id: 'client_a',
    scope: 'files:read',
    aud: resource,
    iss: issuer,
    exp: startOfTime + 3600,
    iat: startOfTime - 10,
    jti: 'j1',
    token_type: 'Bearer',
    grant_id: 'grant_1',
    ...changes,
  };
}

/** The document the authorization server publishes about srv_abc123. */
export function registered(issuer: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { resource, authorization_servers: [issuer], scopes_supported: ['files:read', 'files:write'], resource_name: 'My File Server', ...changes };
}

/** Options for a played server with a clock that stands still. */
export function optionsFor(played: { readonly url: string }) {
  return { serverId: 'srv_abc123', apiKey: 'sk_test_secret', authServerUrl: played.url, now: () => startOfTime, log: () => undefined } as const;
}
