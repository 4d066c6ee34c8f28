/**
 * Finds the client that a client_id names, whichever way it came here: registered, in development mode, or as a metadata document. Every room asks here and tells
 * "gone" from "not reachable" by the answer, never by an error. Not here: proving that a caller is this client (token/client-auth.ts).
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { Client, ClientDocument } from '../storage/store.ts';
import { inspectClientId } from './client-id.ts';
import { documentsOffered, findDocument, renewed } from './metadata-document.ts';

export type FoundClient =
  | { state: 'active'; client: Client }
  | { state: 'gone'; reason: 'unknown'; client?: undefined }
  /** A tombstone, or a client that an operator disabled. Its redirect URIs are known: architecture decision 11. */
  | { state: 'gone'; reason: 'removed' | 'disabled'; client: Client }
  /** A document that cannot be read now or cannot be used here. `error` says why, on a page too. */
  | { state: 'unavailable'; error: OAuthError; client?: Client };

const maxLength = 2048;
const unknown: FoundClient = { state: 'gone', reason: 'unknown' };

/**
 * For /authorize: may fetch the client's document. `address` is of the person's browser. Call it once the request is otherwise plausible and, where possible, once the
 * person has signed in (CIMD-20).
 */
export async function findClient(clientId: string, context: Context, address: string): Promise<FoundClient> {
  const form = inspectClientId(clientId, context.options.clients);
  if (form.kind === 'registered') return findRegistered(clientId, context);
  if (!documentsOffered(context.options)) return unknown;
  if (form.kind === 'refused') return { state: 'unavailable', error: new OAuthError('client_metadata_unavailable', form.reason) };
  try {
    return foundDocument(await findDocument(form.url, address, context));
  } catch (error) {
    if (error instanceof OAuthError) return { state: 'unavailable', error };
    throw error;
  }
}

/**
 * For the back channel: never fetches; who has keys is found by {@link findClientWithKeys}. A grant can only exist for a document that was read once, so the saved copy answers, fresh or not; without one the client is
 * unknown, and every state but `active` is `401 invalid_client` (D18).
 */
export async function findClientForToken(clientId: string, context: Context): Promise<FoundClient> {
  const form = inspectClientId(clientId, context.options.clients);
  if (form.kind === 'registered') return findRegistered(clientId, context);
  if (form.kind === 'refused' || !documentsOffered(context.options)) return unknown;
  const saved = await context.store.findDocument(form.url);
  return saved ? foundDocument(saved) : unknown;
}

/**
 * For the back channel, of a caller that proves by a key that it is this client: a copy that is no longer fresh is read anew, so that a key withdrawn from a document
 * is not believed until somebody happens to sign in (CIMD-16). While its host is out of reach the copy stands in, for seven days.
 *
 * @throws {OAuthError} too_many_requests · temporarily_unavailable
 */
export async function findClientWithKeys(clientId: string, context: Context): Promise<FoundClient> {
  const form = inspectClientId(clientId, context.options.clients);
  if (form.kind === 'registered') return findRegistered(clientId, context);
  if (form.kind === 'refused' || !documentsOffered(context.options)) return unknown;
  const saved = await context.store.findDocument(form.url);
  if (saved?.metadata.tokenEndpointAuthMethod !== 'private_key_jwt') return saved ? foundDocument(saved) : unknown;
  try {
    return foundDocument(await renewed(saved, context));
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'client_metadata_unavailable') return { state: 'unavailable', error };
    throw error;
  }
}

async function findRegistered(clientId: string, context: Context): Promise<FoundClient> {
  const client = clientId.length > maxLength ? undefined : await context.store.findClient(clientId);
  return client ? stateOf(client) : unknown;
}

function foundDocument({ url, metadata, fetchedAt, disabledAt }: ClientDocument): FoundClient {
  const client: Client = { id: url, registration: 'document', metadata, createdAt: fetchedAt, lastUsedAt: fetchedAt };
  return stateOf(disabledAt === undefined ? client : { ...client, disabledAt });
}

function stateOf(client: Client): FoundClient {
  if (client.removedAt !== undefined) return { state: 'gone', reason: 'removed', client };
  if (client.disabledAt !== undefined) return { state: 'gone', reason: 'disabled', client };
  if (client.pendingSince !== undefined) return { state: 'unavailable', error: awaitsApproval(client), client };
  return { state: 'active', client };
}

function awaitsApproval({ id }: Client): OAuthError {
  return new OAuthError('unauthorized_client', 'The registration of this client waits for approval').onPage({
    case: 'clientPending',
    forDeveloper: 'An operator approves it with auth-agent clients approve and this id.',
    details: [['client_id', id]],
  });
}
