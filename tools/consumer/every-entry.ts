/**
 * A program that uses every entry of the packages as they are published, for a compiler that believes no declaration unseen (`skipLibCheck: false`):
 * `tsc -p tools/consumer`, after `npm run build`. `mcp-v1` is not here, because the declarations of the official SDK v1 need those of Express.
 */
export * as sdk from 'auth-agent-mcp-sdk';
export * as agent from 'auth-agent-mcp-sdk/agent';
export * as express from 'auth-agent-mcp-sdk/express';
export * as fetchHandler from 'auth-agent-mcp-sdk/fetch';
export * as hono from 'auth-agent-mcp-sdk/hono';
export * as mcp from 'auth-agent-mcp-sdk/mcp';
export * as node from 'auth-agent-mcp-sdk/node';
export * as server from 'auth-agent-mcp-server';
export * as demo from 'auth-agent-mcp-server/demo';
export * as nodeServer from 'auth-agent-mcp-server/node';
export * as contract from 'auth-agent-mcp-server/storage/contract';
export * as workers from 'auth-agent-mcp-server/workers';
