/**
 * Authorization codes, by their hash. A code is redeemed by whoever sets `redeemed_at` first; `redemption` is that batch's mark, by which the refresh
 * family knows that its code was redeemed by this very batch (COD-06, COD-07). Redeemed rows stay a while, so that a replay is recognised.
 */
import { aliased, type Driver, literal, part, type Row, sql } from '../driver.ts';
import { listText, optionalJson, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import { type Code, MAX_CODE_FAILURES, type Store } from '../store.ts';
import { grantColumns, grantOf, grantStands, grantState, grantStateOf, joinPerson } from './grants.ts';
import { type FamilyRow, familyRow, insertFamily } from './refresh-tokens.ts';

const columns = aliased('c', [
  'code_hash',
  'grant_id',
  'client_id',
  'redirect_uri',
  'code_challenge',
  'nonce',
  'dpop_jkt',
  'auth_time',
  'amr',
  'sid',
  'created_at',
  'expires_at',
  'failures',
  'redeemed_at',
]);

export type CodeRow = {
  tenant: string;
  codeHash: string;
  grantId: string;
  clientId: string;
  redirectUri: string;
  codeChallenge: string;
  nonce: string | null;
  dpopJkt: string | null;
  authTime: number;
  amr: string | null;
  sid: string | null;
  createdAt: number;
  expiresAt: number;
};

export function codeRow(tenant: string, code: Code): CodeRow {
  const { codeHash, grantId, clientId, redirectUri, codeChallenge, nonce, dpopJkt, authTime, amr, sid, createdAt, expiresAt } = code;
  const facts = { nonce: nonce ?? null, dpopJkt: dpopJkt ?? null, authTime, amr: listText(amr), sid: sid ?? null };
  return { tenant, codeHash, grantId, clientId, redirectUri, codeChallenge, ...facts, createdAt, expiresAt };
}

/** The insert of a fresh code as a select, so that a condition can follow. */
export const insertCode = part<keyof CodeRow>`insert into codes
    (tenant, code_hash, grant_id, client_id, redirect_uri, code_challenge, nonce, dpop_jkt, auth_time, amr, sid, created_at, expires_at, failures)
  select cast(${'tenant'} as text), cast(${'codeHash'} as text), cast(${'grantId'} as text), cast(${'clientId'} as text), cast(${'redirectUri'} as text),
    cast(${'codeChallenge'} as text), cast(${'nonce'} as text), cast(${'dpopJkt'} as text), cast(${'authTime'} as bigint),
    cast(${'amr'} as text), cast(${'sid'} as text), cast(${'createdAt'} as bigint), cast(${'expiresAt'} as bigint), 0`;

type Key = { tenant: string; codeHash: string };
const find = sql<Key & { now: number }>`select ${columns}, ${grantColumns}, ${grantState}
  from codes c join grants g on g.tenant = c.tenant and g.id = c.grant_id join users u on u.tenant = g.tenant and u.id = g.user_id
  where c.tenant = ${'tenant'} and c.code_hash = ${'codeHash'}`;

const tooManyFailures = literal(String(MAX_CODE_FAILURES));
const redeem = sql<Key & { now: number; redemptionId: string }>`update codes set redeemed_at = ${'now'}, redemption = ${'redemptionId'}
  where tenant = ${'tenant'} and code_hash = ${'codeHash'} and redeemed_at is null and expires_at > ${'now'} and failures < ${tooManyFailures}
  and exists (select 1 from grants g ${joinPerson} where g.tenant = ${'tenant'} and g.id = codes.grant_id and ${grantStands})`;

const familyIfRedeemed = sql<FamilyRow & Key & { redemptionId: string }>`${insertFamily}
  where exists (select 1 from codes where tenant = ${'tenant'} and code_hash = ${'codeHash'} and redemption = ${'redemptionId'})`;

const fail = sql<Key>`update codes set failures = failures + 1
  where tenant = ${'tenant'} and code_hash = ${'codeHash'} and redeemed_at is null and failures < ${tooManyFailures}`;

export function codesTable(driver: Driver, tenant: string): Pick<Store, 'findCode' | 'redeemCode' | 'failCode'> {
  return {
    async findCode(codeHash, now) {
      const [row] = await driver.read(find({ tenant, codeHash, now }));
      return row && { code: codeOf(row), grant: grantOf(row), ...grantStateOf(row) };
    },
    async redeemCode({ codeHash, now, redemptionId, family }) {
      const statements = [redeem({ tenant, codeHash, now, redemptionId })];
      if (family !== undefined) statements.push(familyIfRedeemed({ ...familyRow(tenant, family), codeHash, redemptionId }));
      const [redeemed] = await driver.write(statements);
      return redeemed?.changes === 1 ? 'redeemed' : 'spent';
    },
    async failCode(codeHash) {
      await driver.write([fail({ tenant, codeHash })]);
    },
  };
}

function codeOf(row: Row): Code {
  return present({
    codeHash: text(row.c_code_hash),
    grantId: text(row.c_grant_id),
    clientId: text(row.c_client_id),
    redirectUri: text(row.c_redirect_uri),
    codeChallenge: text(row.c_code_challenge),
    nonce: optionalText(row.c_nonce),
    dpopJkt: optionalText(row.c_dpop_jkt),
    authTime: whole(row.c_auth_time),
    amr: optionalJson<string[]>(row.c_amr),
    sid: optionalText(row.c_sid),
    createdAt: whole(row.c_created_at),
    expiresAt: whole(row.c_expires_at),
    failures: whole(row.c_failures),
    redeemedAt: optionalWhole(row.c_redeemed_at),
  });
}
