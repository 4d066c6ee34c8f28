/**
 * Who may use the management API: the person behind an owner token `aat_…`, sent as a Bearer token and nowhere else, so that no browser can be talked into
 * sending it (CORS-10). A token that was sent and is wrong is 401, never a fall-back (contracts §7.1).
 */
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import type { McpServer, User } from '../storage/store.ts';

const tokenPattern = /^aat_[A-Za-z0-9_-]{32,128}$/;
const challenge = 'Bearer realm="auth-agent management API"';

/** The owner or operator who calls. @throws {OAuthError} unauthorized (RFC 6750 §3.1, with the corrected call in `example`), forbidden for a person without that role. */
export async function authenticateOwner(exchange: Exchange, context: Context): Promise<User> {
  const header = exchange.request.headers.get('authorization');
  if (header === null) throw unauthorized('Send an owner token: Authorization: Bearer aat_...', challenge, exchange, context);
  const token = /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '';
  const user = tokenPattern.test(token) ? await ownerOf(sha256(token), context) : undefined;
  if (!user) throw unauthorized(whyRefused(token), `${challenge}, error="invalid_token"`, exchange, context);
  if (user.role === 'user') throw new OAuthError('forbidden', 'This person is neither owner nor operator');
  return user;
}

function ownerOf(tokenHash: string, context: Context): Promise<User | undefined> {
  context.limits.checkHere('api.owner', tokenHash);
  return context.store.findOwner(tokenHash, context.now());
}

/** The server of the path, if it is this person's or this person is an operator. Anybody else's is 404, as if it did not exist. */
export async function ownedServer(owner: User, exchange: Exchange, context: Context): Promise<McpServer> {
  const id = exchange.params.id ?? '';
  const server = /^srv_[A-Za-z0-9_-]{1,64}$/.test(id) ? await context.store.findServer(id) : undefined;
  if (!server || (server.ownerId !== owner.id && owner.role !== 'operator')) throw new OAuthError('not_found', 'You have no server with this id');
  return server;
}

function whyRefused(token: string): string {
  if (token.startsWith('sk_')) return 'This is an API key of an MCP server; the management API takes an owner token, aat_...';
  if (token.startsWith('eyJ')) return 'This is an access token; the management API takes an owner token, aat_...';
  return 'The owner token is malformed, unknown, expired or revoked';
}

function unauthorized(text: string, authenticate: string, exchange: Exchange, context: Context): OAuthError {
  return new OAuthError('unauthorized', text, { headers: { 'WWW-Authenticate': authenticate }, members: { example: correctedCurl(exchange, context) } });
}

/** The call that would have worked, made of constants and the configured issuer only. */
function correctedCurl({ request, params }: Exchange, context: Context): string {
  const keys = params.key_id !== undefined ? '/keys/$KEY_ID' : new URL(request.url).pathname.endsWith('/keys') ? '/keys' : '';
  const path = params.id === undefined ? '/api/servers' : `/api/servers/$SERVER_ID${keys}`;
  const method = request.method === 'GET' || request.method === 'HEAD' ? '' : `-X ${request.method} `;
  const body = request.method === 'POST' ? ` -H 'Content-Type: application/json' -d '${keys === '' ? exampleServer : exampleKey}'` : '';
  return `curl ${method}${context.issuer}${path} -H 'Authorization: Bearer aat_...'${body}`;
}

const exampleServer = '{"server_url":"https://your-mcp-server.com","server_name":"My File Server","scopes":["files:read","files:write"]}';
const exampleKey = '{"name":"Production Key"}';
