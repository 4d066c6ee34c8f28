/** `auth-agent db …`: the database itself. */
import { backUp, databaseFile, openDatabase, openStorage } from 'auth-agent-mcp-server/node';
import { type Command, settingFlags } from '../command.ts';
import { configOf, seconds } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { styleOf } from '../terminal.ts';

const flags = settingFlags(['databaseUrl']);

export const migrateDatabase: Command = {
  name: 'db migrate',
  about: 'bring the database up to date; SQLite files are copied first',
  flags: [...flags, { name: 'dry-run', kind: 'switch', about: 'say what would be done, and do nothing' }],
  examples: ['auth-agent db migrate', 'auth-agent db migrate --dry-run', 'auth-agent db migrate --database-url sqlite:./auth-agent.db'],
  run: async (call) => {
    const { databaseUrl } = configOf(call);
    const file = databaseFile(databaseUrl);
    const storage = openStorage(await openDatabase(databaseUrl));
    try {
      const pending = await storage.pendingMigrations();
      const unknown = await storage.unknownMigrations();
      if (unknown.length > 0) throw tooNew(unknown);
      if (call.flags.dryRun === true)
        return { data: { pending }, lines: pending.length === 0 ? ['Nothing to do'] : pending.map((name) => `Would apply ${name}`) };
      const backup = file !== undefined && pending.length > 0 ? await backUp(file, seconds()) : undefined;
      const applied = pending.length === 0 ? [] : await storage.migrate(seconds());
      const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
      const said = applied.length === 0 ? 'Nothing to do' : `Applied ${applied.join(', ')}`;
      return { data: { applied, backup }, lines: [ok(said), ...(backup === undefined ? [] : [`  Copy of what was: ${backup}`])] };
    } finally {
      await storage.close();
    }
  },
};

export const showDatabaseStatus: Command = {
  name: 'db status',
  about: 'say whether the database is up to date (exit 9 if not)',
  flags,
  examples: ['auth-agent db status --json'],
  run: async (call) => {
    const { databaseUrl } = configOf(call);
    const exists = !databaseUrl.startsWith('sqlite:') || databaseFile(databaseUrl) !== undefined;
    if (!exists) return { data: { exists, pending: [] }, lines: ['There is no database yet'], notes: ['  Next  auth-agent db migrate'], exit: 'checksFailed' };
    const driver = await openDatabase(databaseUrl);
    const storage = openStorage(driver);
    try {
      await storage.ping();
      const pending = await storage.pendingMigrations();
      const unknown = await storage.unknownMigrations();
      if (unknown.length > 0) throw tooNew(unknown);
      const demo = (await storage.fact('demo')) !== undefined;
      const { ok, warn } = styleOf(call.terminal.stdout, call.terminal.env);
      const line = pending.length === 0 ? ok(`${driver.name}, up to date`) : warn(`${driver.name}, lacks ${pending.join(', ')}: auth-agent db migrate`);
      return {
        data: { exists, engine: driver.name, pending, demo },
        lines: [line, ...(demo ? [warn('made by development mode')] : [])],
        exit: pending.length === 0 ? 'ok' : 'checksFailed',
      };
    } finally {
      await storage.close();
    }
  },
};

const tooNew = (unknown: string[]): Failure =>
  new Failure('checksFailed', `The database is of a newer version: it has ${unknown.join(', ')}`, {
    why: 'This version does not know what the newer one keeps there.',
    fix: 'Use the newer version',
  });
