/** `auth-agent keys …`: the API keys of an MCP server. */
import { auditEvent, isoDate, keySeconds, newKey, viewOfKey } from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Call, type Command, databaseFlags, textFlag } from '../command.ts';
import { next, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';
import { serverOf } from './servers.ts';

export const createKey: Command = {
  name: 'keys create',
  about: 'make an API key; its secret is shown once',
  usage: '<server-id>',
  flags: [
    ...databaseFlags,
    { name: 'name', kind: 'text', value: 'text', about: 'what it is for (API key)' },
    { name: 'days', kind: 'text', value: 'number', about: 'how long it lives (365)' },
  ],
  examples: ['auth-agent keys create srv_abc123 --name "Production Key"', 'auth-agent keys create srv_abc123 --days 30 >> .env'],
  run: (call) =>
    withStore(call, async (opened) => {
      const { store, config, now } = opened;
      const server = await serverOf(call, opened);
      const name = textFlag(call, 'name') ?? 'API key';
      if (name.length > 100 || /\p{Cc}/u.test(name))
        throw new Failure('usage', '--name is at most 100 characters of plain text', { fix: '--name "Production Key"' });
      const { id, secret, hash } = newKey();
      const expiresAt = now + lifetimeOf(call, keySeconds);
      const event = auditEvent('key.created', now, 'cli', { serverId: server.id, detail: { key_id: id } });
      await store.addKey({ id, serverId: server.id, name, secretHash: hash, createdAt: now, expiresAt }, event);
      const { ok } = styleOf(call.terminal.stderr, call.terminal.env);
      return {
        data: { server_id: server.id, key_id: id, key_secret: secret, name, created_at: isoDate(now), expires_at: isoDate(expiresAt) },
        lines: [
          ...(config.issuer === undefined ? [] : [`AUTH_AGENT_URL=${config.issuer}`]),
          `AUTH_AGENT_SERVER_ID=${server.id}`,
          `AUTH_AGENT_API_KEY=${secret}`,
        ],
        notes: [`\n${ok(`Key ${id} · expires ${isoDate(expiresAt).slice(0, 10)} · shown once, kept nowhere`)}`],
      };
    }),
};

export const listKeys: Command = {
  name: 'keys list',
  about: 'list the API keys of a server, without their secrets',
  usage: '<server-id>',
  flags: databaseFlags,
  examples: ['auth-agent keys list srv_abc123'],
  run: (call) =>
    withStore(call, async (opened) => {
      const server = await serverOf(call, opened);
      const keys = (await opened.store.listKeys(server.id)).map((key) => viewOfKey(key, opened.now));
      const rows = keys.map((key) => [key.key_id, safe(key.name), key.status, endOf(key, opened.now), key.last_used_at ?? 'never']);
      const notes = keys.some((key) => daysLeft(key, opened.now) !== undefined) ? [next(`auth-agent keys create ${server.id}`, call)] : [];
      return { data: { keys }, lines: table(['ID', 'NAME', 'STATUS', 'EXPIRES', 'LAST USED'], rows), notes };
    }),
};

export const revokeKey: Command = {
  name: 'keys revoke',
  about: 'revoke an API key; it fails from the next introspection on',
  usage: '<server-id> <key-id>',
  flags: [...databaseFlags, { name: 'yes', kind: 'switch', about: 'do not ask' }],
  examples: ['auth-agent keys revoke srv_abc123 sk_7fK3x9Qm2LpZ'],
  run: (call) =>
    withStore(call, async (opened) => {
      const server = await serverOf(call, opened);
      const [, id = ''] = call.args;
      const key = (await opened.store.listKeys(server.id)).find((one) => one.id === id);
      if (!key) throw new Failure('notFound', `${server.id} has no key ${safe(id)}`, { fix: `auth-agent keys list ${server.id}` });
      await confirm(call, { name: id, breaks: `This stops ${safe(server.name)} wherever it uses "${safe(key.name)}", now.` });
      const revoked = await opened.store.revokeKey(
        server.id,
        id,
        auditEvent('key.revoked', opened.now, 'cli', { serverId: server.id, detail: { key_id: id } }),
      );
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { key_id: id, revoked }, lines: [ok(revoked ? `Revoked ${id}` : `${id} was revoked before`)] };
    }),
};

type Ending = { status: string; expires_at: string };

/** The day on which it ends, and how many are left once that is a reason to act. */
export function endOf(one: Ending, now: number): string {
  const days = daysLeft(one, now);
  const day = one.expires_at.slice(0, 10);
  return days === undefined ? day : `${day} (${days} ${days === 1 ? 'day' : 'days'} left)`;
}

/** Undefined for what is over, and for what has 30 days or more. */
function daysLeft({ status, expires_at }: Ending, now: number): number | undefined {
  const days = Math.ceil((Date.parse(expires_at) / 1000 - now) / 86400);
  return status === 'active' && days < 30 ? days : undefined;
}

/** `--days` in seconds. */
export function lifetimeOf(call: Call, otherwise: number): number {
  const days = textFlag(call, 'days');
  if (days === undefined) return otherwise;
  if (!/^[1-9]\d{0,3}$/.test(days) || Number(days) > 3650) throw new Failure('usage', '--days is a number from 1 to 3650', { fix: '--days 365' });
  return Number(days) * 86400;
}
