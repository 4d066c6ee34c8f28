/** `auth-agent owner-tokens create`: what an owner sends to the management API. */
import { auditEvent, isoDate, newOwnerToken, ownerTokenSeconds } from 'auth-agent-mcp-server/node';
import { type Command, databaseFlags, textFlag } from '../command.ts';
import { withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf } from '../terminal.ts';
import { lifetimeOf } from './keys.ts';
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
        notes: [`\n${ok(`Token of ${safe(user.username)} · expires ${isoDate(row.expiresAt).slice(0, 10)} · shown once, kept nowhere`)}`],
      };
    }),
};
