/** `auth-agent server-people …`: who may use a server that is not for everybody. */
import { auditEvent, type McpServer, type Store, type User } from 'auth-agent-mcp-server/node';
import { type Call, type Command, databaseFlags } from '../command.ts';
import { type Opened, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { serverOf } from './servers.ts';
import { findPerson } from './users.ts';

export const listServerPeople: Command = {
  name: 'server-people list',
  about: 'list who may use a server, and whether the list counts',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent server-people list srv_abc123'],
  run: (call) =>
    withStore(call, async (opened) => {
      const server = await serverOf(call, opened);
      const people = await opened.store.listServerPeople(server.id);
      return {
        data: { server_id: server.id, people: server.people ?? 'all', listed: people.map(({ id, username }) => ({ user_id: id, username })) },
        lines: table(
          ['ID', 'USERNAME'],
          people.map(({ id, username }) => [id, safe(username)]),
        ),
        notes: [server.people === undefined ? 'The list does not count: everybody with an account may use this server.' : 'Only they may use this server.'],
      };
    }),
};

export const addServerPerson: Command = {
  name: 'server-people add',
  about: 'put a person on the list of a server',
  usage: '<id> <username>',
  flags: databaseFlags,
  examples: ['auth-agent server-people add srv_abc123 ada'],
  run: (call) =>
    withStore(call, (opened) => change(call, opened, 'server.person_added', (store, membership, event) => store.addServerPerson(membership, event))),
};

export const removeServerPerson: Command = {
  name: 'server-people rm',
  about: 'take a person off the list; if it counts, what they allowed on the server ends',
  usage: '<id> <username>',
  flags: databaseFlags,
  examples: ['auth-agent server-people rm srv_abc123 ada'],
  run: (call) =>
    withStore(call, (opened) => change(call, opened, 'server.person_removed', (store, membership, event) => store.removeServerPerson(membership, event))),
};

export const openServerTo: Command = {
  name: 'server-people open',
  about: 'say whether a server is for everybody, or for those on its list: all or listed',
  usage: '<id> <all|listed>',
  flags: databaseFlags,
  examples: ['auth-agent server-people open srv_abc123 listed', 'auth-agent server-people open srv_abc123 all'],
  run: (call) =>
    withStore(call, async (opened) => {
      const server = await serverOf(call, opened);
      const to = call.args[1];
      if (to !== 'all' && to !== 'listed') throw new Failure('usage', 'Say all or listed', { fix: openServerTo.examples[0] });
      const { people: _, ...rest } = server;
      const changed: McpServer = { ...rest, ...(to === 'listed' ? { people: 'listed' as const } : {}), updatedAt: opened.now };
      const event = auditEvent('server.updated', opened.now, 'cli', { serverId: server.id, detail: { people: to } });
      if ((await opened.store.updateServer(changed, event, server)) !== 'updated')
        throw new Failure('conflict', `Somebody else changed ${server.id} at this moment`, { fix: 'Run the command again' });
      return { data: { server_id: server.id, people: to }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`${server.id} is for ${to}`)] };
    }),
};

type Change = (store: Store, membership: { serverId: string; userId: string }, event: ReturnType<typeof auditEvent>) => Promise<boolean>;

async function change(call: Call, opened: Opened, type: 'server.person_added' | 'server.person_removed', act: Change) {
  const server = await serverOf(call, opened);
  const person: User = await findPerson(opened.store, call.args[1] ?? '');
  const membership = { serverId: server.id, userId: person.id };
  const done = await act(opened.store, membership, auditEvent(type, opened.now, 'cli', membership));
  const did = type === 'server.person_added' ? (done ? 'Added' : 'Was on the list:') : done ? 'Removed' : 'Was not on the list:';
  return {
    data: { server_id: server.id, user_id: person.id, changed: done },
    lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`${did} ${safe(person.username)}`)],
  };
}
