/**
 * Passkeys, by the id that their authenticator made. Public keys are public: who steals this table can sign nothing, and learns from the handles nothing about
 * people elsewhere.
 */
import { aliased, type Driver, literal, type Row, sql } from '../driver.ts';
import { json, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import { MAX_PASSKEYS, type Passkey, type Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { userColumns, userOf } from './users.ts';
import { lockPerson, type WaysRow, waysIn, waysRow } from './ways-in.ts';

const names = [
  'id',
  'user_id',
  'credential_id',
  'user_handle',
  'public_key',
  'counter',
  'transports',
  'aaguid',
  'name',
  'backup_eligible',
  'backed_up',
  'created_at',
  'last_used_at',
];
const columns = aliased('k', names);

type PasskeyRow = {
  tenant: string;
  id: string;
  userId: string;
  credentialId: string;
  userHandle: string;
  publicKey: string;
  counter: number;
  transports: string;
  aaguid: string;
  name: string | null;
  backupEligible: number;
  backedUp: number;
  createdAt: number;
  mark: string;
};

const insert = sql<PasskeyRow>`insert into passkeys
    (tenant, id, user_id, credential_id, user_handle, public_key, counter, transports, aaguid, name, backup_eligible, backed_up, created_at, last_event)
  select cast(${'tenant'} as text), cast(${'id'} as text), cast(${'userId'} as text), cast(${'credentialId'} as text), cast(${'userHandle'} as text),
    cast(${'publicKey'} as text), cast(${'counter'} as bigint), cast(${'transports'} as text), cast(${'aaguid'} as text), cast(${'name'} as text),
    cast(${'backupEligible'} as integer), cast(${'backedUp'} as integer), cast(${'createdAt'} as bigint), cast(${'mark'} as text)
  where (select count(*) from passkeys where tenant = ${'tenant'} and user_id = ${'userId'}) < ${literal(String(MAX_PASSKEYS))}
  on conflict do nothing`;

const list = sql<{ tenant: string; userId: string }>`select ${columns} from passkeys k
  where k.tenant = ${'tenant'} and k.user_id = ${'userId'} order by k.created_at, k.id`;

type Credential = { tenant: string; credentialId: string };
const find = sql<Credential>`select ${columns}, ${userColumns} from passkeys k join users u on u.tenant = k.tenant and u.id = k.user_id
  where k.tenant = ${'tenant'} and k.credential_id = ${'credentialId'}`;

// One statement, so that of two signatures with the same counter one is refused.
const use = sql<Credential & { counter: number; backedUp: number; now: number }>`update passkeys
  set counter = ${'counter'}, backed_up = ${'backedUp'}, last_used_at = ${'now'}
  where tenant = ${'tenant'} and credential_id = ${'credentialId'} and (counter < ${'counter'} or (counter = 0 and cast(${'counter'} as bigint) = 0))`;

type Own = { tenant: string; userId: string; id: string };
const rename = sql<Own & { name: string; mark: string }>`update passkeys set name = ${'name'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and user_id = ${'userId'}`;

const markForRemoval = sql<Own & WaysRow & { mark: string }>`update passkeys set last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and user_id = ${'userId'} and ${waysIn} > 1`;
const removeMarked = sql<{ tenant: string; id: string; mark: string }>`delete from passkeys
  where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'}`;
const exists = sql<Own>`select 1 as found from passkeys where tenant = ${'tenant'} and id = ${'id'} and user_id = ${'userId'}`;
const isKnown = sql<Credential>`select 1 as found from passkeys where tenant = ${'tenant'} and credential_id = ${'credentialId'}`;

const eventIfPasskey = eventIf('passkeys', 'id');

type Verbs = 'addPasskey' | 'listPasskeys' | 'findPasskey' | 'usePasskey' | 'renamePasskey' | 'removePasskey';

export function passkeysTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  const found = async (statement: ReturnType<typeof exists>) => (await driver.read(statement)).length > 0;
  return {
    async addPasskey(passkey, event) {
      const [added] = await driver.write([insert(rowOf(tenant, passkey, event.id)), eventIfPasskey(tenant, passkey.id, event)]);
      if (added?.changes === 1) return 'added';
      return (await found(isKnown({ tenant, credentialId: passkey.credentialId }))) ? 'taken' : 'full';
    },
    async listPasskeys(userId) {
      return (await driver.read(list({ tenant, userId }))).map(passkeyOf);
    },
    async findPasskey(credentialId) {
      const [row] = await driver.read(find({ tenant, credentialId }));
      return row && { passkey: passkeyOf(row), user: userOf(row) };
    },
    async usePasskey({ credentialId, counter, backedUp, now }) {
      const [used] = await driver.write([use({ tenant, credentialId, counter, backedUp: backedUp ? 1 : 0, now })]);
      return used?.changes === 1;
    },
    async renamePasskey({ userId, id, name }, event) {
      const [renamed] = await driver.write([rename({ tenant, userId, id, name, mark: event.id }), eventIfPasskey(tenant, id, event)]);
      return renamed?.changes === 1;
    },
    async removePasskey({ userId, id, ways }, event) {
      const mark = event.id;
      const [, marked] = await driver.write([
        lockPerson({ tenant, userId, mark }),
        markForRemoval({ ...waysRow(tenant, userId, ways), id, mark }),
        eventIfPasskey(tenant, id, event),
        removeMarked({ tenant, id, mark }),
      ]);
      if (marked?.changes === 1) return 'removed';
      return (await found(exists({ tenant, userId, id }))) ? 'last' : 'gone';
    },
  };
}

function rowOf(tenant: string, passkey: Passkey, mark: string): PasskeyRow {
  const { id, userId, credentialId, userHandle, publicKey, counter, transports, aaguid, name, backupEligible, backedUp, createdAt } = passkey;
  return {
    tenant,
    id,
    userId,
    credentialId,
    userHandle,
    publicKey,
    counter,
    transports: JSON.stringify(transports),
    aaguid,
    name: name ?? null,
    backupEligible: backupEligible ? 1 : 0,
    backedUp: backedUp ? 1 : 0,
    createdAt,
    mark,
  };
}

function passkeyOf(row: Row): Passkey {
  return present({
    id: text(row.k_id),
    userId: text(row.k_user_id),
    credentialId: text(row.k_credential_id),
    userHandle: text(row.k_user_handle),
    publicKey: text(row.k_public_key),
    counter: whole(row.k_counter),
    transports: json<string[]>(row.k_transports),
    aaguid: text(row.k_aaguid),
    name: optionalText(row.k_name),
    backupEligible: whole(row.k_backup_eligible) === 1,
    backedUp: whole(row.k_backed_up) === 1,
    createdAt: whole(row.k_created_at),
    lastUsedAt: optionalWhole(row.k_last_used_at),
  });
}
