/** `auth-agent identities …`: who the people of a trusted issuer are here. Never decided by e-mail. */
import { auditEvent } from 'auth-agent-mcp-server/node';
import { type Command, databaseFlags } from '../command.ts';
import { withStore } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf, table } from '../terminal.ts';

export const linkIdentity: Command = {
  name: 'identities link',
  about: 'say who a subject of a trusted issuer is here',
  usage: '<issuer> <subject> <username>',
  flags: databaseFlags,
  examples: ['auth-agent identities link https://idp.acme.example U019488227 ada'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [issuer = '', subject = '', login = ''] = call.args;
      const user = (await store.findUserByLogin(login))?.user;
      if (!user) throw new Failure('notFound', `There is no user ${safe(login)}`, { fix: 'auth-agent users list' });
      if ((await store.findIssuer(issuer))?.kind !== 'identity')
        throw new Failure('notFound', `${safe(issuer)} is not trusted for people`, { fix: `auth-agent issuers add ${safe(issuer)} --people` });
      const event = auditEvent('identity.linked', now, 'cli', { userId: user.id, detail: { issuer, subject } });
      if (!(await store.linkIdentity({ issuer, subject, userId: user.id }, event)))
        throw new Failure('conflict', `${safe(subject)} is linked already`, { fix: `auth-agent identities list ${safe(issuer)}` });
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      return { data: { issuer, subject, user_id: user.id }, lines: [ok(`${safe(subject)} of ${safe(issuer)} is ${safe(user.username)}`)] };
    }),
};

export const listIdentities: Command = {
  name: 'identities list',
  about: 'list who the subjects of an issuer are here',
  usage: '<issuer>',
  flags: databaseFlags,
  examples: ['auth-agent identities list https://idp.acme.example'],
  run: (call) =>
    withStore(call, async ({ store }) => {
      const [issuer = ''] = call.args;
      const identities = (await store.listIdentities(issuer)).map(({ subject, userId }) => ({ subject, user_id: userId }));
      return {
        data: { issuer, identities },
        lines: table(
          ['SUBJECT', 'USER'],
          identities.map((one) => [safe(one.subject), one.user_id]),
        ),
      };
    }),
};

export const unlinkIdentity: Command = {
  name: 'identities unlink',
  about: 'take back who a subject is; its next assertion is about nobody',
  usage: '<issuer> <subject>',
  flags: databaseFlags,
  examples: ['auth-agent identities unlink https://idp.acme.example U019488227'],
  run: (call) =>
    withStore(call, async ({ store, now }) => {
      const [issuer = '', subject = ''] = call.args;
      if (!(await store.unlinkIdentity(issuer, subject, auditEvent('identity.unlinked', now, 'cli', { detail: { issuer, subject } }))))
        throw new Failure('notFound', `${safe(subject)} is not linked`, { fix: `auth-agent identities list ${safe(issuer)}` });
      return { data: { issuer, subject }, lines: [styleOf(call.terminal.stdout, call.terminal.env).ok(`Unlinked ${safe(subject)}`)] };
    }),
};
