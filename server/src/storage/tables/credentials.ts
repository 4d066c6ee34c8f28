/**
 * What a person proves who they are with: one row per credential; a password is the row of kind `password` with an empty id. Only statements live here:
 * those that write always run in a batch of users.ts, passwords.ts or setup-links.ts, behind the mark that batch left on the person.
 */
import { literal, part, sql } from '../driver.ts';

type Password = { tenant: string; userId: string; hash: string; at: number; mark: string };

const columns = literal('tenant, user_id, kind, id, secret_hash, created_at, updated_at');
const insertIfMarked = part<keyof Password>`insert into credentials (${columns})
  select cast(${'tenant'} as text), cast(${'userId'} as text), 'password', '', cast(${'hash'} as text), cast(${'at'} as bigint), cast(${'at'} as bigint)
  where exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'} and last_event = ${'mark'})`;

export const addPassword = sql<Password>`${insertIfMarked}`;

export const replacePassword = sql<Password>`${insertIfMarked}
  on conflict (tenant, user_id, kind, id) do update set secret_hash = excluded.secret_hash, updated_at = excluded.updated_at`;

/** Only while the hash is still the one that was just verified, so that a password changed meanwhile stays changed. */
export const swapPasswordHash = sql<{ tenant: string; userId: string; oldHash: string; newHash: string; at: number }>`update credentials
  set secret_hash = ${'newHash'}, updated_at = ${'at'}
  where tenant = ${'tenant'} and user_id = ${'userId'} and kind = 'password' and id = '' and secret_hash = ${'oldHash'}`;

type Own = { tenant: string; userId: string };
export const passwordExists = sql<Own>`select 1 as found from credentials where tenant = ${'tenant'} and user_id = ${'userId'} and kind = 'password' and id = ''`;

export const removePassword = sql<Own & { mark: string }>`delete from credentials
  where tenant = ${'tenant'} and user_id = ${'userId'} and kind = 'password' and id = ''
  and exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'} and last_event = ${'mark'})`;
