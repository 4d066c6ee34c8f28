/** `auth-agent setup-link`: a one-time link for the first operator. */
import { issuerProblem, makeSetupLink, newSetupLink, setupLinkScript } from 'auth-agent-mcp-server/node';
import { type Call, type Command, databaseFlags, type Result } from '../command.ts';
import { configOf, seconds, withServer } from '../database.ts';
import { Failure } from '../exit-codes.ts';

const warning = '  Open it once, within 15 minutes. Whoever opens it becomes the operator.';

export const setupLink: Command = {
  name: 'setup-link',
  about: 'a one-time link that makes the first operator',
  flags: [
    ...databaseFlags,
    { name: 'sql', kind: 'switch', about: 'print the row as SQL, for a database that only another tool can reach, and the link beside it' },
  ],
  examples: [
    'auth-agent setup-link',
    'auth-agent setup-link --tenant acme --json',
    'wrangler d1 execute auth-agent --remote --command "$(auth-agent setup-link --sql --issuer https://auth.example.com)"',
  ],
  run: (call) => (call.flags.sql === true ? asSql(call) : written(call)),
};

function written(call: Call): Promise<Result> {
  return withServer(call, async (context) => {
    if (await context.store.hasOperator()) {
      throw new Failure('conflict', 'There is an operator already', {
        why: 'A setup link is for the first one only.',
        fix: 'auth-agent users add <username> --role operator',
      });
    }
    const link = await makeSetupLink(context);
    return { data: { url: link, expires_in: 900 }, lines: [link], notes: [warning] };
  });
}

/** Opens no database: the link works once whoever holds the database has run the SQL, and only while there is no operator. */
async function asSql(call: Call): Promise<Result> {
  if (call.flags.tenant !== undefined) throw new Failure('usage', '--sql is for the first operator of all', { fix: 'auth-agent setup-link --sql' });
  const { issuer } = configOf(call);
  const problem = issuer === undefined ? 'is not set' : issuerProblem(issuer);
  if (issuer === undefined || problem) {
    throw new Failure('usage', `The issuer ${problem}`, {
      why: 'The link begins with it.',
      fix: 'auth-agent setup-link --sql --issuer https://auth.example.com',
    });
  }
  const { url, row } = newSetupLink(issuer, seconds());
  const sql = setupLinkScript(row);
  return { data: { url, sql, expires_in: 900 }, lines: [sql], notes: [`  ${url}`, '  It works once the SQL was run on the database of the server.', warning] };
}
