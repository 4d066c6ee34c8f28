/**
 * Owner tokens (`aat_…`) of the management API, by their hash. A token stands while it is neither revoked nor expired and its person is enabled.
 */
import { ConstraintError, type Driver, type Row, sql } from '../driver.ts';
import { optionalWhole, present, text, whole } from '../row.ts';
import type { OwnerToken, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { userColumns, userOf } from './users.ts';

type TokenRow = {
  tenant: string;
  id: string;
  tokenHash: string;
  userId: string;
  name: string;
  createdAt: number;
  expiresAt: number;
  revokedAt: number | null;
  mark: string;
  /** The mark that the person must carry, or null for any person. */
  personMark: string | null;
};
const insert = sql<TokenRow>`insert into owner_tokens (tenant, id, token_hash, user_id, name, created_at, expires_at, revoked_at, last_event)
  select cast(${'tenant'} as text), cast(${'id'} as text), cast(${'tokenHash'} as text), cast(${'userId'} as text), cast(${'name'} as text),
    cast(${'createdAt'} as bigint), cast(${'expiresAt'} as bigint), cast(${'revokedAt'} as bigint), cast(${'mark'} as text)
  where exists (select 1 from users where tenant = ${'tenant'} and id = ${'userId'} and (cast(${'personMark'} as text) is null or last_event = ${'personMark'}))`;

/** Adds a token in a batch, for a person whom the same batch has just created with the same mark. */
export const insertOwnerToken = insert;

export function ownerTokenRow(tenant: string, token: OwnerToken, mark: string): TokenRow {
  return { ...token, tenant, revokedAt: token.revokedAt ?? null, mark, personMark: mark };
}

const findOwner = sql<{ tenant: string; tokenHash: string; now: number }>`select ${userColumns}
  from owner_tokens o join users u on u.tenant = o.tenant and u.id = o.user_id
  where o.tenant = ${'tenant'} and o.token_hash = ${'tokenHash'} and o.revoked_at is null and o.expires_at > ${'now'} and u.disabled_at is null`;

const list = sql<{ tenant: string }>`select id, token_hash, user_id, name, created_at, expires_at, revoked_at from owner_tokens
  where tenant = ${'tenant'} order by created_at, id`;

const revoke = sql<{ tenant: string; id: string; now: number; mark: string }>`update owner_tokens set revoked_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and revoked_at is null`;

const eventIfToken = eventIf('owner_tokens', 'id');

export function ownerTokensTable(driver: Driver, tenant: string): Pick<Store, 'addOwnerToken' | 'findOwner' | 'listOwnerTokens' | 'revokeOwnerToken'> {
  return {
    async addOwnerToken(token, event) {
      const row = { ...ownerTokenRow(tenant, token, event.id), personMark: null };
      const [added] = await driver.write([insert(row), eventIfToken(tenant, token.id, event)]);
      if (added?.changes !== 1) throw new ConstraintError('There is no such person to give an owner token to');
    },
    async findOwner(tokenHash, now) {
      const [row] = await driver.read(findOwner({ tenant, tokenHash, now }));
      return row && userOf(row);
    },
    async listOwnerTokens() {
      return (await driver.read(list({ tenant }))).map(tokenOf);
    },
    async revokeOwnerToken(id, event) {
      const [revoked] = await driver.write([revoke({ tenant, id, now: event.at, mark: event.id }), eventIfToken(tenant, id, event)]);
      return revoked?.changes === 1;
    },
  };
}

function tokenOf(row: Row): OwnerToken {
  return present({
    id: text(row.id),
    tokenHash: text(row.token_hash),
    userId: text(row.user_id),
    name: text(row.name),
    createdAt: whole(row.created_at),
    expiresAt: whole(row.expires_at),
    revokedAt: optionalWhole(row.revoked_at),
  });
}
