/**
 * The agents of a person as cards: one for each client on a server, however many grants installs and step-ups have made of it. Not here: what is done to them
 * (agents.ts, reduce.ts), HTML (views/).
 */
import type { Context } from '../context.ts';
import { lastingDays } from '../rules/lasting-days.ts';
import { targetOf } from '../servers/resource.ts';
import type { Client, ConnectedAgent, NotedDelegation } from '../storage/store.ts';
import type { AgentView } from '../views/agent-card.ts';
import type { ClientView } from '../views/client-identity.ts';
import { clientView, knownClient, knownClientView } from './client-view.ts';

/** A client that left no trace behind. */
const unknownClient: ClientView = { name: '', tier: 'dynamic' };

/** The grants of a card, newest first, and the time at which they end by themselves, if that is known. */
export type Card = ConnectedAgent & { grants: readonly ConnectedAgent[]; endsAt?: number };

/** The cards of a person, newest first. */
export async function cardsOf(userId: string, context: Context): Promise<Card[]> {
  const now = context.now();
  const grants = await context.store.listAgents(userId, now);
  return grouped(grants.map((grant) => ({ ...grant, grants: [grant], endsAt: endOf(grant, context) }))).filter(({ endsAt }) => (endsAt ?? Infinity) > now);
}

/** The card that one of its grants names. */
export async function cardOf(userId: string, grantId: string | undefined, context: Context): Promise<Card | undefined> {
  return (await cardsOf(userId, context)).find(({ grants }) => grants.some(({ id }) => id === grantId));
}

/** What is told about agents besides their grants; `weeks` counts what they did in the last seven days. */
export type Told = { delegations: readonly NotedDelegation[]; weeks: readonly { clientId: string; resource: string; actions: number; refused: number }[] };

/** A card as the page shows it. */
export async function agentView(card: Card, { delegations, weeks }: Told, context: Context): Promise<AgentView> {
  const week = weeks.find(({ clientId, resource }) => clientId === card.clientId && resource === card.resource);
  const [target, client] = await Promise.all([targetOf(card.resource, context), knownClient(card.clientId, context)]);
  return {
    grantId: card.id,
    client: client ? await clientView(client, context) : unknownClient,
    clientId: card.clientId,
    serverName: card.serverName ?? context.options.serviceName,
    serverHost: new URL(card.resource).host,
    scopes: card.scope.map((name) => target?.scopes.find((scope) => scope.name === name) ?? { name }),
    since: card.createdAt,
    from: card.from,
    lastUsed: card.lastUsedAt > card.createdAt ? card.lastUsedAt : undefined,
    ...whenItEnds(card, client, context),
    stopped: stoppedBy(card),
    week: week && { actions: week.actions, refused: week.refused },
    consents: card.grants.map(({ id, createdAt }) => ({ grantId: id, at: createdAt })),
    through: client && (await throughWhom(client, card, delegations, context)),
  };
}

/** Disuse ends a refresh family, and age a consent that no refresh token came of; what speaks for a server has neither, and lasts. */
function whenItEnds({ grants, endsAt }: Card, client: Client | undefined, { options }: Context): Pick<AgentView, 'endsAt' | 'lapsesAt' | 'dormantDays'> {
  if (client?.serverId !== undefined) return { endsAt };
  const lapsesAt = latest(grants.map(({ familyExpiresAt }) => familyExpiresAt));
  if (lapsesAt !== undefined || grants.some(({ expiresAt }) => expiresAt !== undefined)) return { endsAt, lapsesAt, dormantDays: lastingDays(options).unused };
  return { endsAt: Math.max(...grants.map(({ createdAt }) => createdAt)) + options.refreshLifetimeSeconds };
}

const latest = (times: readonly (number | undefined)[]) => times.reduce((one, other) => (one === undefined || (other ?? 0) > one ? other : one), undefined);

function stoppedBy({ grants }: Card): AgentView['stopped'] {
  if (grants.some(({ holdId }) => holdId !== undefined)) return 'operator';
  return grants.some(({ pausedAt }) => pausedAt !== undefined) ? 'person' : undefined;
}

/** The newest grant names the card. */
function grouped(grants: Card[]): Card[] {
  const cards = new Map<string, Card>();
  for (const grant of grants) {
    const key = JSON.stringify([grant.clientId, grant.resource]);
    const newer = cards.get(key);
    cards.set(key, newer ? together(newer, grant) : grant);
  }
  return [...cards.values()];
}

function together(newer: Card, older: Card): Card {
  return {
    ...newer,
    grants: [...newer.grants, ...older.grants],
    scope: [...new Set([...older.scope, ...newer.scope])],
    createdAt: Math.min(newer.createdAt, older.createdAt),
    lastUsedAt: Math.max(newer.lastUsedAt, older.lastUsedAt),
    endsAt: newer.endsAt === undefined || older.endsAt === undefined ? undefined : Math.max(newer.endsAt, older.endsAt),
  };
}

/** A client that speaks for an MCP server acts only through agents connected there (RFC 8693). */
async function throughWhom({ serverId }: Client, { grants }: Card, delegations: readonly NotedDelegation[], context: Context) {
  if (serverId === undefined) return undefined;
  const noted = delegations.filter(({ grantId }) => grants.some(({ id }) => id === grantId));
  const agents = await Promise.all(
    noted.map(async ({ clientId, serverName, lastUsedAt }) => ({
      client: (await knownClientView(clientId, context)) ?? unknownClient,
      serverName: serverName ?? context.options.serviceName,
      lastUsed: lastUsedAt,
    })),
  );
  return { serverName: (await context.store.findServer(serverId))?.name ?? serverId, agents };
}

/**
 * When access ends by itself, where that is known. Without a refresh family what was allowed is still remembered as consent, so the card stays until the grant ends.
 */
function endOf(agent: ConnectedAgent, { now }: Context): number | undefined {
  // Paused, and over: it would live again with the next word of its company, so the pause has no end.
  return agent.pausedAt !== undefined && (agent.expiresAt ?? Infinity) <= now() ? undefined : agent.expiresAt;
}
