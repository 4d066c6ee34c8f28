/**
 * One-time links by which the first operator sets the server up. A link is used by whoever updates its row first; the person and the owner token exist
 * only if that update happened, in the same commit. There is one first operator: where there is one, no link is good any more.
 */
import { ConstraintError, type Driver, locking, sql } from '../driver.ts';
import { ROOT_TENANT, type Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { addPassword } from './credentials.ts';
import { insertOwnerToken, ownerTokenRow } from './owner-tokens.ts';
import { anyOperator, insertUserWhere, loginIsFree, noOperator, type UserRow, userRow } from './users.ts';

type Link = { tenant: string; tokenHash: string };
const insert = sql<Link & { now: number; expiresAt: number }>`insert into setup_links (tenant, token_hash, created_at, expires_at)
  values (${'tenant'}, ${'tokenHash'}, ${'now'}, ${'expiresAt'})`;
const open = sql<Link & { now: number }>`select 1 as found from setup_links
  where tenant = ${'tenant'} and token_hash = ${'tokenHash'} and used_at is null and expires_at > ${'now'}`;

type Use = Link & { now: number; mark: string; usernameKey: string; emailKey: string | null };
const use = sql<Use>`update setup_links set used_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and token_hash = ${'tokenHash'} and used_at is null and expires_at > ${'now'} and ${loginIsFree} and ${noOperator}`;
const endOthers = sql<Link & { now: number; mark: string }>`update setup_links set used_at = ${'now'}
  where tenant = ${'tenant'} and token_hash <> ${'tokenHash'} and used_at is null
  and exists (select 1 from setup_links where tenant = ${'tenant'} and token_hash = ${'tokenHash'} and last_event = ${'mark'})`;

/** Comes first: of two links followed at once, the second asks for an operator when the first has made one. */
const lock = sql<{ tenant: string }>`select 1 as there from setup_links where tenant = ${'tenant'} order by token_hash for update`;

// No "on conflict": a name taken in the meantime must fail the batch and give the link back.
const insertOperator = sql<UserRow & { tokenHash: string }>`${insertUserWhere} exists
  (select 1 from setup_links where tenant = ${'tenant'} and token_hash = ${'tokenHash'} and last_event = ${'mark'})`;
const eventIfUsed = eventIf('setup_links', 'token_hash');

/**
 * The row of a setup link as SQL text, for a database that only another tool can reach. It inserts nothing where there is an operator already. `tokenHash` is a
 * hash of ours: nothing that comes from outside stands in the text.
 *
 * @throws {TypeError} for a value that is no hash and no whole number.
 */
export function setupLinkScript({ tokenHash, now, expiresAt }: { tokenHash: string; now: number; expiresAt: number }): string {
  if (!/^[\w-]+$/.test(tokenHash) || !Number.isInteger(now) || !Number.isInteger(expiresAt)) throw new TypeError('not the row of a setup link');
  const values = `'${ROOT_TENANT}', '${tokenHash}', ${now}, ${expiresAt}`;
  return `insert into setup_links (tenant, token_hash, created_at, expires_at) select ${values} where not exists (select 1 from users where tenant = '${ROOT_TENANT}' and role = 'operator' and disabled_at is null);`;
}

export function setupLinksTable(driver: Driver, tenant: string): Pick<Store, 'addSetupLink' | 'setupLinkOpen' | 'redeemSetupLink'> {
  const isOpen = async (tokenHash: string, now: number) =>
    (await driver.read(open({ tenant, tokenHash, now }))).length > 0 && (await driver.read(anyOperator({ tenant }))).length === 0;
  return {
    async addSetupLink(tokenHash, now, expiresAt) {
      await driver.write([insert({ tenant, tokenHash, now, expiresAt })]);
    },
    setupLinkOpen: isOpen,
    async redeemSetupLink(tokenHash, operator, token, event) {
      const person = userRow(tenant, operator, event.id);
      const link = { tenant, tokenHash, now: event.at, mark: event.id };
      const locks = locking(driver, [lock({ tenant })]);
      const statements = [
        ...locks,
        use({ ...link, usernameKey: person.usernameKey, emailKey: person.emailKey }),
        endOthers(link),
        insertOperator({ ...person, tokenHash }),
        insertOwnerToken(ownerTokenRow(tenant, token, event.id)),
        eventIfUsed(tenant, tokenHash, event),
      ];
      if (operator.passwordHash !== undefined)
        statements.push(addPassword({ tenant, userId: operator.id, hash: operator.passwordHash, at: operator.createdAt, mark: event.id }));
      try {
        const results = await driver.write(statements);
        if (results[locks.length]?.changes === 1) return 'done';
        return (await isOpen(tokenHash, event.at)) ? 'taken' : 'used';
      } catch (error) {
        if (error instanceof ConstraintError) return 'taken';
        throw error;
      }
    },
  };
}
