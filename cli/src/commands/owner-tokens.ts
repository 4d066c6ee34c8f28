/** `auth-agent owner-tokens …`: what an owner sends to the management API. */
import { auditEvent, isoDate, newOwnerToken, ownerTokenSeconds } from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Command, databaseFlags, textFlag } from '../command.ts';
import { withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { endOf, lifetimeOf } from './keys.ts';
import { findPerson } from './users.ts';

export const createOwnerToken: Command = {
  name: 'owner-tokens create',
  about: 'make a token for the management API; it is shown once',
  usage: '<username>',
  flags: [
    ...databaseFlags,
    { name: 'name', kind: 'text', value: 'text', about: 'what it is for (Command line)' },
    { name: 'days', kind: 'text', value: 'number', about: 'how long it lives (365)' },
  ],
  examples: ['auth-agent owner-tokens create ada --name "CI" --days 90'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [username = ''] = call.args;
      const user = await findPerson(store, username);
      if (user.role === 'user') {
        throw new Failure('refused', `${safe(username)} is neither owner nor operator`, {
          why: 'The management API is for them only.',
          fix: 'auth-agent users add <username> --role owner',
        });
      }
      const { value, row } = newOwnerToken(user.id, textFlag(call, 'name') ?? 'Command line', now, lifetimeOf(call, ownerTokenSeconds));
      await store.addOwnerToken(row, auditEvent('owner_token.created', now, 'cli', { userId: user.id, detail: { token_id: row.id } }));
      const { ok } = styleOf(call.terminal.stderr, call.terminal.env);
      return {
        data: { token_id: row.id, token: value, user_id: user.id, name: row.name, expires_at: isoDate(row.expiresAt) },
        lines: [`AUTH_AGENT_OWNER_TOKEN=${value}`],
        notes: [`\n${ok(`Token ${row.id} of ${safe(user.username)} · expires ${isoDate(row.expiresAt).slice(0, 10)} · shown once, kept nowhere`)}`],
      };
    }),
};

export const listOwnerTokens: Command = {
  name: 'owner-tokens list',
  about: 'list tokens of the management API, without their values',
  flags: databaseFlags,
  examples: ['auth-agent owner-tokens list', 'auth-agent owner-tokens list --json'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const names = new Map((await store.listUsers()).map(({ id, username }) => [id, username]));
      const tokens = (await store.listOwnerTokens()).map(({ id, userId, name, createdAt, expiresAt, revokedAt }) => ({
        token_id: id,
        user_id: userId,
        username: names.get(userId),
        name,
        status: revokedAt !== undefined ? 'revoked' : expiresAt <= now ? 'expired' : 'active',
        created_at: isoDate(createdAt),
        expires_at: isoDate(expiresAt),
      }));
      const rows = tokens.map((one) => [one.token_id, safe(one.username ?? one.user_id), safe(one.name), one.status, endOf(one, now)]);
      return { data: { tokens }, lines: table(['ID', 'PERSON', 'NAME', 'STATUS', 'EXPIRES'], rows) };
    }),
};

export const revokeOwnerToken: Command = {
  name: 'owner-tokens revoke',
  about: 'revoke a token of the management API; it fails at once',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent owner-tokens revoke oat_7fK3x9Qm2LpZ', 'auth-agent owner-tokens revoke oat_7fK3x9Qm2LpZ --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      const token = (await store.listOwnerTokens()).find((one) => one.id === id);
      if (!token) throw new Failure('notFound', `There is no owner token ${safe(id)}`, { fix: 'auth-agent owner-tokens list' });
      await confirm(call, { name: id, breaks: `Whatever still uses "${safe(token.name)}" cannot call the management API any more.` });
      const event = auditEvent('owner_token.revoked', now, 'cli', { userId: token.userId, detail: { token_id: id } });
      const revoked = await store.revokeOwnerToken(id, event);
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { token_id: id, revoked }, lines: [ok(revoked ? `Revoked ${id}` : `${id} was revoked before`)] };
    }),
};
