/** `auth-agent grants pause|resume` and `auth-agent panic`: stopping agents at once, and letting them go on, without ending what people allowed. */
import { auditEvent, isoDate, randomId, type Store } from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, type Flag, textFlag } from '../command.ts';
import { next, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { findPerson } from './users.ts';

const yesFlag: Flag = { name: 'yes', kind: 'switch', about: 'do it without asking' };

export const pauseGrant: Command = {
  name: 'grants pause',
  about: 'stop the agent of a grant at once: this person, this client, this server, also what they allow from now on',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent grants pause grant_k3JdX0aQ'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      const grant = await store.findGrant(id);
      if (!grant || grant.revokedAt !== undefined) throw new Failure('notFound', `There is no living grant ${safe(id)}`, { fix: 'auth-agent grants list' });
      if (grant.holdId !== undefined)
        throw new Failure('conflict', `${id} is stopped already, by ${grant.holdId}`, { fix: `auth-agent grants resume ${grant.holdId}` });
      const { userId, clientId, resource } = grant;
      return placed(call, { userId, clientId, resource }, { store, now });
    }),
};

export const resumeGrants: Command = {
  name: 'grants resume',
  about: 'let go on what an incident has stopped; takes its id, or the id of a grant',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent grants resume inc_7xK2aQ', 'auth-agent grants resume grant_k3JdX0aQ'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [given = ''] = call.args;
      const id = given.startsWith('inc_') ? given : await holdOf(given, store);
      const grants = await store.liftHold(id, auditEvent('grant.resumed', now, 'cli', { detail: { hold: id } }));
      if (grants === undefined) throw new Failure('notFound', `There is no open incident ${safe(id)}`, { fix: 'auth-agent grants incidents' });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { incident: id, grants }, lines: [ok(`${count(grants)} may act again`)] };
    }),
};

export const listIncidents: Command = {
  name: 'grants incidents',
  about: 'list what is stopped, and what it is about',
  flags: databaseFlags,
  examples: ['auth-agent grants incidents --json'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const incidents = (await store.listHolds(now)).map(({ id, userId, clientId, resource, createdAt, grants }) => ({
        incident: id,
        user_id: userId,
        client_id: clientId,
        resource,
        created_at: isoDate(createdAt),
        grants,
      }));
      const rows = incidents.map((each) => [
        each.incident,
        each.user_id ?? 'anybody',
        safe(each.client_id ?? 'any client'),
        safe(each.resource ?? 'any server'),
        String(each.grants),
        each.created_at.slice(0, 16),
      ]);
      return { data: { incidents }, lines: table(['ID', 'PERSON', 'CLIENT', 'SERVER', 'GRANTS', 'SINCE'], rows) };
    }),
};

export const panic: Command = {
  name: 'panic',
  about: 'stop agents at once, now and in the future, until you resume them; nothing that people allowed is lost',
  flags: [
    ...databaseFlags,
    { name: 'user', kind: 'text', value: 'username', about: 'the agents of this person' },
    { name: 'client', kind: 'text', value: 'id', about: 'this client, for everybody' },
    { name: 'server', kind: 'text', value: 'id', about: 'every agent on this server' },
    { name: 'all', kind: 'switch', about: 'every agent and machine of this tenant' },
    yesFlag,
  ],
  examples: ['auth-agent panic --client client_7xK2', 'auth-agent panic --user ada --yes', 'auth-agent panic --all'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const { about, name, whom } = await aimOf(call, store);
      const living = (await store.listGrants({}, now)).filter((grant) => concerns(about, grant));
      const people = new Set(living.flatMap(({ userId }) => userId ?? [])).size;
      await confirm(call, { name, breaks: `This stops ${whom} now: ${count(living.length)} of ${people} ${people === 1 ? 'person' : 'people'}.` });
      return placed(call, about, { store, now });
    }),
};

type About = Omit<Parameters<Store['placeHold']>[0], 'id' | 'createdAt'>;

async function aimOf(call: Call, store: Store): Promise<{ about: About; name: string; whom: string }> {
  const [user, client, server] = [textFlag(call, 'user'), textFlag(call, 'client'), textFlag(call, 'server')];
  const given = [user, client, server, call.flags.all === true ? 'all' : undefined].filter((each) => each !== undefined);
  if (given.length === 0 || (call.flags.all === true && given.length > 1))
    throw new Failure('usage', 'Say whom to stop: --user, --client, --server (together: what fits all of them), or --all', { fix: 'auth-agent panic --help' });
  const person = user === undefined ? undefined : await findPerson(store, user);
  if (client !== undefined && !(await isKnown(client, store)))
    throw new Failure('notFound', `There is no client ${safe(client)}`, { fix: 'auth-agent clients list' });
  const mcp = server === undefined ? undefined : await store.findServer(server);
  if (server !== undefined && !mcp) throw new Failure('notFound', `There is no server ${safe(server)}`, { fix: 'auth-agent servers list' });
  const name = given.map((each) => safe(each)).join(' ');
  const about = { userId: person?.id, clientId: client, resource: mcp?.resource };
  return { about, name, whom: call.flags.all === true ? 'every agent and machine' : `the agents of ${name}` };
}

/** A client whose id is an address is known by its document. */
async function isKnown(id: string, store: Store): Promise<boolean> {
  return (await store.findClient(id)) !== undefined || (await store.findDocument(id)) !== undefined;
}

function concerns({ userId, clientId, resource }: About, grant: { userId?: string; clientId: string; resource: string }): boolean {
  return (userId ?? grant.userId) === grant.userId && (clientId ?? grant.clientId) === grant.clientId && (resource ?? grant.resource) === grant.resource;
}

async function placed(call: Call, about: About, { store, now }: { store: Store; now: number }) {
  const id = randomId('inc_', 6);
  const grants = await store.placeHold({ id, ...about, createdAt: now }, auditEvent('grant.paused', now, 'cli', { detail: { hold: id } }));
  const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
  const lines = [ok(`${count(grants)} paused; new ones are born paused`), next(`auth-agent grants resume ${id}`, call)];
  return { data: { incident: id, grants }, lines };
}

/** @throws {Failure} refused when it is the person's own pause, which is theirs to end. */
async function holdOf(grantId: string, store: Store): Promise<string> {
  const grant = await store.findGrant(grantId);
  if (!grant || grant.revokedAt !== undefined) throw new Failure('notFound', `There is no living grant ${safe(grantId)}`, { fix: 'auth-agent grants list' });
  if (grant.holdId !== undefined) return grant.holdId;
  if (grant.pausedAt !== undefined) throw new Failure('refused', 'Its person has paused it', { why: 'What a person pauses, they resume themselves.' });
  throw new Failure('conflict', `${grantId} is not stopped`);
}

const count = (grants: number): string => `${grants} ${grants === 1 ? 'grant' : 'grants'}`;
