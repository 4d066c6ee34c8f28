/**
 * /account/activity: what the agents of a person did as servers report it, in runs, between what happened to their access; the same as CSV and JSON; and "This wasn't
 * me". Not here: what is reported and how much is kept (token/report.ts, storage/), HTML (views/).
 */
import { type AuditEvent, auditEvent, type EventType } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { type Parameters, parametersFromForm } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import type { Activity } from '../storage/store.ts';
import { type ActorView, activityPage, type Happening, type HappeningView, type RunView } from '../views/activity-page.ts';
import { type Card, cardsOf } from './agent-cards.ts';
import { agentsForm } from './agents.ts';
import { browserOf } from './browser-cookie.ts';
import { knownClientView } from './client-view.ts';
import { checkForm, formToken } from './form-token.ts';
import { currentSession, type SignedIn } from './session.ts';

const DAY = 86_400;
/** A pause longer than this ends a run. */
const RUN_GAP_SECONDS = 30 * 60;
const MAX_ROWS = 500;
const MAX_EXPORTED = 5000;
const MAX_EVENTS = 200;

const HAPPENINGS: Partial<Record<EventType, Happening>> = {
  'grant.approved': 'approved',
  'grant.paused': 'paused',
  'grant.resumed': 'resumed',
  'grant.reduced': 'reduced',
  'grant.revoked': 'revoked',
  'grant.lapsed': 'lapsed.unused',
  'refresh_token.reused': 'reused',
};

const LAPSES = ['lapsed.unused', 'lapsed.longest', 'lapsed.chosen'] as const;

type Chosen = { agent?: Card; result?: 'allowed' | 'refused'; day?: string };

/** GET /account/activity. */
export async function activity(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const browser = browserOf(exchange, context);
  const cards = await cardsOf(signedIn.user.id, context);
  const chosen = chosenOf(query, cards);
  const rows = await rowsOf(signedIn, chosen, MAX_ROWS, context);
  const actorOf = actors(context);

  const runs = await Promise.all(
    runsOf(rows).map(async ({ rows: of, ...run }) => ({ ...run, ...(await actorOf(run)), kind: 'run' as const, actions: actionsOf(of) })),
  );
  const happenings = chosen.result === undefined ? await happeningsOf(signedIn, chosen, actorOf, context) : [];
  const stopped = await stoppedOf(query, signedIn, actorOf, context);
  const html = activityPage(pageFrame(exchange, context), {
    csrf: formToken(agentsForm(signedIn), browser, context),
    user: { name: signedIn.user.name ?? signedIn.user.username, email: signedIn.user.email },
    entries: [...runs, ...happenings].toSorted((one, other) => lastOf(other) - lastOf(one)),
    more: rows.length === MAX_ROWS,
    agents: await Promise.all(cards.map(async (card) => ({ grantId: card.id, actor: await actorOf(card) }))),
    chosen: { agent: chosen.agent?.id, result: chosen.result, day: chosen.day },
    silent: await silentOf(signedIn, cards, actorOf, context),
    keptDays: Math.floor(context.options.activitySeconds / DAY),
    query: queryOf(chosen),
    passwords: context.options.signIn.password,
    stopped,
  });
  return page(html, 200, browser.cookies);
}

/** GET /account/activity.json: the same rows, as they are kept. */
export async function activityData(exchange: Exchange, context: Context): Promise<Answer> {
  const rows = await exported(exchange, context);
  if (!rows) return redirect(`${context.base}/login`);
  return { status: 200, json: JSON.stringify(rows), headers: { 'Content-Disposition': 'attachment; filename="activity.json"' } };
}

/** GET /account/activity.csv (RFC 4180). */
export async function activityTable(exchange: Exchange, context: Context): Promise<Answer> {
  const rows = await exported(exchange, context);
  if (!rows) return redirect(`${context.base}/login`);
  const lines = [['first', 'last', 'client_id', 'resource', 'action', 'outcome', 'missing', 'count'], ...rows.map((row) => Object.values(row).map(String))];
  const text = lines.map((line) => line.map(cell).join(',')).join('\r\n');
  const headers = { 'Content-Type': 'text/csv; charset=utf-8', 'Content-Disposition': 'attachment; filename="activity.csv"' };
  return { status: 200, text: `${text}\r\n`, headers };
}

