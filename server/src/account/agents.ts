/**
 * GET /account/agents and POST /account/agents/disconnect: who can act for the person, and ending it at once (CON-07, decision 5). Revoking a grant ends its
 * refresh family in the same commit, and introspection of its access tokens says so from the next request on.
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { targetOf } from '../servers/resource.ts';
import type { Client, ConnectedAgent, NotedDelegation } from '../storage/store.ts';
import type { ClientView } from '../views/client-identity.ts';
import { type AgentView, connectedAgentsPage } from '../views/connected-agents-page.ts';
import { browserOf } from './browser-cookie.ts';
import { clientView, knownClient, knownClientView } from './client-view.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { currentSession, type SignedIn } from './session.ts';

/** A client that left no trace behind. */
const unknownClient: ClientView = { name: '', tier: 'dynamic' };

/** GET /account/agents. */
export async function agents(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const browser = browserOf(exchange, context);
  const { id, username, name, email } = signedIn.user;
  const now = context.now();
  const [grants, delegations] = await Promise.all([context.store.listAgents(id, now), context.store.listDelegations(id, now)]);
  const connected = grouped(grants.map((grant) => ({ ...grant, grantIds: [grant.id], endsAt: endOf(grant, context) }))).filter(
    ({ endsAt }) => (endsAt ?? Infinity) > now,
  );

  const html = connectedAgentsPage(pageFrame(exchange, context), {
    csrf: formToken(disconnectForm(signedIn), browser, context),
    user: { name: name ?? username, email },
    agents: await Promise.all(connected.map((agent) => agentView(agent, delegations, context))),
    done: await justDisconnected(exchange, signedIn, context),
  });
  return page(html, 200, browser.cookies);
}

/** POST /account/agents/disconnect ends all that the card stood for. A grant that never was this person's changes nothing and says nothing. */
export async function disconnect(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  const grantId = form.get('grant') ?? '';
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?reason=signed-out`);
  checkForm(disconnectForm(signedIn), form.get('csrf'), { exchange, context });

  const { id: userId } = signedIn.user;
  const about = { userId, grantId, address: exchange.address, requestId: exchange.requestId };
  const event = auditEvent('grant.revoked', context.now(), `user:${userId}`, about);
  const done = await context.store.disconnectAgent(userId, grantId, 'disconnected by the person', event);
  return redirect(`${context.base}/account/agents${done ? `?done=${encodeURIComponent(grantId)}` : ''}`);
}

function disconnectForm({ session }: SignedIn): Form {
  return { purpose: 'disconnect', subject: [session.idHash] };
}

/** The grants of a card, and the time at which they end by themselves; undefined while a refresh family lives. */
type Ending = ConnectedAgent & { grantIds: string[]; endsAt?: number };

/** One card for each client on a resource: installs and step-ups make several grants, the person sees one agent. The newest grant names the card. */
function grouped(grants: Ending[]): Ending[] {
  const agents = new Map<string, Ending>();
  for (const grant of grants) {
    const key = JSON.stringify([grant.clientId, grant.resource]);
    const newer = agents.get(key);
    agents.set(key, newer ? together(newer, grant) : grant);
  }
  return [...agents.values()];
}

function together(newer: Ending, older: Ending): Ending {
  return {
    ...newer,
    grantIds: [...newer.grantIds, ...older.grantIds],
    scope: [...new Set([...older.scope, ...newer.scope])],
    createdAt: Math.min(newer.createdAt, older.createdAt),
    lastUsedAt: Math.max(newer.lastUsedAt, older.lastUsedAt),
    endsAt: newer.endsAt === undefined || older.endsAt === undefined ? undefined : Math.max(newer.endsAt, older.endsAt),
  };
}

async function agentView(agent: Ending, delegations: readonly NotedDelegation[], context: Context): Promise<AgentView> {
  const [target, client] = await Promise.all([targetOf(agent.resource, context), knownClient(agent.clientId, context)]);
  return {
    grantId: agent.id,
    client: client ? clientView(client) : unknownClient,
    serverName: agent.serverName ?? context.options.serviceName,
    serverHost: new URL(agent.resource).host,
    scopes: agent.scope.map((name) => target?.scopes.find((scope) => scope.name === name) ?? { name }),
    since: agent.createdAt,
    lastUsed: agent.lastUsedAt > agent.createdAt ? agent.lastUsedAt : undefined,
    endsAt: agent.endsAt,
    through: client && (await throughWhom(client, agent, delegations, context)),
  };
}

/** A client that speaks for an MCP server acts only through agents connected there (RFC 8693). */
async function throughWhom({ serverId }: Client, { grantIds }: Ending, delegations: readonly NotedDelegation[], context: Context) {
  if (serverId === undefined) return undefined;
  const noted = delegations.filter(({ grantId }) => grantIds.includes(grantId));
  const agents = await Promise.all(
    noted.map(async ({ clientId, serverName, lastUsedAt }) => ({
      client: (await knownClientView(clientId, context)) ?? unknownClient,
      serverName: serverName ?? context.options.serviceName,
      lastUsed: lastUsedAt,
    })),
  );
  return { serverName: (await context.store.findServer(serverId))?.name ?? serverId, agents };
}

/** When access ends by itself. Without a living refresh family that is when the last access token does; with one, only after long disuse. */
function endOf(agent: ConnectedAgent, { options }: Context): number | undefined {
  if (agent.expiresAt !== undefined || agent.familyExpiresAt !== undefined) return agent.expiresAt;
  // A device may fetch its tokens as late as its code ends; a grant without a redirect URI is one of a device.
  const redeemedWithin = agent.redirectUri === undefined ? options.deviceCodeSeconds : options.codeSeconds;
  return agent.createdAt + redeemedWithin + options.accessTokenSeconds;
}

/** The address names a grant, not a name to print: nobody can make this page say what they like. */
async function justDisconnected(exchange: Exchange, { user }: SignedIn, context: Context): Promise<string | undefined> {
  const grantId = parametersFromForm(new URL(exchange.request.url).search).get('done');
  const grant = grantId === undefined ? undefined : await context.store.findGrant(grantId);
  if (grant?.userId !== user.id || grant.revokedAt === undefined) return undefined;
  return (await knownClientView(grant.clientId, context))?.name;
}
