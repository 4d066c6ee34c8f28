/**
 * A client as a page shows it: name, tier of identity, publishing host, whom it could be taken for. The tier comes from how we know the client and from nothing it says of itself.
 */
import { findClientForToken } from '../clients/find.ts';
import type { Context } from '../context.ts';
import { sha256At } from '../crypto/hash.ts';
import { redirectClass } from '../rules/redirect-uri.ts';
import type { Client, ParkedRequest, Registration } from '../storage/store.ts';
import type { ClientTier, ClientView } from '../views/client-identity.ts';
import type { Browser } from './browser-cookie.ts';
import { lookAlikeOf } from './defended-names.ts';
import { isTransaction } from './parked-request.ts';

const tiers: Record<Registration, ClientTier> = { manual: 'approved', document: 'document', dynamic: 'dynamic', demo: 'demo' };

export async function clientView(client: Client, context: Context): Promise<ClientView> {
  const { id, registration, metadata, createdAt } = client;
  return {
    name: metadata.clientName ?? '',
    tier: tiers[registration],
    host: registration === 'document' ? new URL(id).host : undefined,
    lookAlikeOf: await lookAlikeOf(client, context),
    registeredAt: registration === 'dynamic' ? createdAt : undefined,
    everyRedirectLoopback: metadata.redirectUris.length > 0 && metadata.redirectUris.every((uri) => redirectClass(uri) === 'loopback'),
  };
}

/** The client as we last knew it, gone or not; never fetches. For pages that only name it. */
export async function knownClientView(clientId: string, context: Context): Promise<ClientView | undefined> {
  const client = await knownClient(clientId, context);
  return client && clientView(client, context);
}

/** The same, as it is. */
export async function knownClient(clientId: string, context: Context): Promise<Client | undefined> {
  const { client } = (await findClientForToken(clientId, context)) as { client?: Client };
  return client;
}

/** The request that waits behind a page of this browser, if it still does. For pages that only name its client: a page that needs it asks parked-request.ts. */
export async function waitingRequest(tx: string | undefined, browser: Browser, context: Context): Promise<ParkedRequest | undefined> {
  const found = isTransaction(tx) ? await context.store.findRequest(sha256At(tx), context.now()) : undefined;
  return found?.browserHash === browser.hash ? found : undefined;
}

/** The client of that request. */
export async function waitingClient(tx: string | undefined, browser: Browser, context: Context): Promise<ClientView | undefined> {
  const parked = await waitingRequest(tx, browser, context);
  return parked && knownClientView(parked.request.clientId, context);
}
