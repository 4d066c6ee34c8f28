/** `auth-agent registration-tokens …`: what lets a client register itself where that is not open to everybody (RFC 7591 §3). */
import { auditEvent, isoDate, newRegistrationToken, registrationTokenSeconds } from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, textFlag } from '../command.ts';
import { withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { lifetimeOf } from './keys.ts';

export const createRegistrationToken: Command = {
  name: 'registration-tokens create',
  about: 'make a token with which clients can register themselves; it is shown once',
  flags: [
    ...databaseFlags,
    { name: 'name', kind: 'text', value: 'text', about: 'whom it is for (Registration)' },
    { name: 'uses', kind: 'text', value: 'number', about: 'how many clients it may register (1)' },
    { name: 'days', kind: 'text', value: 'number', about: 'how long it lives (7)' },
  ],
  examples: ['auth-agent registration-tokens create --name "Partner" --uses 5 --days 30', 'auth-agent registration-tokens create --json'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const name = textFlag(call, 'name') ?? 'Registration';
      if (name.length > 100 || /\p{Cc}/u.test(name)) throw new Failure('usage', '--name is at most 100 characters of plain text', { fix: '--name "Partner"' });
      const { value, row } = newRegistrationToken({ name, uses: usesOf(call), lifetimeSeconds: lifetimeOf(call, registrationTokenSeconds) }, now);
      await store.addRegistrationToken(row, auditEvent('registration_token.created', now, 'cli', { detail: { token_id: row.id, uses: row.usesLeft } }));
      const { ok } = styleOf(call.terminal.stderr, call.terminal.env);
      return {
        data: { token_id: row.id, token: value, name, uses_left: row.usesLeft, created_at: isoDate(now), expires_at: isoDate(row.expiresAt) },
        lines: [`REGISTRATION_TOKEN=${value}`],
        notes: [`\n${ok(`Token ${row.id} · ${row.usesLeft} registrations until ${isoDate(row.expiresAt).slice(0, 10)} · shown once, kept nowhere`)}`],
      };
    }),
};

export const listRegistrationTokens: Command = {
  name: 'registration-tokens list',
  about: 'list registration tokens, without their values',
  flags: databaseFlags,
  examples: ['auth-agent registration-tokens list', 'auth-agent registration-tokens list --json'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const tokens = (await store.listRegistrationTokens()).map(({ id, name, usesLeft, createdAt, expiresAt, revokedAt }) => ({
        token_id: id,
        name,
        uses_left: usesLeft,
        status: revokedAt !== undefined ? 'revoked' : expiresAt <= now ? 'expired' : usesLeft === 0 ? 'used up' : 'active',
        created_at: isoDate(createdAt),
        expires_at: isoDate(expiresAt),
      }));
      const rows = tokens.map((one) => [one.token_id, safe(one.name), one.status, String(one.uses_left), one.expires_at.slice(0, 10)]);
      return { data: { tokens }, lines: table(['ID', 'NAME', 'STATUS', 'USES LEFT', 'EXPIRES'], rows) };
    }),
};

export const revokeRegistrationToken: Command = {
  name: 'registration-tokens revoke',
  about: 'revoke a registration token; clients that used it stay',
  usage: '<id>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent registration-tokens revoke rgt_7fK3x9Qm2LpZ --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      const token = (await store.listRegistrationTokens()).find((one) => one.id === id);
      if (!token) throw new Failure('notFound', `There is no registration token ${safe(id)}`, { fix: 'auth-agent registration-tokens list' });
      await confirm(call, { name: id, breaks: `Nobody can register with "${safe(token.name)}" any more.` });
      const revoked = await store.revokeRegistrationToken(id, auditEvent('registration_token.revoked', now, 'cli', { detail: { token_id: id } }));
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { token_id: id, revoked }, lines: [ok(revoked ? `Revoked ${id}` : `${id} was revoked before`)] };
    }),
};

function usesOf(call: Call): number {
  const uses = textFlag(call, 'uses') ?? '1';
  if (!/^[1-9]\d{0,5}$/.test(uses)) throw new Failure('usage', '--uses is a number from 1 to 999999', { fix: '--uses 5' });
  return Number(uses);
}
