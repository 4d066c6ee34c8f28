/**
 * The Node runtime as one public entry, `auth-agent-mcp-server/node`: the names, listed one by one.
 *
 *     import { createServer } from 'auth-agent-mcp-server';
 *     import { nodeLog, openDatabase, startNode } from 'auth-agent-mcp-server/node';
 *
 *     const log = nodeLog();
 *     const server = createServer({ issuer, secret, log, driver: await openDatabase('sqlite:./auth-agent.db') });
 *     await startNode({ ...server, log, host: '127.0.0.1', port: 9000, close: () => server.storage.close() });
 */
export { type Config, type ConfigInput, loadConfig } from './config.ts';
export { backUp, databaseFile, openDatabase, parseDatabaseUrl } from './database.ts';
export { type DevelopmentSettings, type RunningDevelopment, startDevelopment } from './development.ts';
export { type LogFormat, type LogOptions, nodeLog } from './log.ts';
export { nearest } from './nearest.ts';
export { pinnedFetcher } from './pinned-fetch.ts';
export { type CheckedConfig, checkProduction, type Production, refuseDemoDatabase, serverFrom, startProduction } from './production.ts';
export { redactText } from './redact.ts';
export { type NodeOptions, type RunningServer, startNode } from './serve.ts';
export { flagOf, type Setting, settings, variableOf } from './settings.ts';
export { StartRefused } from './start-refused.ts';
