/**
 * API keys of an MCP server in the management API: make, list, revoke (contracts §2). The secret is in the answer of its creation and nowhere else, ever.
 * Not here: the form of a key (servers/key-value.ts), what keys are for (token/introspect.ts).
 */
import * as z from 'zod';
import { auditEvent, type EventType } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, empty, json } from '../route.ts';
import { newKey } from '../servers/key-value.ts';
import { ConstraintError } from '../storage/driver.ts';
import type { McpServer, ServerKey, User } from '../storage/store.ts';
import { isoDate, type Operation, readBody } from './operation.ts';
import { authenticateOwner, ownedServer } from './owner.ts';
import { plainText } from './server-body.ts';

/** A key lives this long unless told otherwise, in seconds. */
export const keySeconds = 365 * 86400;
const longestKeySeconds = 3650 * 86400;
const expiryRule = 'expires_in is a whole number of seconds, from 60 to 315360000.';

const newKeyBody = z.strictObject({
  name: plainText(100, 'name is 1 to 100 characters of plain text.').meta({ examples: ['Production Key'] }),
  expires_in: z.int(expiryRule).min(60, expiryRule).max(longestKeySeconds, expiryRule).nullish().describe('Lifetime in seconds; one year unless said.'),
});
const newKeyView = z.strictObject({
  key_id: z.string().meta({ examples: ['sk_7fK3x9Qm2LpZ'] }),
  key_secret: z.string().describe('Shown this once: what the MCP server sends to /introspect.'),
  name: z.string(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
});
const keyView = z.strictObject({
  key_id: z.string(),
  name: z.string(),
  status: z.enum(['active', 'expired', 'revoked']),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  revoked_at: z.iso.datetime().optional(),
  last_used_at: z.iso.datetime().optional(),
});
const keyList = z.strictObject({ keys: z.array(keyView) });

async function createKey(exchange: Exchange, context: Context): Promise<Answer> {
  const owner = await authenticateOwner(exchange, context);
  const server = await ownedServer(owner, exchange, context);
  const body = await readBody(exchange, newKeyBody);

  const now = context.now();
  const { id, secret, hash } = newKey();
  const key: ServerKey = { id, serverId: server.id, name: body.name, secretHash: hash, createdAt: now, expiresAt: now + (body.expires_in ?? keySeconds) };
  await context.store.addKey(key, eventAbout('key.created', key.id, server, owner, exchange, context)).catch((error: unknown) => {
    // Removed by another request meanwhile.
    throw error instanceof ConstraintError ? new OAuthError('not_found', 'You have no server with this id') : error;
  });

  return json({ key_id: id, key_secret: secret, name: key.name, created_at: isoDate(now), expires_at: isoDate(key.expiresAt) }, 201);
}

async function listKeys(exchange: Exchange, context: Context): Promise<Answer> {
  const owner = await authenticateOwner(exchange, context);
  const server = await ownedServer(owner, exchange, context);

  const keys = await context.store.listKeys(server.id);

  return json({ keys: keys.map((key) => viewOfKey(key, context.now())) });
}

/** Idempotent: a key that is gone, or never was, is revoked enough (contracts §7.1). */
async function revokeKey(exchange: Exchange, context: Context): Promise<Answer> {
  const owner = await authenticateOwner(exchange, context);
  const server = await ownedServer(owner, exchange, context);
  const keyId = exchange.params.key_id ?? '';

  if (/^sk_[A-Za-z0-9_-]{1,64}$/.test(keyId))
    await context.store.revokeKey(server.id, keyId, eventAbout('key.revoked', keyId, server, owner, exchange, context));

  return empty(204);
}

/** What may be told about a key: everything but its secret. */
export function viewOfKey(key: ServerKey, now: number): z.infer<typeof keyView> {
  const { id, name, revokedAt, lastUsedAt } = key;
  return {
    key_id: id,
    name,
    status: revokedAt !== undefined ? 'revoked' : key.expiresAt <= now ? 'expired' : 'active',
    created_at: isoDate(key.createdAt),
    expires_at: isoDate(key.expiresAt),
    revoked_at: revokedAt === undefined ? undefined : isoDate(revokedAt),
    last_used_at: lastUsedAt === undefined ? undefined : isoDate(lastUsedAt),
  };
}

function eventAbout(type: EventType, keyId: string, server: McpServer, owner: User, exchange: Exchange, context: Context) {
  const { address, requestId } = exchange;
  return auditEvent(type, context.now(), `user:${owner.id}`, { userId: owner.id, serverId: server.id, address, requestId, detail: { key_id: keyId } });
}

export const keyOperations: Operation[] = [
  {
    method: 'POST',
    path: '/api/servers/:id/keys',
    id: 'createKey',
    summary: 'Make an API key; its secret is shown once',
    body: newKeyBody,
    success: { status: 201, description: 'Made.', body: newKeyView },
    errors: [400, 403, 404, 413, 415],
    handle: createKey,
  },
  {
    method: 'GET',
    path: '/api/servers/:id/keys',
    id: 'listKeys',
    summary: 'List the keys of a server, without their secrets',
    success: { status: 200, description: 'The keys.', body: keyList },
    errors: [403, 404],
    handle: listKeys,
  },
  {
    method: 'DELETE',
    path: '/api/servers/:id/keys/:key_id',
    id: 'revokeKey',
    summary: 'Revoke a key; it fails from the next introspection on',
    success: { status: 204, description: 'Revoked, or was not there.' },
    errors: [403, 404],
    handle: revokeKey,
  },
];
