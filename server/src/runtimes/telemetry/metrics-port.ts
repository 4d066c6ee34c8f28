/**
 * The port where Prometheus reads: its own, on loopback unless told otherwise, never that of the server. It answers GET /metrics and nothing else.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StartRefused } from '../start-refused.ts';

export type MetricsPort = { url: string; close(): Promise<void> };

/** Listens. @throws {StartRefused} when the port cannot be had. */
export async function openMetricsPort({ host, port }: { host: string; port: number }, text: () => string): Promise<MetricsPort> {
  const server = createServer({ headersTimeout: 5000, requestTimeout: 5000 }, ({ method, url }, response) => {
    if (url?.split('?')[0] !== '/metrics') return void response.writeHead(404).end();
    if (method !== 'GET' && method !== 'HEAD') return void response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' }).end(text());
  });
  try {
    await listening(server, host, port);
  } catch (cause) {
    throw new StartRefused(`The metrics cannot be read on port ${port} of ${host}`, {
      kind: 'conflict',
      why: cause instanceof Error ? cause.message : 'The port cannot be had.',
      fix: 'Take another: AUTH_AGENT_METRICS_PORT, AUTH_AGENT_METRICS_HOST',
      cause,
    });
  }
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
