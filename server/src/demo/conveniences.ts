/**
 * What development mode makes easier (contracts §3, the rows marked dev), as rewriting in front of the server: a local request that lacks something gets it
 * here, and the server behind sees only what production would accept. So no line outside this room knows a shortcut, and none can be reached without it.
 */

import type { AuthServer, Connection } from '../app.ts';
import { auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import { checksum, sha256 } from '../crypto/hash.ts';
import { decodeJwt } from '../crypto/jwt.ts';
import { randomId } from '../crypto/random.ts';
import type { HttpRequest } from '../http-request.ts';
import { pageFrame } from '../page-frame.ts';
import { headersFor, json, page, reply, toResponse } from '../route.ts';
import { codeDisplayPage } from '../views/code-display-page.ts';
import { type CaughtMail, mailboxPage } from '../views/mailbox-page.ts';
import { noticePage } from '../views/notice-page.ts';
import { codePagePath, demoKeyId, demoServerIds, demoUser, outOfBand } from './data.ts';
import { isLocal, isThisComputer } from './local.ts';
import { mailboxPath } from './mailbox.ts';

type LocalRequest = { request: Request; url: URL; path: string; context: Context; connection: Connection; server: AuthServer };
/** Answers, rewrites the request, or leaves it to the next. */
type Convenience = (local: LocalRequest) => Promise<Response | Request | undefined> | Response | Request | undefined;

const tenYears = 10 * 365 * 86400;
/** Requests whose pages say that their code could never be redeemed. */
const hopelessRequests = new WeakSet<HttpRequest>();

/** The banner of every page in development mode. */
export function developmentNotice(request: HttpRequest): { title: string; text: string } {
  const text = hopelessRequests.has(request)
    ? 'code_challenge=test is for looking at this page only: a code for it could never be redeemed, so none will be made.'
    : 'Test passwords work here. This server answers this computer only.';
  return { title: 'Development mode', text };
}

/** Wraps a server. Whatever is not local reaches it untouched, except that signing in with the demo password needs this computer. */
export function withConveniences(server: AuthServer, mails: readonly CaughtMail[]): AuthServer['fetch'] {
  const hopeless = hopelessChallenges();
  const list: Convenience[] = [
    codePage,
    debugClients,
    mailPage(mails),
    outOfBandAuthorize,
    hopeless.explain,
    hopeless.accept,
    outOfBandToken,
    introspectWithoutCredentials,
    bareKeyId,
  ];
  return async (request, connection) => {
    const context = (await server.context()) as Context;
    const url = new URL(request.url);
    if (!isThisComputer(request, connection.address) && request.method === 'POST' && url.pathname.endsWith('/login'))
      return refusedSignIn(request, connection, context);
    if (!isLocal(request, connection.address)) return server.fetch(request, connection);
    if (isOwnersApi(request, url.pathname)) return ownersApi({ request, url, path: url.pathname, context, connection, server });

    let current = request;
    for (const convenience of list) {
      const result = await convenience({ request: current, url: new URL(current.url), path: url.pathname, context, connection, server });
      if (result instanceof Response) return result;
      current = result ?? current;
    }
    return server.fetch(current, connection);
  };
}

/** POST /api/servers and its kin without credentials act as the demo owner; the answer says so. */
async function ownersApi({ request, context, connection, server }: LocalRequest): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set('Authorization', `Bearer ${await demoOwnerToken(context)}`);
  const body = await withoutPlaceholder(request);
  const answer = await server.fetch(remade(request, request.url, headers, body), connection);
  if (answer.status !== 201) return answer;
  const created = (await answer.json()) as Record<string, unknown>;
  const warning = 'Development mode: no owner token was needed. Production answers 401 here.';
  return new Response(JSON.stringify({ ...created, warning }), { status: 201, headers: answer.headers });
}

function isOwnersApi(request: Request, path: string): boolean {
  return /^\/api\/servers(\/|$)/.test(path) && !request.headers.has('authorization');
}

