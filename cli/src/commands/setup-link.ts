/** `auth-agent setup-link`: a one-time link for the first operator. */
import { makeSetupLink } from 'auth-agent-mcp-server/node';
import { type Command, databaseFlags } from '../command.ts';
import { withServer } from '../database.ts';
import { Failure } from '../exit-codes.ts';

export const setupLink: Command = {
  name: 'setup-link',
  about: 'a one-time link that makes the first operator',
  flags: databaseFlags,
  examples: ['auth-agent setup-link', 'auth-agent setup-link --tenant acme --json'],
  run: (call) =>
    withServer(call, async (context) => {
      if (await context.store.hasOperator()) {
        throw new Failure('conflict', 'There is an operator already', {
          why: 'A setup link is for the first one only.',
          fix: 'auth-agent users add <username> --role operator',
        });
      }
      const link = await makeSetupLink(context);
      return { data: { url: link, expires_in: 900 }, lines: [link], notes: ['  Open it once, within 15 minutes. Whoever opens it becomes the operator.'] };
    }),
};
