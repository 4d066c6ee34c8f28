/**
 * One-time links and codes. A link is used by whoever updates its row first; the person or the password exists only if that update happened, in the same
 * commit. Entered codes are counted and judged in one statement, so parallel guesses cannot share a try.
 */
import { aliased, ConstraintError, type Driver, literal, part, type Row, type Statement, sql } from '../driver.ts';
import { optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { Role } from '../store.ts';
import { type LinkPurpose, MAX_LINK_TRIES, type OneTimeLink, type OneTimeLinkVerbs } from '../verbs/one-time-links.ts';
import { eventIf, insertEvent } from './audit-events.ts';
import { addPassword, replacePassword } from './credentials.ts';
import { dueOfMarkedUser, lockEndingOf } from './session-clients.ts';
import { dropEmptyLink, identityRow, linkAhead, ofSubject } from './upstreams.ts';
import { beginEpoch, endLinksOfMarked, endSessionsOfMarked, insertUserWhere, loginIsFree, loginKey, type UserRow, userRow } from './users.ts';

const columns = aliased('l', ['id', 'purpose', 'token_hash', 'code_hash', 'browser_hash', 'user_id', 'email', 'role', 'created_at', 'expires_at', 'proven_at']);

type LinkRow = {
  tenant: string;
  id: string;
  purpose: string;
  tokenHash: string;
  codeHash: string | null;
  browserHash: string | null;
  userId: string | null;
  email: string | null;
  emailKey: string | null;
  role: string | null;
  createdAt: number;
  expiresAt: number;
};
const insert = sql<LinkRow>`insert into one_time_links
    (tenant, id, purpose, token_hash, code_hash, browser_hash, user_id, email, email_key, role, tries, created_at, expires_at)
  values (${'tenant'}, ${'id'}, ${'purpose'}, ${'tokenHash'}, ${'codeHash'}, ${'browserHash'}, ${'userId'}, ${'email'}, ${'emailKey'}, ${'role'}, 0,
    ${'createdAt'}, ${'expiresAt'})`;

type Same = { tenant: string; purpose: string; key: string; now: number };
const endForUser = sql<Same>`update one_time_links set used_at = ${'now'}
  where tenant = ${'tenant'} and user_id = ${'key'} and purpose = ${'purpose'} and used_at is null`;
const endForEmail = sql<Same>`update one_time_links set used_at = ${'now'}
  where tenant = ${'tenant'} and email_key = ${'key'} and purpose = ${'purpose'} and used_at is null`;

const open = part<'now'>`used_at is null and expires_at > ${'now'}`;
// A person who was disabled has no way in; a link without a person is for whoever holds it.
const find = part<'tenant' | 'now'>`select ${columns} from one_time_links l left join users u on u.tenant = l.tenant and u.id = l.user_id
  where l.tenant = ${'tenant'} and ${open} and u.disabled_at is null`;
const findByToken = sql<{ tenant: string; tokenHash: string; now: number }>`${find} and l.token_hash = ${'tokenHash'}`;
const findOwn = sql<{ tenant: string; id: string; browserHash: string; now: number }>`${find} and l.id = ${'id'} and l.browser_hash = ${'browserHash'}`;
const invitations = sql<{ tenant: string; now: number }>`select ${columns} from one_time_links l
  where l.tenant = ${'tenant'} and l.purpose = 'invitation' and ${open} order by l.created_at desc`;

type Try = { tenant: string; id: string; browserHash: string; codeHash: string; now: number; provenUntil: number; most: number };
const count = sql<Try>`update one_time_links set tries = tries + 1,
    proven_at = case when code_hash = ${'codeHash'} then cast(${'now'} as bigint) else null end,
    expires_at = case when code_hash = ${'codeHash'} then cast(${'provenUntil'} as bigint) else expires_at end
  where tenant = ${'tenant'} and id = ${'id'} and browser_hash = ${'browserHash'} and proven_at is null and tries < ${'most'} and ${open}
  returning proven_at`;

// By the address that the mail went to: it may not be the one they have any more.
const proveByCode = sql<Omit<Try, 'provenUntil' | 'most'>>`update users set email_proven_at = ${'now'} where tenant = ${'tenant'}
  and (id, email_key) = (select user_id, email_key from one_time_links where tenant = ${'tenant'} and id = ${'id'} and browser_hash = ${'browserHash'}
    and code_hash = ${'codeHash'} and purpose = 'sign-in' and proven_at = ${'now'} and used_at is null)`;

type Use = { tenant: string; id: string; now: number; mark: string };
const mark = part<keyof Use>`update one_time_links set used_at = ${'now'}, last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'} and ${open}`;
const makesPerson = literal("(purpose = 'invitation' or (purpose = 'sign-up' and proven_at is not null))");
const acceptable = sql<{ tenant: string; id: string; now: number }>`select 1 as found from one_time_links
  where tenant = ${'tenant'} and id = ${'id'} and ${open} and ${makesPerson}`;
const accept = sql<Use & { usernameKey: string; emailKey: string | null }>`${mark}
  and ${makesPerson} and ${loginIsFree}`;
const acceptFromUpstream = sql<Use & { usernameKey: string; emailKey: string | null; issuer: string; subject: string }>`${mark}
  and ${makesPerson} and ${loginIsFree} and exists (select 1 from upstream_identities ${ofSubject} and last_event = ${'mark'})`;
// No "on conflict": a name taken in the meantime must fail the batch and give the link back.
const insertAccepted = sql<UserRow & { linkId: string }>`${insertUserWhere} exists
  (select 1 from one_time_links where tenant = ${'tenant'} and id = ${'linkId'} and last_event = ${'mark'})`;

type Reset = Use & { userId: string };
const reset = sql<Reset>`${mark} and purpose = 'reset' and user_id = ${'userId'}
  and exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'} and disabled_at is null)`;
const markUser = sql<Omit<Reset, 'now'>>`update users set last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'userId'}
  and exists (select 1 from one_time_links where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;

const proveByLink = sql<Reset>`update users set email_proven_at = ${'now'} where tenant = ${'tenant'} and id = ${'userId'} and last_event = ${'mark'}
  and email_key = (select email_key from one_time_links where tenant = ${'tenant'} and id = ${'id'})`;

const eventIfUsed = eventIf('one_time_links', 'id');

export function oneTimeLinksTable(driver: Driver, tenant: string): OneTimeLinkVerbs {
  const isOpen = async (id: string, now: number) => (await driver.read(acceptable({ tenant, id, now }))).length > 0;
  return {
    async addLink(link, { replaces, sentTo }, event) {
      const earlier = replaces ? endSame(tenant, link) : [];
      await driver.write([...earlier, insert(linkRow(tenant, link, sentTo ?? link.email)), insertEvent(tenant, event)]);
    },
    async findLink(tokenHash, now) {
      const [row] = await driver.read(findByToken({ tenant, tokenHash, now }));
      return row && linkOf(row);
    },
    async findOwnLink(id, browserHash, now) {
      const [row] = await driver.read(findOwn({ tenant, id, browserHash, now }));
      return row && linkOf(row);
    },
    async tryLink(attempt) {
      const { provenUntil, ...given } = { tenant, ...attempt };
      const [tried] = await driver.write([count({ ...given, provenUntil, most: MAX_LINK_TRIES }), proveByCode(given)]);
      const [row] = tried?.rows ?? [];
      if (row === undefined) return 'over';
      return optionalWhole(row.proven_at) === undefined ? 'wrong' : 'right';
    },
    async acceptLink(linkId, user, event, identity) {
      const person = userRow(tenant, user, event.id);
      const { usernameKey, emailKey } = person;
      const use = { tenant, id: linkId, now: event.at, mark: event.id, usernameKey, emailKey };
      const linked = identity && identityRow(tenant, { ...identity, userId: user.id }, event.id);
      // As where strangers sign up by an upstream, the link to it comes first and goes again when nobody was made.
      const statements = [
        linked ? acceptFromUpstream({ ...use, issuer: linked.issuer, subject: linked.subject }) : accept(use),
        insertAccepted({ ...person, linkId }),
        ...(linked ? [dropEmptyLink(linked)] : []),
        eventIfUsed(tenant, linkId, event),
      ];
      if (linked) statements.unshift(linkAhead(linked));
      if (user.passwordHash !== undefined)
        statements.push(addPassword({ tenant, userId: user.id, hash: user.passwordHash, at: user.createdAt, mark: event.id }));
      try {
        const results = await driver.write(statements);
        if (results[linked ? 1 : 0]?.changes === 1) return 'done';
        return (await isOpen(linkId, event.at)) ? 'taken' : 'used';
      } catch (error) {
        if (error instanceof ConstraintError) return 'taken';
        throw error;
      }
    },
    async resetPassword(linkId, passwordHash, event) {
      const { userId, at: now, id } = event;
      const marked = { tenant, userId, mark: id };
      const [used] = await driver.write([
        reset({ ...marked, id: linkId, now }),
        markUser({ ...marked, id: linkId }),
        beginEpoch({ tenant, id: userId, mark: id }),
        proveByLink({ ...marked, id: linkId, now }),
        replacePassword({ ...marked, hash: passwordHash, at: now }),
        ...lockEndingOf(driver, tenant, userId),
        dueOfMarkedUser({ tenant, id: userId, mark: id, now }),
        endSessionsOfMarked({ tenant, id: userId, mark: id }),
        endLinksOfMarked({ tenant, id: userId, mark: id, now }),
        eventIfUsed(tenant, linkId, event),
      ]);
      return used?.changes === 1;
    },
    async listInvitations(now) {
      return (await driver.read(invitations({ tenant, now }))).map(linkOf);
    },
  };
}

function endSame(tenant: string, { purpose, userId, email, createdAt: now }: OneTimeLink): Statement[] {
  if (userId !== undefined) return [endForUser({ tenant, purpose, key: userId, now })];
  return email === undefined ? [] : [endForEmail({ tenant, purpose, key: loginKey(email), now })];
}

function linkRow(tenant: string, link: OneTimeLink, address: string | undefined): LinkRow {
  const { id, purpose, tokenHash, createdAt, expiresAt } = link;
  return {
    tenant,
    id,
    purpose,
    tokenHash,
    codeHash: link.codeHash ?? null,
    browserHash: link.browserHash ?? null,
    userId: link.userId ?? null,
    email: link.email ?? null,
    emailKey: address === undefined ? null : loginKey(address),
    role: link.role ?? null,
    createdAt,
    expiresAt,
  };
}

function linkOf(row: Row): OneTimeLink {
  return present({
    id: text(row.l_id),
    // Only this file writes both columns, and only with these.
    purpose: text(row.l_purpose) as LinkPurpose,
    role: optionalText(row.l_role) as Role | undefined,
    tokenHash: text(row.l_token_hash),
    codeHash: optionalText(row.l_code_hash),
    browserHash: optionalText(row.l_browser_hash),
    userId: optionalText(row.l_user_id),
    email: optionalText(row.l_email),
    createdAt: whole(row.l_created_at),
    expiresAt: whole(row.l_expires_at),
    provenAt: optionalWhole(row.l_proven_at),
  });
}
