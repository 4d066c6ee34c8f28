/**
 * Whose name an app could be taken for: the agents that everybody knows, the apps an operator registered or people here have allowed, the service itself and its
 * servers. Not here: how names are compared (rules/look-alike.ts), the words of the warning (views/client-identity.ts).
 */
import type { Context } from '../context.ts';
import { knownAgents } from '../rules/known-agents.ts';
import { type KnownName, lookAlike } from '../rules/look-alike.ts';
import { redirectClass } from '../rules/redirect-uri.ts';
import { isByOperator } from '../rules/registered-by.ts';
import type { Client } from '../storage/store.ts';
import type { LookAlike } from '../views/client-identity.ts';

/** Names change rarely, and a page must not wait for them: they are read this often, in seconds. */
const keptSeconds = 60;
const most = 500;
const kept = new WeakMap<Context, { at: number; names: Promise<Defended[]> }>();

type Defended = KnownName & { kind: LookAlike['kind'] };

/** The one it could be taken for, if any. What an operator registered, or development mode brought, is whom it says it is. */
export async function lookAlikeOf(client: Client, context: Context): Promise<LookAlike | undefined> {
  const { registration, metadata } = client;
  if (isByOperator(client) || metadata.clientName === undefined) return undefined;
  const names = await defendedNames(context);
  const claim = { name: metadata.clientName, hosts: ownHosts(client) };
  const found = lookAlike(claim, names) as Defended | undefined; // one of the names that were given
  return found && { name: found.name, host: found.hosts[0], kind: found.kind, elsewhere: registration === 'document' };
}

/** A document proves its host. An app that registered itself proves nothing, but an answer that can only go to a host is that host's. */
function ownHosts({ id, registration, metadata }: Client): string[] {
  if (registration === 'document') return [new URL(id).host];
  const { redirectUris } = metadata;
  return redirectUris.length > 0 && redirectUris.every((uri) => redirectClass(uri) === 'https') ? sharedHost(redirectUris) : [];
}

function sharedHost(uris: readonly string[]): string[] {
  const hosts = new Set(uris.map((uri) => new URL(uri).host));
  return hosts.size === 1 ? [...hosts] : [];
}

function defendedNames(context: Context): Promise<Defended[]> {
  const known = kept.get(context);
  const now = context.now();
  if (known && now - known.at < keptSeconds && now >= known.at) return known.names;
  const names = readNames(context);
  kept.set(context, { at: now, names });
  // A failure is not kept: the next page asks again.
  names.catch(() => kept.delete(context));
  return names;
}

async function readNames({ store, options }: Context): Promise<Defended[]> {
  const [clients, servers] = await Promise.all([store.listDefendedNames(most), store.listServers({ limit: most })]);
  return [
    { name: options.serviceName, hosts: [new URL(options.issuer).host], kind: 'service' },
    ...knownAgents.map((agent) => ({ ...agent, kind: 'agent' as const })),
    ...clients.map(({ name, documentUrl }) => ({ name, hosts: documentUrl === undefined ? [] : [new URL(documentUrl).host], kind: 'client' as const })),
    ...servers.map(({ name, resource }) => ({ name, hosts: [new URL(resource).host], kind: 'server' as const })),
  ];
}
