/** `auth-agent grants …`: who allowed what to whom. */
import { auditEvent, type Grant, isoDate } from 'auth-agent-mcp-server/node';
import { type Command, databaseFlags, textFlag } from '../command.ts';
import { withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { findPerson } from './users.ts';

export const listGrants: Command = {
  name: 'grants list',
  about: 'list living grants',
  flags: [
    ...databaseFlags,
    { name: 'user', kind: 'text', value: 'username', about: 'only of this person' },
    { name: 'client', kind: 'text', value: 'id', about: 'only to this client' },
    { name: 'server', kind: 'text', value: 'id', about: 'only on this server' },
  ],
  examples: ['auth-agent grants list --user ada', 'auth-agent grants list --client client_7xK2 --json'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const user = textFlag(call, 'user');
      const filter = {
        userId: user === undefined ? undefined : (await findPerson(store, user)).id,
        clientId: textFlag(call, 'client'),
        serverId: textFlag(call, 'server'),
      };
      const paused = new Set((await store.listUsers()).filter(({ agentsPausedAt }) => agentsPausedAt !== undefined).map(({ id }) => id));
      const grants = (await store.listGrants(filter, now)).map((grant) => viewOf(grant, paused.has(grant.userId ?? '')));
      const rows = grants.map((grant) => [
        grant.grant_id,
        grant.user_id ?? '(machine)',
        safe(grant.client_id),
        safe(grant.resource),
        grant.scope,
        grant.last_used_at.slice(0, 10),
        grant.state,
      ]);
      return { data: { grants }, lines: table(['ID', 'PERSON', 'CLIENT', 'RESOURCE', 'SCOPE', 'LAST USED', 'STATE'], rows) };
    }),
};

export const revokeGrant: Command = {
  name: 'grants revoke',
  about: 'revoke a grant; its tokens fail from the next introspection on',
  usage: '<id>',
  flags: databaseFlags,
  examples: ['auth-agent grants revoke grant_k3JdX0aQ'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      const grant = await store.findGrant(id);
      if (!grant) throw new Failure('notFound', `There is no grant ${safe(id)}`, { fix: 'auth-agent grants list' });
      const { userId, clientId, serverId } = grant;
      const revoked = await store.revokeGrant(id, 'operator', auditEvent('grant.revoked', now, 'cli', { grantId: id, userId, clientId, serverId }));
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { grant_id: id, revoked }, lines: [ok(revoked ? `Revoked ${id}` : `${id} had ended before`)] };
    }),
};

/** `paused` by its person, or `stopped` by an operator's incident. */
function viewOf({ id, userId, clientId, serverId, resource, scope, createdAt, lastUsedAt, expiresAt, pausedAt, holdId }: Grant, everythingPaused: boolean) {
  return {
    grant_id: id,
    user_id: userId,
    client_id: clientId,
    server_id: serverId,
    resource,
    scope: scope.join(' '),
    created_at: isoDate(createdAt),
    last_used_at: isoDate(lastUsedAt),
    expires_at: expiresAt === undefined ? undefined : isoDate(expiresAt),
    state: holdId !== undefined ? 'stopped' : pausedAt !== undefined || everythingPaused ? 'paused' : 'active',
    incident: holdId,
  };
}
