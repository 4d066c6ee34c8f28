/**
 * Databases that no server answers from, on whatever runtime: development data, rows of a newer version, half a restore. Not here: migrations (production.ts), copies (database.ts).
 */
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
