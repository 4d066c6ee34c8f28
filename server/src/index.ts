/**
 * The public names of auth-agent-mcp-server, listed one by one: an authorization server to embed in any runtime that speaks fetch. The Node runtime is
 * `auth-agent-mcp-server/node`, development mode `auth-agent-mcp-server/demo`, the tests any storage driver must pass `auth-agent-mcp-server/storage/contract`.
 *
 *     import { createServer } from 'auth-agent-mcp-server';
 *     import { nodeLog, openDatabase } from 'auth-agent-mcp-server/node';
 *
 *     const server = createServer({ issuer: 'https://auth.example.com', secret, log: nodeLog(), driver: await openDatabase('sqlite:./auth-agent.db') });
 *     await server.storage.migrate(Math.floor(Date.now() / 1000));
 *     export default { fetch: (request) => server.fetch(request, { address: '…' }) };
 */
export type { AuthServer, Connection } from './app.ts';
export type { Log, LogFields } from './context.ts';
export { type ErrorCode, errorCodes } from './errors.ts';
export type { DocumentFetcher, ServerOptions } from './options.ts';
export { createServer } from './server.ts';
export { ConstraintError, type Driver, type Result, type Row, type Statement, StorageUnavailable, type Value } from './storage/driver.ts';
