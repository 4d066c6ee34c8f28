/** `auth-agent db backup` and `db restore`: the whole database as one file, the same for both databases. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BackupSummary,
  BadBackup,
  backupLines,
  InUse,
  isoDate,
  NotEmpty,
  nodeLog,
  openDatabase,
  readBackupFile,
  refuseServed,
  restoreLines,
  serverFrom,
  withPassingFiles,
  writeBackupFile,
} from 'auth-agent-mcp-server/node';
import { readPassphrase } from '../ask.ts';
import { type Call, type Command, type Result, settingFlags, textFlag } from '../command.ts';
import { configOf, mustExist, next, seconds } from '../database.ts';
import { Failure } from '../exit-codes.ts';
import { styleOf } from '../terminal.ts';

const flags = [
  ...settingFlags(['databaseUrl', 'issuer', 'secret']),
  { name: 'passphrase-file', kind: 'text', value: 'file', about: 'encrypts and decrypts the file; or AUTH_AGENT_BACKUP_PASSPHRASE_FILE' } as const,
];

export const backUpDatabase: Command = {
  name: 'db backup',
  about: 'write the whole database into one file, while the server runs',
  flags: [...flags, { name: 'to', kind: 'text', value: 'file', about: 'where; must not exist (auth-agent-<time>.aab)' }],
  examples: ['auth-agent db backup --to backup.aab', 'auth-agent db backup --passphrase-file ./passphrase'],
  run: async (call) => {
    const { databaseUrl } = configOf(call);
    mustExist(databaseUrl);
    const now = seconds();
    const path = textFlag(call, 'to') ?? `auth-agent-${isoDate(now).replace(/[-:]/g, '').slice(0, 15)}Z.aab`;
    if (existsSync(path)) throw new Failure('conflict', `There is a file at ${path}`, { fix: 'Take another name: --to <file>' });
    const passphrase = readPassphrase(call);
    const driver = await openDatabase(databaseUrl);
    const rows = counter(call, 'rows written');
    try {
      await writeBackupFile(path, backupLines(driver, now, rows.tell), passphrase);
    } catch (error) {
      throw unwritable(error, path);
    } finally {
      rows.end();
      await driver.close();
    }
    const { ok, warn } = styleOf(call.terminal.stdout, call.terminal.env);
    const said = ok(`${rows.count()} rows in ${path}${passphrase === undefined ? '' : ', encrypted'}`);
    const bare = warn(
      'It is not encrypted: it holds names, e-mail addresses and hashes. Its private keys are sealed with AUTH_AGENT_SECRET, which is not in it.',
    );
    return {
      data: { file: path, rows: rows.count(), encrypted: passphrase !== undefined },
      lines: [said, ...(passphrase === undefined ? [bare] : [])],
      notes: [next(`auth-agent db restore ${path} --verify`)],
    };
  },
};

export const restoreDatabase: Command = {
  name: 'db restore',
  about: 'fill an empty database from a backup, or only prove that it would work',
  usage: '<file>',
  flags: [
    ...flags,
    { name: 'verify', kind: 'switch', about: 'restore into a throw-away file, count, and open the signing keys with the secret' },
    { name: 'keep-access', kind: 'switch', about: 'no server ran since the backup was made: agents stay connected and people signed in' },
  ],
  examples: ['auth-agent db restore backup.aab --verify', 'auth-agent db restore backup.aab --database-url postgres://app@db/auth'],
  run: async (call) => {
    const [path = ''] = call.args;
    if (!existsSync(path)) throw new Failure('notFound', `There is no file ${path}`, { fix: 'auth-agent db backup --to <file>' });
    return call.flags.verify === true ? await verify(path, call) : await restore(path, configOf(call).databaseUrl, call);
  },
};

async function restore(path: string, databaseUrl: string, call: Call) {
  const summary = await fill(path, databaseUrl, { call, keepAccess: call.flags.keepAccess === true });
  const { ok } = styleOf(call.terminal.stdout, call.terminal.env);
  return {
    data: { ...viewOf(path, summary), ended: summary.ended },
    lines: [ok(`${total(summary)} rows of ${isoDate(summary.head.made_at)} restored`), ...saidOf(summary)],
    notes: [next('auth-agent start')],
  };
}

function saidOf({ ended }: BackupSummary): string[] {
  if (!ended) return ['  Access was kept. If a server ran after the backup, what was revoked there since is alive again.'];
  return [
    `  Ended, because some of it may have been revoked since: ${ended.grants} grants of people, ${ended.sessions} sessions, all tokens. Agents connect again.`,
    '  As they were then: accounts, passwords, recovery codes, clients that you added, API keys, owner tokens. Revoke again what was revoked since.',
  ];
}

async function verify(path: string, call: Call): Promise<Result> {
  const file = join(tmpdir(), `auth-agent-verify-${randomBytes(8).toString('hex')}.db`);
  const { ok, warn } = styleOf(call.terminal.stdout, call.terminal.env);
  // What was sealed in the backup is not in this file.
  const files = ['', '-wal', '-shm'].map((ending) => `${file}${ending}`);
  return withPassingFiles(files, async () => {
    const summary = await fill(path, `sqlite:${file}`, { call, keepAccess: true });
    const keys = await openKeys(`sqlite:${file}`, call);
    const opened =
      keys === undefined
        ? warn('Signing keys not tried: AUTH_AGENT_ISSUER and AUTH_AGENT_SECRET are not set')
        : ok(`${keys} signing keys open with this secret`);
    return {
      data: { ...viewOf(path, summary), signing_keys_opened: keys },
      lines: [ok(`${total(summary)} rows of ${isoDate(summary.head.made_at)} restore`), opened],
    };
  });
}

/** How many keys there are, if all open; undefined when the secret is not known here. */
async function openKeys(databaseUrl: string, call: Call): Promise<number | undefined> {
  const config = configOf(call);
  const { issuer, secret } = config;
  if (issuer === undefined || secret === undefined) return undefined;
  const server = serverFrom(
    { ...config, issuer, secret },
    await openDatabase(databaseUrl),
    nodeLog({ output: call.terminal.stderr, level: 'warn', format: 'pretty' }),
  );
  try {
    const context = await server.context();
    const keys = await context?.store.listSigningKeys(seconds());
    await context?.signing.current();
    return keys?.length ?? 0;
  } catch (cause) {
    throw new Failure('checksFailed', 'The signing keys in it do not open', {
      why: 'They were sealed with another secret.',
      fix: 'Set AUTH_AGENT_SECRET to that of the server',
      cause,
    });
  } finally {
    await server.storage.close();
  }
}

