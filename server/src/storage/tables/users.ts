/**
 * People. Owns who they are; their passwords are in credentials.ts, which takes part in the same batches. A username and an e-mail address are one name
 * space: nobody may take another person's address as a username and receive their sign-in attempts.
 */
import { aliased, type Driver, part, type Row, sql } from '../driver.ts';
import { optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { NewUser, Role, Store, User } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { addPassword, replacePassword, swapPasswordHash } from './credentials.ts';
import { endGrantsOf } from './grants.ts';
import { dueOfMarkedUser, lockEndingOf } from './session-clients.ts';

/** Columns of a person under the alias `u`; {@link userOf} reads them. */
export const userColumns = aliased('u', [
  'id',
  'username',
  'email',
  'email_proven_at',
  'name',
  'role',
  'language',
  'created_at',
  'disabled_at',
  'agents_paused_at',
  'session_epoch',
]);

export function userOf(row: Row): User {
  return present({
    id: text(row.u_id),
    username: text(row.u_username),
    email: optionalText(row.u_email),
    emailProvenAt: optionalWhole(row.u_email_proven_at),
    name: optionalText(row.u_name),
    // Only this file writes the column, and only with a Role.
    role: text(row.u_role) as Role,
    language: optionalText(row.u_language),
    createdAt: whole(row.u_created_at),
    disabledAt: optionalWhole(row.u_disabled_at),
    agentsPausedAt: optionalWhole(row.u_agents_paused_at),
    sessionEpoch: optionalWhole(row.u_session_epoch),
  });
}

/** What a username or e-mail is compared by: compatibility forms folded, lower case. */
export function loginKey(login: string): string {
  return login.normalize('NFKC').toLowerCase();
}

export type UserRow = {
  tenant: string;
  id: string;
  username: string;
  usernameKey: string;
  email: string | null;
  emailKey: string | null;
  emailProvenAt: number | null;
  name: string | null;
  role: string;
  language: string | null;
  createdAt: number;
  mark: string;
};

export function userRow(tenant: string, user: NewUser, mark: string): UserRow {
  return {
    tenant,
    id: user.id,
    username: user.username,
    usernameKey: loginKey(user.username),
    email: user.email ?? null,
    emailKey: user.email === undefined ? null : loginKey(user.email),
    emailProvenAt: user.emailProvenAt ?? null,
    name: user.name ?? null,
    role: user.role,
    language: user.language ?? null,
    createdAt: user.createdAt,
    mark,
  };
}

/** The insert without its condition; goes before a `where`. */
export const insertUserWhere = part<
  keyof UserRow
>`insert into users (tenant, id, username, username_key, email, email_key, email_proven_at, name, role, language, created_at, last_event)
  select cast(${'tenant'} as text), cast(${'id'} as text), cast(${'username'} as text), cast(${'usernameKey'} as text), cast(${'email'} as text),
    cast(${'emailKey'} as text), cast(${'emailProvenAt'} as bigint), cast(${'name'} as text), cast(${'role'} as text), cast(${'language'} as text),
    cast(${'createdAt'} as bigint), cast(${'mark'} as text)
  where`;

/** True in SQL when nobody answers to the new person's username or e-mail. */
export const loginIsFree = part<'tenant' | 'usernameKey' | 'emailKey'>`not exists (
  select 1 from users where tenant = ${'tenant'} and username_key in (${'usernameKey'}, ${'emailKey'})
  union all select 1 from users where tenant = ${'tenant'} and email_key in (${'usernameKey'}, ${'emailKey'}))`;

const add = sql<UserRow>`${insertUserWhere} ${loginIsFree} on conflict do nothing`;

const findById = sql<{ tenant: string; id: string }>`select ${userColumns} from users u where u.tenant = ${'tenant'} and u.id = ${'id'}`;

const withPassword = part<'tenant' | 'login'>`select ${userColumns}, p.secret_hash as password_hash from users u
  left join credentials p on p.tenant = u.tenant and p.user_id = u.id and p.kind = 'password' and p.id = ''
  where u.tenant = ${'tenant'}`;
const findByLogin = sql<{ tenant: string; login: string }>`${withPassword} and u.username_key = ${'login'}
  union all ${withPassword} and u.email_key = ${'login'} limit 1`;

const listAll = sql<{ tenant: string }>`select ${userColumns} from users u where u.tenant = ${'tenant'} order by u.created_at, u.id`;

const anybody = sql<{ tenant: string }>`select 1 as found from users where tenant = ${'tenant'} limit 1`;
const isOperator = part<'tenant'>`tenant = ${'tenant'} and role = 'operator' and disabled_at is null`;
export const anyOperator = sql<{ tenant: string }>`select 1 as found from users where ${isOperator} limit 1`;
/** True in SQL while nobody may operate the tenant. */
export const noOperator = part<'tenant'>`not exists (select 1 from users where ${isOperator})`;

const speak = sql<{
  tenant: string;
  id: string;
  language: string | null;
}>`update users set language = ${'language'} where tenant = ${'tenant'} and id = ${'id'}`;

const mark = sql<{ tenant: string; id: string; mark: string }>`update users set last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'}`;

type Change = { tenant: string; id: string; at: number; mark: string };
const disable = sql<Change>`update users set disabled_at = ${'at'}, last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'} and disabled_at is null`;
const enable = sql<Omit<Change, 'at'>>`update users set disabled_at = null, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and disabled_at is not null`;

/** When the person carries the mark: whoever is about to sign in with what they showed before signs in again (`startSession`). */
export const beginEpoch = sql<{ tenant: string; id: string; mark: string }>`update users set session_epoch = coalesce(session_epoch, 0) + 1
  where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'}`;

/** When the person carries the mark. */
export const endSessionsOfMarked = sql<{ tenant: string; id: string; mark: string }>`delete from sessions where tenant = ${'tenant'} and user_id = ${'id'}
  and exists (select 1 from users where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;

/** What was sent to a person who carries the mark, and is not used yet, is worth nothing any more. */
export const endLinksOfMarked = sql<{ tenant: string; id: string; mark: string; now: number }>`update one_time_links set used_at = ${'now'}
  where tenant = ${'tenant'} and user_id = ${'id'} and used_at is null
  and exists (select 1 from users where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;

const eventIfUser = eventIf('users', 'id');
const endGrants = endGrantsOf('users', 'user_id');

type Verbs =
  | 'addUser'
  | 'findUser'
  | 'findUserByLogin'
  | 'listUsers'
  | 'setLanguage'
  | 'changePassword'
  | 'rehashPassword'
  | 'setUserDisabled'
  | 'hasPeople'
  | 'hasOperator'
  | 'endSessionsOf';

export function usersTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async addUser(user, event) {
      const statements = [add(userRow(tenant, user, event.id)), eventIfUser(tenant, user.id, event)];
      if (user.passwordHash !== undefined) {
        statements.push(addPassword({ tenant, userId: user.id, hash: user.passwordHash, at: user.createdAt, mark: event.id }));
      }
      const [added] = await driver.write(statements);
      return added?.changes === 1 ? 'added' : 'taken';
    },
    async findUser(id) {
      const [row] = await driver.read(findById({ tenant, id }));
      return row && userOf(row);
    },
    async findUserByLogin(login) {
      const [row] = await driver.read(findByLogin({ tenant, login: loginKey(login) }));
      return row && present({ user: userOf(row), passwordHash: optionalText(row.password_hash) });
    },
    async listUsers() {
      return (await driver.read(listAll({ tenant }))).map(userOf);
    },
    async setLanguage(userId, language) {
      const [changed] = await driver.write([speak({ tenant, id: userId, language: language ?? null })]);
      return changed?.changes === 1;
    },
    async changePassword(userId, passwordHash, event) {
      const [marked] = await driver.write([
        mark({ tenant, id: userId, mark: event.id }),
        beginEpoch({ tenant, id: userId, mark: event.id }),
        replacePassword({ tenant, userId, hash: passwordHash, at: event.at, mark: event.id }),
        ...lockEndingOf(driver, tenant, userId),
        dueOfMarkedUser({ tenant, id: userId, mark: event.id, now: event.at }),
        endSessionsOfMarked({ tenant, id: userId, mark: event.id }),
        endLinksOfMarked({ tenant, id: userId, mark: event.id, now: event.at }),
        ...endGrants({ tenant, subject: userId, now: event.at, reason: 'password_changed', mark: event.id }),
        eventIfUser(tenant, userId, event),
      ]);
      return marked?.changes === 1;
    },
    async rehashPassword(userId, oldHash, newHash, now) {
      await driver.write([swapPasswordHash({ tenant, userId, oldHash, newHash, at: now })]);
    },
    async setUserDisabled(userId, disabled, event) {
      const change = disabled ? disable({ tenant, id: userId, at: event.at, mark: event.id }) : enable({ tenant, id: userId, mark: event.id });
      const told = disabled ? [...lockEndingOf(driver, tenant, userId), dueOfMarkedUser({ tenant, id: userId, mark: event.id, now: event.at })] : [];
      const [changed] = await driver.write([change, ...told, eventIfUser(tenant, userId, event)]);
      return changed?.changes === 1;
    },
    async endSessionsOf(userId, { agents }, event) {
      const ending = { tenant, id: userId, mark: event.id };
      const [marked] = await driver.write([
        mark(ending),
        beginEpoch(ending),
        ...lockEndingOf(driver, tenant, userId),
        dueOfMarkedUser({ ...ending, now: event.at }),
        endSessionsOfMarked(ending),
        ...(agents ? endGrants({ tenant, subject: userId, now: event.at, reason: 'signed_out_everywhere', mark: event.id }) : []),
        eventIfUser(tenant, userId, event),
      ]);
      return marked?.changes === 1;
    },
    async hasPeople() {
      return (await driver.read(anybody({ tenant }))).length > 0;
    },
    async hasOperator() {
      return (await driver.read(anyOperator({ tenant }))).length > 0;
    },
  };
}
