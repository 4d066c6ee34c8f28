/**
 * Devices that wait for their person (RFC 8628), by the hash of the device code. A poll of a waiting device is one statement, which also judges whether it came too
 * early. The person answers once, the device redeems once; each is decided by whoever sets the column first.
 */
import { aliased, type Driver, part, type Row, sql } from '../driver.ts';
import { json, listText, optionalJson, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { DeviceCode, DeviceRequest, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { noteConsent } from './clients.ts';
import { addCompanions } from './companions.ts';
import { type GrantRow, grantColumns, grantOf, grantRow, grantStands, grantState, grantStateOf, insertGrant, joinPerson } from './grants.ts';
import { keepReceipt } from './receipts.ts';
import { type FamilyRow, familyRow, insertFamily } from './refresh-tokens.ts';
import { lockUse, mayUse } from './server-people.ts';
import { lockSession, sessionIsThere } from './sessions.ts';

const columns = aliased('d', [
  'code_hash',
  'user_code_hash',
  'client_id',
  'request',
  'address',
  'created_at',
  'expires_at',
  'interval_seconds',
  'answered_at',
  'grant_id',
  'auth_time',
  'amr',
  'redeemed_at',
]);

type Key = { tenant: string; codeHash: string };
type DeviceRow = Key & {
  userCodeHash: string;
  clientId: string;
  request: string;
  address: string;
  createdAt: number;
  expiresAt: number;
  intervalSeconds: number;
};
const insert = sql<DeviceRow>`insert into device_codes
    (tenant, code_hash, user_code_hash, client_id, request, address, created_at, expires_at, interval_seconds, too_fast)
  values (${'tenant'}, ${'codeHash'}, ${'userCodeHash'}, ${'clientId'}, ${'request'}, ${'address'}, ${'createdAt'}, ${'expiresAt'}, ${'intervalSeconds'}, 0)
  on conflict do nothing`;

const waits = part<'now'>`answered_at is null and expires_at > ${'now'}`;
const findWaiting = sql<{ tenant: string; userCodeHash: string; now: number }>`select ${columns} from device_codes d
  where d.tenant = ${'tenant'} and d.user_code_hash = ${'userCodeHash'} and ${waits}`;
const find = sql<Key & { now: number }>`select ${columns}, ${grantColumns}, ${grantState}
  from device_codes d left join grants g on g.tenant = d.tenant and g.id = d.grant_id ${joinPerson}
  where d.tenant = ${'tenant'} and d.code_hash = ${'codeHash'}`;

// Both columns are set from the values before this poll, so they agree.
const early = part<'now'>`polled_at is not null and polled_at + interval_seconds > ${'now'}`;
const poll = sql<Key & { clientId: string; now: number; slowerBySeconds: number }>`update device_codes set polled_at = ${'now'},
    too_fast = case when ${early} then 1 else 0 end,
    interval_seconds = interval_seconds + case when ${early} then cast(${'slowerBySeconds'} as integer) else 0 end
  where tenant = ${'tenant'} and code_hash = ${'codeHash'} and client_id = ${'clientId'} and ${waits}
  returning too_fast`;

type Answering = Key & { now: number; mark: string };
type Approving = Answering & { grantId: string; authTime: number; amr: string | null; session: string | null; serverId: string | null; userId: string | null };
const approveOnce = sql<Approving>`update device_codes
  set answered_at = ${'now'}, grant_id = ${'grantId'}, auth_time = ${'authTime'}, amr = ${'amr'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and code_hash = ${'codeHash'} and ${waits} and ${sessionIsThere} and ${mayUse}`;
const denyOnce = sql<Answering>`update device_codes set answered_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and code_hash = ${'codeHash'} and ${waits}`;
const grantIfAnswered = sql<GrantRow & Key>`${insertGrant}
  where exists (select 1 from device_codes where tenant = ${'tenant'} and code_hash = ${'codeHash'} and last_event = ${'mark'})`;
const eventIfAnswered = eventIf('device_codes', 'code_hash');

const redeem = sql<Key & { now: number; redemptionId: string }>`update device_codes set redeemed_at = ${'now'}, redemption = ${'redemptionId'}
  where tenant = ${'tenant'} and code_hash = ${'codeHash'} and redeemed_at is null and expires_at > ${'now'}
  and exists (select 1 from grants g ${joinPerson} where g.tenant = ${'tenant'} and g.id = device_codes.grant_id and ${grantStands})`;
const familyIfRedeemed = sql<FamilyRow & Key & { redemptionId: string }>`${insertFamily}
  where exists (select 1 from device_codes where tenant = ${'tenant'} and code_hash = ${'codeHash'} and redemption = ${'redemptionId'})`;

type Verbs = 'addDeviceCode' | 'findWaitingDevice' | 'pollDevice' | 'findDevice' | 'approveDevice' | 'denyDevice' | 'redeemDevice';

export function deviceCodesTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async addDeviceCode(device) {
      const [added] = await driver.write([insert(deviceRow(tenant, device))]);
      return added?.changes === 1 ? 'added' : 'taken';
    },
    async findWaitingDevice(userCodeHash, now) {
      const [row] = await driver.read(findWaiting({ tenant, userCodeHash, now }));
      return row && deviceOf(row);
    },
    async pollDevice(given) {
      const [polled] = await driver.write([poll({ tenant, ...given })]);
      const [row] = polled?.rows ?? [];
      if (row === undefined) return 'over';
      return row.too_fast === 1 ? 'too-fast' : 'pending';
    },
    async findDevice(codeHash, now) {
      const [row] = await driver.read(find({ tenant, codeHash, now }));
      return row && { device: deviceOf(row), grant: row.g_id === null ? undefined : grantOf(row), ...grantStateOf(row) };
    },
    async approveDevice({ codeHash, grant, companions = [], authTime, amr, now, receipt, sessionHash }, event) {
      const locks = [...lockSession(driver, tenant, sessionHash), ...lockUse(driver, tenant, [grant, ...companions.map((each) => each.grant)])];
      const who = { session: sessionHash ?? null, serverId: grant.serverId ?? null, userId: grant.userId ?? null };
      const results = await driver.write([
        ...locks,
        approveOnce({ tenant, codeHash, now, authTime, amr: listText(amr), grantId: grant.id, mark: event.id, ...who }),
        grantIfAnswered({ ...grantRow(tenant, grant, event.id), codeHash }),
        eventIfAnswered(tenant, codeHash, event),
        noteConsent({ tenant, clientId: grant.clientId, grantId: grant.id, now }),
        ...keepReceipt(tenant, grant, receipt, event),
        ...addCompanions(tenant, companions, event),
      ]);
      return results[locks.length]?.changes === 1 ? 'approved' : 'answered';
    },
    async denyDevice({ codeHash, now }, event) {
      const [answered] = await driver.write([denyOnce({ tenant, codeHash, now, mark: event.id }), eventIfAnswered(tenant, codeHash, event)]);
      return answered?.changes === 1 ? 'denied' : 'answered';
    },
    async redeemDevice({ codeHash, now, redemptionId, family }) {
      const statements = [redeem({ tenant, codeHash, now, redemptionId })];
      if (family !== undefined) statements.push(familyIfRedeemed({ ...familyRow(tenant, family), codeHash, redemptionId }));
      const [redeemed] = await driver.write(statements);
      return redeemed?.changes === 1 ? 'redeemed' : 'spent';
    },
  };
}

function deviceRow(tenant: string, device: DeviceCode): DeviceRow {
  const { codeHash, userCodeHash, clientId, request, address, createdAt, expiresAt, intervalSeconds } = device;
  return { tenant, codeHash, userCodeHash, clientId, request: JSON.stringify(request), address, createdAt, expiresAt, intervalSeconds };
}

function deviceOf(row: Row): DeviceCode {
  return present({
    codeHash: text(row.d_code_hash),
    userCodeHash: text(row.d_user_code_hash),
    clientId: text(row.d_client_id),
    request: json<DeviceRequest>(row.d_request),
    address: text(row.d_address),
    createdAt: whole(row.d_created_at),
    expiresAt: whole(row.d_expires_at),
    intervalSeconds: whole(row.d_interval_seconds),
    answeredAt: optionalWhole(row.d_answered_at),
    grantId: optionalText(row.d_grant_id),
    authTime: optionalWhole(row.d_auth_time),
    amr: optionalJson<string[]>(row.d_amr),
    redeemedAt: optionalWhole(row.d_redeemed_at),
  });
}
