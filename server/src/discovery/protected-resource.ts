/**
 * Protected resource metadata (RFC 9728), hosted here for registered MCP servers, and the document of the authorization server's own API. MCP servers serve
 * the same on their own origin through the SDKs, which is where clients look first.
 */
import type { Context, Exchange } from '../context.ts';
import { dpopAlgorithms } from '../crypto/dpop-proof.ts';
import { OAuthError } from '../errors.ts';
import type { Answer } from '../route.ts';
import { identityScopes } from '../rules/scope.ts';
import type { McpServer } from '../storage/store.ts';
import { answerDocument, type PublicDocument, publicDocument } from './document.ts';

const ownDocumentOf = new WeakMap<Context, PublicDocument>();
const keptDocumentsOf = new WeakMap<Context, { at: number; documents: Map<string, PublicDocument> }>();
const keptAtMost = 1000;

/** The handler of /.well-known/oauth-protected-resource: this server's own API; its resource id is the issuer (contracts §7.4). */
export function ownProtectedResource(exchange: Exchange, context: Context): Answer {
  const { issuer, options } = context;
  const scopes = identityScopes.filter((scope) => scope !== 'offline_access');
  const document =
    ownDocumentOf.get(context) ?? publicDocument(resourceMetadata(context, { resource: issuer, name: options.serviceName, scopes, dpopAlgorithms }));
  ownDocumentOf.set(context, document);
  return answerDocument(document, exchange);
}

/** The handler of /.well-known/oauth-protected-resource/:server_id. */
export async function serverProtectedResource(exchange: Exchange, context: Context): Promise<Answer> {
  const id = exchange.params.server_id ?? '';
  const kept = keptOf(context);
  const document = kept.get(id) ?? (await documentOf(id, context));
  if (kept.size >= keptAtMost) kept.clear();
  kept.set(id, document);
  return answerDocument(document, exchange);
}

async function documentOf(id: string, context: Context): Promise<PublicDocument> {
  const server = /^[A-Za-z0-9_-]{1,64}$/.test(id) ? await context.store.findServer(id) : undefined;
  if (!server) throw new OAuthError('not_found', 'There is no such server');
  return publicDocument(resourceMetadata(context, { ...server, scopes: resourceScopes(server) }));
}

/** Documents of this second: others may keep them for ten minutes anyway, and this endpoint is asked by every client that connects. */
function keptOf(context: Context): Map<string, PublicDocument> {
  const now = context.now();
  const known = keptDocumentsOf.get(context);
  if (known?.at === now) return known.documents;
  const documents = new Map<string, PublicDocument>();
  keptDocumentsOf.set(context, { at: now, documents });
  return documents;
}

/** PRM-05: clients without a challenge ask for all of these, so only what the resource itself understands is listed. */
function resourceScopes({ scopes }: McpServer): string[] {
  return scopes.map(({ name }) => name).filter((name) => !identityScopes.includes(name));
}

/** RFC 9728 §2. A list without members is left out (§3.2). */
type Described = { resource: string; name: string; scopes: string[]; dpopAlgorithms?: readonly string[] };
function resourceMetadata({ issuer }: Context, { resource, name, scopes, dpopAlgorithms }: Described): string {
  return JSON.stringify({
    resource,
    authorization_servers: [issuer],
    scopes_supported: scopes.length > 0 ? scopes : undefined,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: dpopAlgorithms,
    resource_name: name,
  });
}
