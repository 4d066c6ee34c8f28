/** `auth-agent requests …`: people who ask for access to a server that is for those on its list. */
import { type AccessQuestion, answerAccess, type Context } from 'auth-agent-mcp-server/node';
import { type Call, type Command, databaseFlags, textFlag } from '../command.ts';
import { withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';

const MOST = 200;

export const listRequests: Command = {
  name: 'requests list',
  about: 'list the people who ask for access to a server, oldest first',
  flags: [...databaseFlags, { name: 'server', kind: 'text', value: 'id', about: 'only about this server' }],
  examples: ['auth-agent requests list', 'auth-agent requests list --server srv_abc123 --json'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const asked = await store.listAccessRequests({ serverId: textFlag(call, 'server'), limit: MOST }, now);
      const when = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);
      return {
        data: asked.map(({ id, serverId, serverName, userId, username, email, message, createdAt, expiresAt }) => ({
          id,
          server_id: serverId,
          server_name: serverName,
          user_id: userId,
          username,
          email,
          message,
          created_at: createdAt,
          expires_at: expiresAt,
        })),
        lines: table(
          ['ID', 'SERVER', 'WHO', 'ASKED', 'UNTIL', 'MESSAGE'],
          asked.map((one) => [one.id, safe(one.serverName), safe(one.username), when(one.createdAt), when(one.expiresAt), safe(one.message)]),
        ),
        notes: [asked.length === 0 ? 'Nobody asks.' : '  auth-agent requests approve <id>, or deny <id>'],
      };
    }),
};

export const approveRequest: Command = {
  name: 'requests approve',
  about: 'put the person who asks on the list of the server, and tell them',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent requests approve ask_abc123'],
  run: (call) => answer(call, 'approved'),
};

export const denyRequest: Command = {
  name: 'requests deny',
  about: 'say no, and tell the person; they may ask again after 30 days',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent requests deny ask_abc123'],
  run: (call) => answer(call, 'denied'),
};

function answer(call: Call, decision: 'approved' | 'denied') {
  return withServer(call, async (context) => {
    const asked = await openRequest(call.args[0] ?? '', context);
    if (!(await answerAccess(asked, decision, context))) throw noRequest(asked.id);
    const { serverId, serverName, userId, username } = asked;
    const did = decision === 'approved' ? `${safe(username)} may use ${safe(serverName)}` : `${safe(username)} may not use ${safe(serverName)}`;
    return {
      data: { id: asked.id, decision, server_id: serverId, user_id: userId },
      lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(did)],
    };
  });
}

async function openRequest(id: string, { store, now }: Context): Promise<AccessQuestion> {
  const asked = (await store.listAccessRequests({ limit: MOST }, now())).find((one) => one.id === id);
  if (!asked) throw noRequest(id);
  return asked;
}

function noRequest(id: string): Failure {
  return new Failure('notFound', `There is no open request ${safe(id)}`, { fix: 'auth-agent requests list' });
}
