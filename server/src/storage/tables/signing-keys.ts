/**
 * Signing keys; the private part is sealed before it comes here. At most one key per algorithm is open-ended (`signs_until is null`), which the unique
 * index `signing_keys_open` enforces: two nodes that start or rotate together make one key (KEY-02, KEY-03).
 */
import { type Driver, literal, part, type Row, sql } from '../driver.ts';
import { optionalWhole, present, text, whole } from '../row.ts';
import type { SigningKeyRow, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';

const columns = literal('kid, algorithm, public_jwk, private_sealed, created_at, signs_from, signs_until, published_until');

const list = sql<{ tenant: string; now: number }>`select ${columns} from signing_keys
  where tenant = ${'tenant'} and (published_until is null or published_until > ${'now'}) order by created_at, kid`;

type KeyRow = {
  tenant: string;
  kid: string;
  algorithm: string;
  publicJwk: string;
  privateSealed: string;
  createdAt: number;
  signsFrom: number;
  signsUntil: number | null;
  publishedUntil: number | null;
  mark: string;
};
const insert = part<keyof KeyRow>`insert into signing_keys (tenant, ${columns}, last_event)
  select cast(${'tenant'} as text), cast(${'kid'} as text), cast(${'algorithm'} as text), cast(${'publicJwk'} as text), cast(${'privateSealed'} as text),
    cast(${'createdAt'} as bigint), cast(${'signsFrom'} as bigint), cast(${'signsUntil'} as bigint), cast(${'publishedUntil'} as bigint), cast(${'mark'} as text)
  where`;
const add = sql<KeyRow>`${insert} true on conflict do nothing`;
const addIfNone = sql<KeyRow>`${insert} not exists (select 1 from signing_keys where tenant = ${'tenant'} and algorithm = ${'algorithm'}
  and (signs_until is null or signs_until > ${'createdAt'}) and (published_until is null or published_until > ${'createdAt'})) on conflict do nothing`;

type Rotation = { tenant: string; kid: string; algorithm: string; signsUntil: number; publishedUntil: number; only: string | null };
// Where only one is named and another has taken its place, that one stays open, and its index refuses the new key.
const endOlder = sql<Rotation>`update signing_keys set signs_until = ${'signsUntil'}, published_until = ${'publishedUntil'}
  where tenant = ${'tenant'} and algorithm = ${'algorithm'} and signs_until is null
  and (cast(${'only'} as text) is null or kid = ${'only'})
  and not exists (select 1 from signing_keys k where k.tenant = ${'tenant'} and k.kid = ${'kid'})`;

type Key = { tenant: string; kid: string; mark: string };
const mark = sql<Key>`update signing_keys set last_event = ${'mark'} where tenant = ${'tenant'} and kid = ${'kid'}`;
const dropMarked = sql<Key>`delete from signing_keys where tenant = ${'tenant'} and kid = ${'kid'} and last_event = ${'mark'}`;
const eventIfKey = eventIf('signing_keys', 'kid');

export function signingKeysTable(driver: Driver, tenant: string): Pick<Store, 'listSigningKeys' | 'addSigningKey' | 'dropSigningKey'> {
  return {
    async listSigningKeys(now) {
      return (await driver.read(list({ tenant, now }))).map(keyOf);
    },
    async addSigningKey(key, older, event) {
      const row = keyRow(tenant, key, event.id);
      const statements =
        older === 'onlyIfNone'
          ? [addIfNone(row)]
          : [endOlder({ tenant, kid: key.kid, algorithm: key.algorithm, ...older, only: older.only ?? null }), add(row)];
      const results = await driver.write([...statements, eventIfKey(tenant, key.kid, event)]);
      return results[statements.length - 1]?.changes === 1 ? 'added' : 'exists';
    },
    async dropSigningKey(kid, event) {
      const key = { tenant, kid, mark: event.id };
      const [marked] = await driver.write([mark(key), eventIfKey(tenant, kid, event), dropMarked(key)]);
      return marked?.changes === 1;
    },
  };
}

function keyRow(tenant: string, key: SigningKeyRow, mark: string): KeyRow {
  return { ...key, tenant, signsUntil: key.signsUntil ?? null, publishedUntil: key.publishedUntil ?? null, mark };
}

function keyOf(row: Row): SigningKeyRow {
  return present({
    kid: text(row.kid),
    // Only this file writes the column, and only with one of the three.
    algorithm: text(row.algorithm) as SigningKeyRow['algorithm'],
    publicJwk: text(row.public_jwk),
    privateSealed: text(row.private_sealed),
    createdAt: whole(row.created_at),
    signsFrom: whole(row.signs_from),
    signsUntil: optionalWhole(row.signs_until),
    publishedUntil: optionalWhole(row.published_until),
  });
}
