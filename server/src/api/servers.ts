/**
 * MCP servers in the management API: register, list, read, change, remove (contracts §2). An owner sees their own, an operator all. Not here: what a server
 * may say about itself (server-body.ts), its keys (keys.ts).
 */

import * as z from 'zod';
import { auditEvent, type EventType } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { randomWord } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import { type Answer, empty, json } from '../route.ts';
import type { McpServer, User } from '../storage/store.ts';
import { type Operation, readBody } from './operation.ts';
import { authenticateOwner, ownedServer } from './owner.ts';
import { changedServerBody, factsFrom, newServerBody, type ServerFacts, scopesProblem, serverView, viewOfServer } from './server-body.ts';

const pageLength = 50;
const longestPage = 200;
/** A change of one server loses to others at most so often. */
const tries = 5;
const listView = z.strictObject({ servers: z.array(serverView), next_cursor: z.string().optional().describe('Send it as `after` for the next page.') });

async function addServer(exchange: Exchange, context: Context): Promise<Answer> {
  const owner = await authenticateOwner(exchange, context);
  const body = await readBody(exchange, newServerBody);

  if (typeof body.user_id === 'string' && body.user_id !== owner.id) throw new OAuthError('forbidden', 'user_id must be the caller, or absent');
  const now = context.now();
  const facts = factsFrom(body) as ServerFacts;
  const server: McpServer = { ...facts, id: `srv_${randomWord(16)}`, ownerId: owner.id, createdAt: now, updatedAt: now };
  checkServer(server, context);

  const outcome = await context.store.addServer(server, eventAbout('server.added', server, owner, exchange, context));
  if (outcome === 'taken') throw taken();

  return json(viewOfServer(server, context.issuer), 201, { Location: `${context.issuer}/api/servers/${server.id}` });
}

async function listServers(exchange: Exchange, context: Context): Promise<Answer> {
  const owner = await authenticateOwner(exchange, context);
  const { limit, after } = pageOf(exchange.request);

  const found = await context.store.listServers({ ownerId: owner.role === 'operator' ? undefined : owner.id, limit: limit + 1, after });

  const servers = found.slice(0, limit);
  return json({
    servers: servers.map((server) => viewOfServer(server, context.issuer)),
    next_cursor: found.length > limit ? cursorOf(servers.at(-1)) : undefined,
  });
}

async function showServer(exchange: Exchange, context: Context): Promise<Answer> {
  const owner = await authenticateOwner(exchange, context);
  return json(viewOfServer(await ownedServer(owner, exchange, context), context.issuer));
}

async function changeServer(exchange: Exchange, context: Context): Promise<Answer> {
  const owner = await authenticateOwner(exchange, context);
  let seen = await ownedServer(owner, exchange, context);
  const body = await readBody(exchange, changedServerBody);

  for (let tried = 0; tried < tries; tried++) {
    const server: McpServer = { ...seen, ...factsFrom(body, seen), updatedAt: context.now() };
    checkServer(server, context);

    const outcome = await context.store.updateServer(server, eventAbout('server.updated', server, owner, exchange, context), seen);
    if (outcome === 'updated') return json(viewOfServer(server, context.issuer));
    if (outcome === 'taken') throw taken();
    // Gone, or changed by somebody else whose change must stay (RFC 5789 §2.2).
    seen = await ownedServer(owner, exchange, context);
  }
  throw new OAuthError('temporarily_unavailable', 'Others change this server at this moment, try again', { headers: { 'Retry-After': '1' } });
}

async function removeServer(exchange: Exchange, context: Context): Promise<Answer> {
  const owner = await authenticateOwner(exchange, context);
  const server = await ownedServer(owner, exchange, context);

  await context.store.removeServer(server.id, eventAbout('server.removed', server, owner, exchange, context));

  return empty(204);
}

/** Tokens for the authorization server itself must never be tokens for somebody's server. */
function checkServer(server: McpServer, context: Context): void {
  const problem = scopesProblem(server.scopes, server.defaultScopes);
  if (problem) throw new OAuthError('invalid_request', problem);
  if (server.resource === context.issuer || server.resource === context.options.issuer) throw taken();
}

const taken = () => new OAuthError('server_url_taken', 'Another registered server has this server_url');

function eventAbout(type: EventType, server: McpServer, owner: User, exchange: Exchange, context: Context) {
  const { address, requestId } = exchange;
  return auditEvent(type, context.now(), `user:${owner.id}`, {
    userId: owner.id,
    serverId: server.id,
    address,
    requestId,
    detail: { resource: server.resource },
  });
}

type Place = Pick<McpServer, 'createdAt' | 'id'>;

/** A place in the list, not a server: the next page begins there even when that server was removed meanwhile. */
function cursorOf(last: Place | undefined): string | undefined {
  return last && `${last.createdAt}.${last.id}`;
}

function pageOf(request: HttpRequest): { limit: number; after?: Place } {
  const query = new URL(request.url).searchParams;
  const limit = query.get('limit') || String(pageLength);
  const after = query.get('after') || undefined;
  if (!/^[1-9][0-9]{0,2}$/.test(limit) || Number(limit) > longestPage) throw new OAuthError('invalid_request', 'limit is a number from 1 to 200');
  if (after === undefined) return { limit: Number(limit) };
  const [, createdAt, id] = /^([0-9]{1,12})\.(srv_[A-Za-z0-9_-]{1,64})$/.exec(after) ?? [];
  if (createdAt === undefined || id === undefined) throw new OAuthError('invalid_request', 'after is the next_cursor of the page before');
  return { limit: Number(limit), after: { createdAt: Number(createdAt), id } };
}

export const serverOperations: Operation[] = [
  {
    method: 'POST',
    path: '/api/servers',
    id: 'addServer',
    summary: 'Register an MCP server',
    body: newServerBody,
    success: { status: 201, description: 'Registered.', body: serverView },
    errors: [400, 403, 409, 413, 415],
    handle: addServer,
  },
  {
    method: 'GET',
    path: '/api/servers',
    id: 'listServers',
    summary: 'List your MCP servers (an operator: all), oldest first',
    query: { limit: 'At most this many, 1 to 200; 50 unless said.', after: 'next_cursor of the page before.' },
    success: { status: 200, description: 'A page of servers.', body: listView },
    errors: [400, 403],
    handle: listServers,
  },
  {
    method: 'GET',
    path: '/api/servers/:id',
    id: 'showServer',
    summary: 'Read one server',
    success: { status: 200, description: 'The server.', body: serverView },
    errors: [403, 404],
    handle: showServer,
  },
  {
    method: 'PATCH',
    path: '/api/servers/:id',
    id: 'changeServer',
    summary: 'Change a server (RFC 7396: absent stays, null removes)',
    body: changedServerBody,
    success: { status: 200, description: 'Changed.', body: serverView },
    errors: [400, 403, 404, 409, 413, 415],
    handle: changeServer,
  },
  {
    method: 'DELETE',
    path: '/api/servers/:id',
    id: 'removeServer',
    summary: 'Remove a server, its keys, and what people allowed on it',
    success: { status: 204, description: 'Gone.' },
    errors: [403, 404],
    handle: removeServer,
  },
];