/** POST /account/activity/not-me pauses the agent at once; what else there is to do stands on the page that follows. */
export async function notMe(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  const grantId = form.get('grant') ?? '';
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?reason=signed-out`);
  checkForm(agentsForm(signedIn), form.get('csrf'), { exchange, context });

  const { id } = signedIn.user;
  const about = { userId: id, grantId, address: exchange.address, requestId: exchange.requestId, detail: { not_me: true } };
  await context.store.pauseAgent(id, grantId, auditEvent('grant.paused', context.now(), `user:${id}`, about));
  return redirect(`${context.base}/account/activity?stopped=${encodeURIComponent(grantId)}`);
}

function chosenOf(query: Parameters, cards: readonly Card[]): Chosen {
  const result = query.get('result');
  const day = query.get('day') ?? '';
  return {
    agent: cards.find(({ id }) => id === query.get('agent')),
    result: result === 'allowed' || result === 'refused' ? result : undefined,
    day: /^20\d\d-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day)) ? day : undefined,
  };
}

function queryOf({ agent, result, day }: Chosen): string {
  const said = Object.entries({ agent: agent?.id, result, day }).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return said.length > 0 ? `?${new URLSearchParams(said)}` : '';
}

function spanOf({ day }: Chosen, context: Context): { since: number; before: number } {
  if (day === undefined) return { since: 0, before: context.now() + DAY };
  const since = Date.parse(day) / 1000;
  return { since, before: since + DAY };
}

function rowsOf({ user }: SignedIn, chosen: Chosen, limit: number, context: Context): Promise<Activity[]> {
  const { agent, result } = chosen;
  return context.store.listActivity({
    userId: user.id,
    ...spanOf(chosen, context),
    clientId: agent?.clientId,
    resource: agent?.resource,
    outcome: result,
    limit,
  });
}

async function exported(exchange: Exchange, context: Context) {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return undefined;
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const rows = await rowsOf(signedIn, chosenOf(query, await cardsOf(signedIn.user.id, context)), MAX_EXPORTED, context);
  const time = (seconds: number) => new Date(seconds * 1000).toISOString();
  return rows.map(({ firstAt, lastAt, clientId, resource, action, outcome, missing, times }) => ({
    first: time(firstAt),
    last: time(lastAt),
    client_id: clientId,
    resource,
    action,
    outcome,
    missing: missing.join(' '),
    count: times,
  }));
}

/** Quoted, and never a formula where a spreadsheet opens it: the names are a stranger's. */
function cell(value: string): string {
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return `"${plain.replaceAll('"', '""')}"`;
}

type Run = Pick<Activity, 'clientId' | 'resource' | 'serverName' | 'grantId'> & { at: number; until: number; rows: Activity[] };

/** Rows of one agent follow each other in a run until it rests for longer than {@link RUN_GAP_SECONDS}. */
function runsOf(rows: readonly Activity[]): Run[] {
  const open = new Map<string, Run>();
  const runs: Run[] = [];
  for (const row of rows.toSorted((one, other) => one.firstAt - other.firstAt)) {
    const key = JSON.stringify([row.clientId, row.resource]);
    const run = open.get(key);
    if (run && row.firstAt - run.until <= RUN_GAP_SECONDS) {
      run.rows.push(row);
      run.until = Math.max(run.until, row.lastAt);
      continue;
    }
    const { clientId, resource, serverName, grantId, firstAt, lastAt } = row;
    const begun: Run = { clientId, resource, serverName, grantId, at: firstAt, until: lastAt, rows: [row] };
    open.set(key, begun);
    runs.push(begun);
  }
  return runs;
}