/** The documents print `"user_id": "your-user-uuid"`: a placeholder, not a claim. */
async function withoutPlaceholder(request: Request): Promise<string | undefined> {
  const text = await bodyOf(request);
  if (text === undefined) return undefined;
  try {
    const { user_id: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
    return JSON.stringify(rest);
  } catch {
    return text;
  }
}

async function demoOwnerToken(context: Context): Promise<string> {
  const token = `aat_${context.instance.mac('development owner')}`;
  const tokenHash = sha256(token);
  if (!(await context.store.findOwner(tokenHash, context.now()))) {
    const now = context.now();
    const row = { id: 'oat_development', tokenHash, userId: demoUser.id, name: 'Development mode', createdAt: now, expiresAt: now + tenYears };
    await context.store.addOwnerToken(row, auditEvent('owner_token.created', now, 'system'));
  }
  return token;
}

/** The bare id of the demo key works as the key. */
async function bareKeyId({ request, path, context }: LocalRequest): Promise<Request | undefined> {
  if (!/^\/(oauth\/)?(introspect|revoke)$/.test(path) || request.headers.get('authorization') !== `Bearer ${demoKeyId}`) return undefined;
  return authorized(request, await demoKey('srv_abc123', context));
}

/** On the alias only, and only about demo data (contracts §7.3). */
async function introspectWithoutCredentials({ request, path, context }: LocalRequest): Promise<Request | undefined> {
  if (path !== '/oauth/introspect' || request.method !== 'POST' || request.headers.has('authorization')) return undefined;
  const body = (await bodyOf(request)) ?? '';
  const rebuilt = remade(request, request.url, new Headers(request.headers), body);
  const token = (await parameter(body, request, 'token')) ?? '';
  const claims = decodeJwt(token)?.claims;
  const serverId = claims && (await context.store.findServerByResource(String(claims['aud'])))?.id;
  const client = claims && (await context.store.findClient(String(claims['client_id'])));
  if (serverId === undefined || !(demoServerIds.includes(serverId) || client?.registration === 'demo')) return rebuilt;
  return authorized(rebuilt, await demoKey(serverId, context));
}

/** A key of this machine for a server: derived, so it needs no place to be kept; its row is made on first use. */
async function demoKey(serverId: string, context: Context): Promise<string> {
  const secret = context.instance.mac('development key', serverId);
  const id = `sk_${secret.replace(/[_-]/g, '').slice(0, 12)}`;
  const body = `${id}_${secret}`;
  const value = body + checksum(body);
  const secretHash = sha256(value);
  if (!(await context.store.findKey(secretHash))) {
    const now = context.now();
    const name = 'Development mode';
    const row = { id: serverId === 'srv_abc123' ? demoKeyId : id, serverId, name, secretHash, createdAt: now, expiresAt: now + tenYears };
    await context.store.addKey(row, auditEvent('key.created', now, 'system', { serverId }));
  }
  return value;
}

/** `urn:ietf:wg:oauth:2.0:oob` becomes a page of ours that shows the code, and back again at the token endpoint. */
function outOfBandAuthorize({ request, url, path, context }: LocalRequest): Request | undefined {
  if (!isAuthorize(request, path) || url.searchParams.get('redirect_uri') !== outOfBand) return undefined;
  url.searchParams.set('redirect_uri', context.issuer + codePagePath);
  return remade(request, url.href, new Headers(request.headers));
}

async function outOfBandToken({ request, path, context }: LocalRequest): Promise<Request | undefined> {
  if (!/^\/(oauth\/)?token$/.test(path) || request.method !== 'POST') return undefined;
  const body = (await bodyOf(request)) ?? '';
  const target = context.issuer + codePagePath;
  return remade(
    request,
    request.url,
    new Headers(request.headers),
    body.replaceAll(outOfBand, target).replaceAll(encodeURIComponent(outOfBand), encodeURIComponent(target)),
  );
}

function codePage({ request, url, path, context, connection }: LocalRequest): Response | undefined {
  if (path !== codePagePath || request.method !== 'GET') return undefined;
  const frame = pageFrame({ request, address: connection.address, requestId: 'development', params: {} }, context);
  const code = url.searchParams.get('code');
  const body = code
    ? codeDisplayPage(frame, { code, state: url.searchParams.get('state') ?? undefined, clientName: 'your client' })
    : noticePage(frame, { title: 'No code', text: 'The request was denied or failed. Nothing was shared.' });
  return toResponse(reply(page(body), headersFor('popup', false)));
}

/** GET /debug/clients: the demo clients, secrets masked. */
async function debugClients({ request, path, context }: LocalRequest): Promise<Response | undefined> {
  if (path !== '/debug/clients' || request.method !== 'GET') return undefined;
  const clients = (await context.store.listClients()).map((client) => ({
    client_id: client.id,
    client_name: client.metadata.clientName,
    client_secret: client.secretHash === undefined ? undefined : '********',
    redirect_uris: client.metadata.redirectUris.map((uri) => (uri === context.issuer + codePagePath ? outOfBand : uri)),
    grant_types: client.metadata.grantTypes,
    scope: client.metadata.scope,
  }));
  return toResponse(reply(json({ clients }), headersFor('private', false)));
}

/** GET /dev/mail: what would have been sent. */
function mailPage(mails: readonly CaughtMail[]): Convenience {
  return ({ request, path, context, connection }) => {
    if (path !== mailboxPath || request.method !== 'GET') return undefined;
    const frame = pageFrame({ request, address: connection.address, requestId: 'development', params: {} }, context);
    return toResponse(reply(page(mailboxPage(frame, { mails, issuer: context.issuer })), headersFor('page', false)));
  };
}

/**
 * `code_challenge=test` (document 003) shows the sign-in form although nothing can ever be redeemed: the server gets a challenge that nobody knows the
 * verifier of, and what follows the sign-in is an explanation instead of a code.
 */
function hopelessChallenges(): { accept: Convenience; explain: Convenience } {
  const requests = new Set<string>();

  async function accept({ request, url, path, context, connection, server }: LocalRequest): Promise<Request | Response | undefined> {
    if (!isAuthorize(request, path) || url.searchParams.get('code_challenge') !== 'test') return undefined;
    url.searchParams.set('code_challenge', sha256(randomId('', 32)));
    const rewritten = remade(request, url.href, new Headers(request.headers));
    hopelessRequests.add(rewritten);
    const answer = await server.fetch(rewritten, connection);
    const html = await answer.text();
    const tx = /name="tx" value="([A-Za-z0-9_-]+)"/.exec(html)?.[1] ?? /[?&]tx=([A-Za-z0-9_-]+)/.exec(answer.headers.get('location') ?? '')?.[1];
    if (tx === undefined) return new Response(html, answer);
    requests.add(tx);
    return html.includes('name="password"') ? new Response(html, answer) : explanation({ request, context, connection });
  }

  async function explain({ request, url, path, context, connection }: LocalRequest): Promise<Response | Request | undefined> {
    if (requests.size === 0 || !/^\/(authorize\/(consent|return)|consent)$/.test(path)) return undefined;
    const body = request.method === 'POST' ? ((await bodyOf(request)) ?? '') : undefined;
    const tx = body === undefined ? url.searchParams.get('tx') : await parameter(body, request, 'tx');
    if (tx && requests.has(tx)) return explanation({ request, context, connection });
    return body === undefined ? undefined : remade(request, request.url, new Headers(request.headers), body);
  }
  return { accept, explain };
}

function explanation({ request, context, connection }: Pick<LocalRequest, 'request' | 'context' | 'connection'>): Response {
  const frame = pageFrame({ request, address: connection.address, requestId: 'development', params: {} }, context);
  const text =
    'You are signed in, but the request said code_challenge=test. Nobody can know a verifier for that, so no code was made. Use a real S256 challenge to go on.';
  return toResponse(reply(page(noticePage(frame, { title: 'No code for code_challenge=test', text })), headersFor('popup', false)));
}

function refusedSignIn(request: Request, connection: Connection, context: Context): Response {
  const frame = pageFrame({ request, address: connection.address, requestId: 'development', params: {} }, context);
  const text = 'Development mode accepts its test password from this computer only, never through a proxy or tunnel. For others, use auth-agent start.';
  return toResponse(reply(page(noticePage(frame, { title: 'This computer only', text }), 403), headersFor('page', false)));
}

function isAuthorize(request: Request, path: string): boolean {
  return request.method === 'GET' && /^\/(oauth\/)?authorize$/.test(path);
}

/** Made from its parts: a request from a socket is not one that `new Request` takes. */
async function authorized(request: Request, key: string): Promise<Request> {
  const headers = new Headers(request.headers);
  headers.set('Authorization', `Bearer ${key}`);
  return remade(request, request.url, headers, await bodyOf(request));
}

async function bodyOf(request: Request): Promise<string | undefined> {
  return request.method === 'GET' || request.method === 'HEAD' ? undefined : request.text();
}

function remade(request: Request, url: string, headers: Headers, body?: string): Request {
  headers.delete('content-length');
  return new Request(url, { method: request.method, headers, body, redirect: 'manual' });
}

async function parameter(body: string, request: Request, name: string): Promise<string | undefined> {
  if (!(request.headers.get('content-type') ?? '').includes('json')) return new URLSearchParams(body).get(name) ?? undefined;
  try {
    const value = (JSON.parse(body) as Record<string, unknown>)[name];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
