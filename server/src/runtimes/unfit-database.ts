/**
 * Databases that no server answers from, on whatever runtime: development data, secrets of the documentation, rows of a newer version, half a restore. Not here: migrations
 * (production.ts), copies (database.ts).
 */
import type { Context } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { verifyPassword } from '../crypto/password.ts';
import { demoKeyId, demoSecrets, demoUser } from '../demo/data.ts';
import { restoringFact } from '../storage/backup.ts';
import type { Storage } from '../storage/store.ts';
import { StartRefused } from './start-refused.ts';

/** Demo data is known to the world: whoever read our documentation could sign in. */
export async function refuseDemoDatabase(storage: Storage, url?: string): Promise<void> {
  if ((await storage.fact('demo')) === undefined) return;
  throw new StartRefused('This database was made by development mode', {
    why: 'It holds accounts and secrets that are printed in the documentation.',
    fix:
      url === undefined
        ? 'Bind another one in wrangler.toml'
        : `Use another one: AUTH_AGENT_DATABASE_URL=sqlite:./auth-agent.db${url === 'sqlite:./auth-agent.db' ? ', after moving this file away' : ''}`,
  });
}

/** Demo data that lost its mark, or a secret that somebody took from a page. @throws {StartRefused} when a secret that is printed in the documentation would work here. */
export async function refuseDemoSecrets(context: Context): Promise<void> {
  const secret = await demoSecretIn(context);
  if (secret === undefined) return;
  throw new StartRefused(`This database accepts ${secret} from the documentation`, {
    why: 'Anybody who read the documentation could use it.',
    fix: 'Remove or change it, then start again',
  });
}

/** Asked all together: each isolate of a Worker asks before its first answer. */
async function demoSecretIn({ store, instance }: Context): Promise<string | undefined> {
  const key = async () => {
    const found = await store.findKey(sha256(demoKeyId));
    return found && found.revokedAt === undefined ? `the API key ${demoKeyId}` : undefined;
  };
  const client = async ([id, secret]: [string, string]) =>
    (await store.findClient(id))?.secretHash === instance.mac('client-secret', id, secret) ? `the secret of the client ${id}` : undefined;
  const person = async () => {
    const hash = (await store.findUserByLogin(demoUser.username))?.passwordHash;
    return hash !== undefined && (await verifyPassword(demoUser.password, hash)).matches ? `the password of ${demoUser.username}` : undefined;
  };
  return (await Promise.all([key(), ...Object.entries(demoSecrets).map(client), person()])).find((found) => found !== undefined);
}

/** Older code on a newer schema writes rows that the newer code then misreads. */
export async function refuseUnknownState(storage: Storage): Promise<void> {
  const unknown = await storage.unknownMigrations();
  if (unknown.length > 0) {
    throw new StartRefused(`The database was brought up to date by a newer version: it has ${unknown.join(', ')}`, {
      why: 'This version does not know what the newer one keeps there.',
      fix: 'Start the newer version, or restore a backup from before: auth-agent db restore <file>',
    });
  }
  if ((await storage.fact(restoringFact)) === undefined) return;
  throw new StartRefused('A restore into this database was not finished', {
    why: 'It holds a part of the rows; access that was revoked could be missing its revocation.',
    fix: 'Restore again into an empty database: auth-agent db restore <file>',
  });
}
