/**
 * The RFC 9728 document on the MCP server's own origin, where most clients look first: its contents, its addresses and who may read it (everybody).
 * Every URL comes from configuration, never from Host (PRM-07).
 */
import { type Answer, jsonAnswer } from './challenge.ts';
import type { AuthAgentClient } from './client.ts';
import { proofAlgorithms } from './dpop-proof.ts';
import { AuthServerUnavailable } from './errors.ts';
import type { Settings } from './options.ts';
import { pathAndQuery } from './resource.ts';
import { challengeScopes } from './scope.ts';
import { serverMetadataPath } from './server-metadata.ts';

/** RFC 9728 §3: inserted between host and path of the resource. */
export const wellKnown = '/.well-known/oauth-protected-resource';

/** A protected-resource metadata document (RFC 9728 §2). */
export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly dpop_signing_alg_values_supported: readonly string[];
  readonly dpop_bound_access_tokens_required?: true;
  readonly scopes_supported?: readonly string[];
  readonly resource_name?: string;
}

const publicHeaders = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
  'Access-Control-Allow-Headers': 'MCP-Protocol-Version, Accept, Content-Type',
};

/** Path, and query if the resource has one, of the document of a resource; a bare origin's is at the root (PRM-01). */
function metadataPath(resource: string): string {
  const rest = pathAndQuery(resource);
  return wellKnown + (rest === '/' ? '' : rest.replace(/^\/\?/, '?'));
}

/** What challenges point at: the document on our own origin when `resource` is configured, else the authorization server's about us (PRM-06). */
export function metadataUrl({ resource, issuer, serverId }: Pick<Settings, 'resource' | 'issuer' | 'serverId'>): string {
  return resource === undefined ? issuer + serverMetadataPath(serverId) : new URL(resource).origin + metadataPath(resource);
}

/** Whether a request target is for a metadata document, ours or not. Compared as it was received: nothing is decoded (RS-18). */
export function isMetadataTarget(target: string): boolean {
  return target.startsWith(wellKnown) && /^([/?]|$)/.test(target.slice(wellKnown.length));
}

/**
 * Answers a request for a metadata document: 200, 204 to OPTIONS, 405, 404 when it is of a resource that is none of these, 503 while that cannot be known.
 * With several resources on one host the root is 404, unless one of them is the root (PRM-02).
 */
export async function metadataAnswer({ method, target }: { method: string; target: string }, clients: readonly AuthAgentClient[]): Promise<Answer> {
  if (method === 'OPTIONS') return { status: 204, headers: { ...publicHeaders, 'Access-Control-Max-Age': '3600' }, body: null };
  if (method !== 'GET' && method !== 'HEAD') return jsonAnswer(405, { error: 'method_not_allowed' }, { ...publicHeaders, Allow: 'GET, HEAD, OPTIONS' });
  const answer = await findDocument(target, clients).catch(outageAnswer);
  return method === 'HEAD' ? { ...answer, body: null } : answer;
}

/** Builds the document of one server. While the authorization server is down its list of scopes is what this server is known to need. */
async function metadataDocument(client: AuthAgentClient): Promise<{ document: ProtectedResourceMetadata; complete: boolean }> {
  const { settings } = client;
  const registered = await client.getServerMetadata().catch((error: unknown) => {
    if (settings.resource === undefined || !(error instanceof AuthServerUnavailable)) throw error;
  });
  const scopes = (registered?.scopes ?? knownScopes(settings)).filter(
    (scope) => scope !== 'offline_access' && (scope !== 'openid' || settings.requiredScopes.includes(scope)),
  );
  const document: ProtectedResourceMetadata = {
    resource: settings.resource ?? (registered?.resource as string),
    authorization_servers: [settings.issuer],
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: proofAlgorithms,
    ...(settings.dpopRequired && { dpop_bound_access_tokens_required: true as const }),
    // RFC 9728 §3.2: no empty lists.
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    ...(registered?.name !== undefined && { resource_name: registered.name }),
  };
  return { document, complete: registered !== undefined };
}

async function findDocument(target: string, clients: readonly AuthAgentClient[]): Promise<Answer> {
  for (const client of clients) {
    const resource = client.settings.resource ?? (await client.getServerMetadata()).resource;
    const alone = clients.length === 1 && !client.settings.sharedHost;
    if (isDocumentTarget(target, resource, alone)) return documentAnswer(client);
  }
  return jsonAnswer(404, { error: 'not_found', error_description: 'No protected resource has its metadata at this address' }, publicHeaders);
}

/** PRM-01, PRM-02. A query that is not part of the resource is ignored: clients and caches add their own. */
function isDocumentTarget(target: string, resource: string, alone: boolean): boolean {
  const own = metadataPath(resource);
  const path = own.includes('?') ? target : target.replace(/\?.*$/s, '');
  return path === own || (alone && target.replace(/\?.*$/s, '') === wellKnown);
}

async function documentAnswer(client: AuthAgentClient): Promise<Answer> {
  const { document, complete } = await metadataDocument(client);
  return jsonAnswer(200, document, { ...publicHeaders, 'Cache-Control': `public, max-age=${complete ? 3600 : 60}` });
}

function outageAnswer(error: unknown): Answer {
  if (!(error instanceof AuthServerUnavailable)) throw error;
  return jsonAnswer(error.status, { error: error.code, error_description: error.text }, { ...publicHeaders, 'Retry-After': String(error.retryAfter) });
}

function knownScopes(settings: Settings): string[] {
  return challengeScopes([settings.requiredScopes, ...settings.toolScopes.values()], new Map());
}
