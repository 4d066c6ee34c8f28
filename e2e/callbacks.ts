/**
 * The far side of a redirect: programs that wait for the browser with the answer. One on loopback over http, as agents on this computer do, and one over https,
 * as hosted agents do, which also hands the browser on to an app's own scheme and tries to put our pages into a frame.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { selfSigned } from '../server/test/self-signed.ts';

export type Received = { url: URL; referrer: string | undefined };
export type Callbacks = {
  /** `http://127.0.0.1:<port>` */
  loopback: string;
  /** The port behind `https://app.example.org`. */
  httpsPort: number;
  /** Every call with parameters, oldest first. */
  received: Received[];
  close(): void;
};

export const hostedOrigin = 'https://app.example.org';
/** Where the hosted page sends the browser on to. */
export const appScheme = 'vscode://vscode.github-authentication/did-authenticate';

export async function openCallbacks(): Promise<Callbacks> {
  const received: Received[] = [];
  const answer = (origin: string) => (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', origin);
    if (url.search) received.push({ url, referrer: request.headers.referer });
    reply(url, response);
  };
  const loopback = createServer(answer('http://127.0.0.1'));
  const https = createTlsServer(selfSigned(['app.example.org']), answer(hostedOrigin));
  const [loopbackPort, httpsPort] = await Promise.all([portOf(loopback), portOf(https)]);
  return {
    loopback: `http://127.0.0.1:${loopbackPort}`,
    httpsPort,
    received,
    close: () => {
      for (const server of [loopback, https]) server.close().closeAllConnections();
    },
  };
}

function reply(url: URL, response: ServerResponse): void {
  // No content: the browser stays where it is, so that the page behind the redirect can be looked at.
  if (url.pathname === '/stay') return void response.writeHead(204).end();
  if (url.pathname === '/open-app') return void response.writeHead(302, { Location: appScheme + url.search }).end();
  const body = url.pathname === '/frame' ? `<iframe src="${url.searchParams.get('of')?.replaceAll('"', '')}"></iframe>` : '<h1>The agent has its answer</h1>';
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(`<!doctype html><title>Agent</title>${body}`);
}

/** Any free port of this computer. */
export function portOf(server: { listen(port: number, host: string, done: () => void): unknown; address(): AddressInfo | string | null }): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