function actionsOf(rows: readonly Activity[]): RunView['actions'] {
  const actions = new Map<string, RunView['actions'][number]>();
  for (const { action: name, outcome, missing, times } of rows) {
    const key = JSON.stringify([name, outcome, missing]);
    actions.set(key, { name, outcome, missing, times: times + (actions.get(key)?.times ?? 0) });
  }
  return [...actions.values()].toSorted((one, other) => other.times - one.times);
}

type Acted = { clientId: string; resource: string; serverName?: string };
type ActorOf = (acted: Acted) => Promise<ActorView>;

/** Says who acted and where; each client is read once. */
function actors(context: Context): ActorOf {
  const clients = new Map<string, ReturnType<typeof knownClientView>>();
  return async ({ clientId, serverName }) => {
    const client = clients.get(clientId) ?? knownClientView(clientId, context);
    clients.set(clientId, client);
    return { client: (await client) ?? { name: '', tier: 'dynamic' }, serverName: serverName ?? context.options.serviceName };
  };
}

async function happeningsOf({ user }: SignedIn, chosen: Chosen, actorOf: ActorOf, context: Context): Promise<HappeningView[]> {
  const { since, before } = spanOf(chosen, context);
  const events = await context.store.listEvents({ userId: user.id, limit: MAX_EVENTS });
  const told = await Promise.all(
    events
      .filter(({ type, at, detail }) => type in HAPPENINGS && at >= since && at < before && detail?.staysConnected !== true)
      .map(async (event): Promise<(HappeningView & { acted?: Acted }) | undefined> => {
        const acted = await actedOf(event, context);
        if (chosen.agent && !(acted?.clientId === chosen.agent.clientId && acted.resource === chosen.agent.resource)) return undefined;
        return { kind: 'happening', ...whatHappened(event), at: event.at, actor: acted && (await actorOf(acted)) };
      }),
  );
  return told.filter((one) => one !== undefined);
}

/** Access that ended by itself says why, and after how long. */
function whatHappened({ type, detail }: AuditEvent): Pick<HappeningView, 'what' | 'days'> {
  const what = HAPPENINGS[type] ?? 'approved';
  if (what !== 'lapsed.unused') return { what };
  const why = LAPSES.find((reason) => reason === `lapsed.${detail?.reason}`) ?? what;
  return { what: why, days: Number(detail?.days ?? 0) };
}

/** Undefined for what was done to all agents at once. */
async function actedOf({ grantId }: AuditEvent, { store }: Context): Promise<Acted | undefined> {
  const grant = grantId === undefined ? undefined : await store.findGrant(grantId);
  const server = grant?.serverId === undefined ? undefined : await store.findServer(grant.serverId);
  return grant && { clientId: grant.clientId, resource: grant.resource, serverName: server?.name };
}

async function silentOf({ user }: SignedIn, cards: readonly Card[], actorOf: ActorOf, context: Context) {
  const told = await context.store.countActivity(user.id, 0);
  const silent = cards.filter(
    ({ clientId, resource, lastUsedAt, createdAt }) => lastUsedAt > createdAt && !told.some((one) => one.clientId === clientId && one.resource === resource),
  );
  return Promise.all(silent.map(async (card) => ({ ...(await actorOf(card)), lastUsed: card.lastUsedAt })));
}

/** The address names a grant, and it must be this person's and paused: nobody can make the page say what they like. */
async function stoppedOf(query: Parameters, { user }: SignedIn, actorOf: ActorOf, context: Context): Promise<ActorView | undefined> {
  const grant = await context.store.findGrant(query.get('stopped') ?? '');
  if (grant?.userId !== user.id || grant.pausedAt === undefined) return undefined;
  const server = grant.serverId === undefined ? undefined : await context.store.findServer(grant.serverId);
  return actorOf({ ...grant, serverName: server?.name });
}

function lastOf(entry: RunView | HappeningView): number {
  return entry.kind === 'run' ? entry.until : entry.at;
}
