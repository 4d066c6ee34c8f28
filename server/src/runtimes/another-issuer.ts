/**
 * Notices that a database was served under another issuer before: what was given out under the old name is worth nothing under the new one, and one wrong letter in a
 * setting does that. It warns and no more, for a copy in another place, or a new domain, is a good reason.
 */
import type { Log } from '../context.ts';
import type { Storage } from '../storage/store.ts';

/** The issuer of the newest start on this database. */
const issuerFact = 'issuer';

/** Compares `issuer` with the one of the start before, and keeps it for the next. */
export async function noticeIssuer(storage: Storage, issuer: string, log: Log): Promise<void> {
  const before = await storage.fact(issuerFact);
  if (before === issuer) return;
  await storage.setFact(issuerFact, issuer);
  if (before === undefined) return;
  log.warn('start.issuer_changed', {
    before,
    issuer,
    means: 'what names the issuer before no longer works: tokens, logins of agents, passkeys, recovery codes; "Another domain" in DEPLOYMENT.md has all of it',
  });
}
