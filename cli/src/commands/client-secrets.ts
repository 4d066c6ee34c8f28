/** `auth-agent client-secrets …`: a client changes its secret without stopping, because two work for a while. */
import { auditEvent, clientSecretHash, isoDate, newClientSecret } from 'auth-agent-mcp-server/node';
import { confirm } from '../ask.ts';
import { type Command, databaseFlags } from '../command.ts';
import { withServer, withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf } from '../terminal.ts';
import { livingClient } from './client-keys.ts';
import { lifetimeOf } from './keys.ts';

const overlapSeconds = 7 * 86_400;

export const addClientSecret: Command = {
  name: 'client-secrets add',
  about: 'give a client a newer secret, shown once; the older one works on for a while',
  usage: '<client-id>',
  flags: [...databaseFlags, { name: 'days', kind: 'text', value: 'number', about: 'how long the older one works on (7)' }],
  examples: ['auth-agent client-secrets add nightly', 'auth-agent client-secrets add nightly --days 1 >> .env'],
  run: (call) =>
    withServer(call, async (context) => {
      const [id = ''] = call.args;
      const now = context.now();
      await livingClient(context.store, id);
      const secret = newClientSecret();
      const olderExpiresAt = now + lifetimeOf(call, overlapSeconds);
      const event = auditEvent('client.secret_added', now, 'cli', { clientId: id });
      const outcome = await context.store.addClientSecret({ id, secretHash: clientSecretHash(context, id, secret), olderExpiresAt }, event);
      if (outcome === 'full')
        throw new Failure('conflict', `${safe(id)} has two secrets already`, { fix: `auth-agent client-secrets revoke ${safe(id)} --older` });
      if (outcome === 'gone') throw new Failure('refused', `${safe(id)} has no secret to change`, { why: 'It is public, or authenticates with a key.' });
      const { ok } = styleOf(call.terminal.stderr, call.terminal.env);
      return {
        data: { client_id: id, client_secret: secret, older_expires_at: isoDate(olderExpiresAt) },
        lines: [`CLIENT_SECRET=${secret}`],
        notes: [`\n${ok(`The older secret works until ${isoDate(olderExpiresAt).slice(0, 10)} · the newer one is shown once, kept nowhere`)}`],
      };
    }),
};

export const revokeClientSecret: Command = {
  name: 'client-secrets revoke',
  about: 'end one of two secrets of a client, now',
  usage: '<client-id>',
  flags: [
    ...databaseFlags,
    { name: 'older', kind: 'switch', about: 'the one it had before' },
    { name: 'newer', kind: 'switch', about: 'the one added last; the older keeps its place' },
    { name: 'yes', kind: 'switch', about: 'do not ask' },
  ],
  examples: ['auth-agent client-secrets revoke nightly --older --yes'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [id = ''] = call.args;
      if ((call.flags.older === true) === (call.flags.newer === true))
        throw new Failure('usage', 'Which one? --older or --newer', { fix: revokeClientSecret.examples[0] });
      const which = call.flags.older === true ? 'older' : 'newer';
      await livingClient(store, id);
      await confirm(call, { name: id, breaks: `This stops whatever still uses the ${which} secret of ${safe(id)}, now.` });
      if (!(await store.endClientSecret(id, which, auditEvent('client.secret_ended', now, 'cli', { clientId: id, detail: { which } }))))
        throw new Failure('conflict', `${safe(id)} has one secret only`, { fix: `auth-agent client-secrets add ${safe(id)}` });
      return {
        data: { client_id: id, revoked: which },
        lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`Ended the ${which} secret of ${safe(id)}`)],
      };
    }),
};
