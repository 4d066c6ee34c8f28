/** `auth-agent users invite` and `users reset-link`: links that work without mail. They are printed once and are stored as hashes. */
import { type Context, invitationSeconds, isEmailAddress, makeInvitation, makeResetLink, operatorResetSeconds, type Role } from 'auth-agent-mcp-server/node';
import { type Command, databaseFlags, textFlag } from '../command.ts';
import { withServer } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import { findPerson } from './users.ts';

export const inviteUser: Command = {
  name: 'users invite',
  about: 'a one-time link with which somebody makes an account',
  usage: '<email>',
  flags: [...databaseFlags, { name: 'role', kind: 'text', value: 'user|owner|operator', about: 'what they become (user)' }],
  examples: ['auth-agent users invite ada@example.com', 'auth-agent users invite bob@example.com --role owner --json'],
  run: (call) =>
    withServer(call, async (context) => {
      const [email = ''] = call.args;
      const role = textFlag(call, 'role') ?? 'user';
      if (!isEmailAddress(email)) throw new Failure('usage', `${safe(email)} is no e-mail address`, { fix: inviteUser.examples[0] });
      if (!/^(user|owner|operator)$/.test(role))
        throw new Failure('usage', `--role is user, owner or operator, not ${safe(role)}`, { fix: inviteUser.examples[1] });
      await mayBeInvited(email, context);
      const link = await makeInvitation({ email, role: role as Role }, context);
      const notes = [`  For ${safe(email)}, who becomes ${role}. It works once, for 7 days; earlier invitations to this address have ended.`];
      return { data: { url: link, email, role, expires_in: invitationSeconds }, lines: [link], notes };
    }),
};

async function mayBeInvited(email: string, { options, store }: Context): Promise<void> {
  if (options.signIn.signUp === 'closed') {
    throw new Failure('refused', 'Nobody can make an account here', {
      why: 'signUp is closed.',
      fix: 'AUTH_AGENT_SIGN_UP=invitation, for the server and for this command',
    });
  }
  if (await store.findUserByLogin(email)) throw new Failure('conflict', `${safe(email)} has an account`, { fix: `auth-agent users reset-link ${safe(email)}` });
}

export const resetLink: Command = {
  name: 'users reset-link',
  about: 'a one-time link with which somebody chooses a new password',
  usage: '<user>',
  flags: databaseFlags,
  examples: ['auth-agent users reset-link ada', 'auth-agent users reset-link ada@example.com --json'],
  run: (call) =>
    withServer(call, async (context) => {
      const user = await findPerson(context.store, call.args[0] ?? '');
      if (user.disabledAt !== undefined)
        throw new Failure('conflict', `${safe(user.username)} is disabled`, { fix: `auth-agent users enable ${safe(user.username)}` });
      if (!context.options.signIn.password) {
        throw new Failure('refused', 'Nobody has a password here', {
          why: 'AUTH_AGENT_PASSWORD is false.',
          fix: `People sign in with a code by mail or an upstream; another address: auth-agent users set-email ${safe(user.username)} <email>`,
        });
      }
      const link = await makeResetLink(user, context);
      const notes = [`  For ${safe(user.username)}. It works once, for 24 hours; earlier links have ended. Their agents stay connected.`];
      return { data: { url: link, user_id: user.id, expires_in: operatorResetSeconds }, lines: [link], notes };
    }),
};