async function fill(path: string, databaseUrl: string, { call, keepAccess }: { call: Call; keepAccess: boolean }): Promise<BackupSummary> {
  const passphrase = readPassphrase(call);
  const driver = await openDatabase(databaseUrl);
  const rows = counter(call, 'rows restored');
  try {
    await refuseServed(driver);
    return await readBackupFile(path, passphrase, (lines) => restoreLines(driver, lines, { now: seconds(), tell: rows.tell, keepAccess }));
  } catch (error) {
    throw failureOf(error, path);
  } finally {
    rows.end();
    await driver.close();
  }
}

/** A folder that is not there, not ours or full is for the operator to mend; what else failed is not. */
function unwritable(error: unknown, path: string): unknown {
  if (!(error instanceof Error && 'code' in error && /^E(NOENT|NOTDIR|ACCES|PERM|ROFS|NOSPC|DQUOT|FBIG)$/.test(String(error.code)))) return error;
  const fix = 'Name a file in a folder that exists, where this user may write and the disk has room: --to <file>';
  return new Failure('failed', `The backup cannot be written to ${path}`, { why: error.message, fix, cause: error });
}

function failureOf(error: unknown, path: string): unknown {
  if (error instanceof BadBackup)
    return new Failure('checksFailed', `${path} cannot be restored`, { why: error.message, fix: error.fix ?? 'Take another backup' });
  if (error instanceof NotEmpty)
    return new Failure('conflict', error.message, {
      why: 'Restoring never writes over anything.',
      fix: 'Name an empty one: --database-url sqlite:./restored.db',
    });
  if (error instanceof InUse)
    return new Failure('conflict', error.message, {
      why: 'They would serve what a restore ends, while it is under way.',
      fix: 'Stop all nodes, wait half a minute, restore, start them again',
    });
  return error;
}

const total = ({ rows }: BackupSummary): number => Object.values(rows).reduce((sum, count) => sum + count, 0);
const viewOf = (file: string, { head, rows }: BackupSummary) => ({ file, made_at: isoDate(head.made_at), engine: head.engine, rows });

/** Counts on a terminal while it takes. */
function counter({ terminal: { stderr } }: Call, what: string) {
  let count = 0;
  let shown = false;
  return {
    tell(rows: number) {
      count = rows;
      if (stderr.isTTY !== true) return;
      shown = true;
      stderr.write(`\r  ${rows} ${what}`);
    },
    end() {
      if (shown) stderr.write('\n');
    },
    count: () => count,
  };
}
