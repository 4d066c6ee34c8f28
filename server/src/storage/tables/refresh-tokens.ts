/**
 * Refresh families: one row per family, which knows its current token and the one before, by their hashes. Rotation is one statement; grants.ts ends
 * families together with their grants. RFC 9700 §4.14: reuse of a rotated token revokes the family.
 *
 * Why no interleaving leaves two living families, or ends an innocent one:
 * - A family is one row and the update names the presented token as `current_hash`, so of N parallel rotations of one token exactly one changes the row;
 *   the others find another current token (SQLite runs one writer at a time, Postgres locks the row and checks the condition again on its new version).
 * - A token moves only forward: current, then previous, then unknown; hashes never come back. So what the read after a miss saw as "reused" is still reused
 *   when the revoking batch runs, and what is still current or previous within its grace is never revoked. The batch checks it again all the same.
 * - Grants are revoked before families everywhere, and the rotation asks for a living grant: a rotation that slips in between extends a family whose grant
 *   is over, which rotates no further and answers nothing.
 */
import type { AuditEvent } from '../../audit/event.ts';
import { aliased, type Driver, part, type Row, sql } from '../driver.ts';
import { listText, optionalJson, optionalText, optionalWhole, present, text, whole } from '../row.ts';
import type { Grant, GrantState, RefreshFamily, Rotation, RotationOutcome, Store } from '../store.ts';
import { endFamilyTogether, eventTogether, revokeTogether } from './companions.ts';
import { endFamiliesIfMarked, eventIfGrant, grantColumns, grantOf, grantStands, grantState, grantStateOf, joinPerson } from './grants.ts';

const columns = aliased('r', [
  'family_id',
  'grant_id',
  'client_id',
  'current_hash',
  'previous_hash',
  'generation',
  'auth_time',
  'dpop_jkt',
  'amr',
  'created_at',
  'rotated_at',
  'idle_expires_at',
  'expires_at',
  'revoked_at',
]);

export type FamilyRow = {
  tenant: string;
  familyId: string;
  grantId: string;
  clientId: string;
  currentHash: string;
  previousHash: string | null;
  generation: number;
  authTime: number | null;
  dpopJkt: string | null;
  amr: string | null;
  createdAt: number;
  rotatedAt: number;
  idleExpiresAt: number;
  expiresAt: number;
  revokedAt: number | null;
};

/** `idle_expires_at` never lies beyond `expires_at`, so one index finds every family that is over. */
export function familyRow(tenant: string, family: RefreshFamily): FamilyRow {
  return {
    ...family,
    tenant,
    previousHash: family.previousHash ?? null,
    authTime: family.authTime ?? null,
    dpopJkt: family.dpopJkt ?? null,
    amr: listText(family.amr),
    idleExpiresAt: Math.min(family.idleExpiresAt, family.expiresAt),
    revokedAt: family.revokedAt ?? null,
  };
}

/** The insert as a select, so that a condition can follow. */
export const insertFamily = part<keyof FamilyRow>`insert into refresh_tokens (tenant, family_id, grant_id, client_id, current_hash, previous_hash,
    generation, auth_time, dpop_jkt, amr, created_at, rotated_at, idle_expires_at, expires_at, revoked_at)
  select cast(${'tenant'} as text), cast(${'familyId'} as text), cast(${'grantId'} as text), cast(${'clientId'} as text), cast(${'currentHash'} as text),
    cast(${'previousHash'} as text), cast(${'generation'} as integer), cast(${'authTime'} as bigint), cast(${'dpopJkt'} as text), cast(${'amr'} as text),
    cast(${'createdAt'} as bigint), cast(${'rotatedAt'} as bigint), cast(${'idleExpiresAt'} as bigint), cast(${'expiresAt'} as bigint),
    cast(${'revokedAt'} as bigint)`;

type Key = { tenant: string; familyId: string };
const find = sql<Key & { now: number }>`select ${columns}, ${grantColumns}, ${grantState}
  from refresh_tokens r join grants g on g.tenant = r.tenant and g.id = r.grant_id ${joinPerson}
  where r.tenant = ${'tenant'} and r.family_id = ${'familyId'}`;

const lives = part<'now'>`revoked_at is null and idle_expires_at > ${'now'} and expires_at > ${'now'}`;
type Turn = Key & { presentedHash: string; nextHash: string; now: number; idleExpiresAt: number };
const turn = part<keyof Turn>`update refresh_tokens set previous_hash = current_hash, current_hash = ${'nextHash'},
    generation = generation + 1, rotated_at = ${'now'},
    idle_expires_at = case when expires_at < ${'idleExpiresAt'} then expires_at else ${'idleExpiresAt'} end
  where tenant = ${'tenant'} and family_id = ${'familyId'} and current_hash = ${'presentedHash'} and ${lives}`;
const rotate = sql<Turn>`${turn}
  and exists (select 1 from grants g ${joinPerson} where g.tenant = ${'tenant'} and g.id = refresh_tokens.grant_id and ${grantStands})`;
const rotateForCompanion = sql<Turn & { companionId: string }>`${turn} and exists (select 1 from grants g ${joinPerson}
    where g.tenant = ${'tenant'} and g.id = ${'companionId'} and g.approved_with = refresh_tokens.grant_id and ${grantStands})`;
const companionState = sql<{ tenant: string; companionId: string; now: number }>`select ${grantState} from grants g ${joinPerson}
  where g.tenant = ${'tenant'} and g.id = ${'companionId'}`;

type Reuse = Key & { grantId: string; presentedHash: string; now: number; graceSeconds: number; mark: string };
const reused = part<
  keyof Reuse
>`exists (select 1 from refresh_tokens where tenant = ${'tenant'} and family_id = ${'familyId'} and ${lives} and current_hash <> ${'presentedHash'}
    and (previous_hash is null or previous_hash <> ${'presentedHash'} or rotated_at + cast(${'graceSeconds'} as bigint) < ${'now'}))`;
const revokeReused = sql<Reuse>`update grants set revoked_at = ${'now'}, revoked_reason = 'refresh_token_reused', last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'grantId'} and revoked_at is null and ${reused}`;
const revokeAllReused = sql<Reuse & { subject: string; reason: string }>`${revokeTogether} and ${reused}`;

export function refreshTokensTable(driver: Driver, tenant: string): Pick<Store, 'findFamily' | 'rotateRefreshToken'> {
  const findFamily: Store['findFamily'] = async (familyId, now) => {
    const [row] = await driver.read(find({ tenant, familyId, now }));
    if (row === undefined) return undefined;
    const family = familyOf(row);
    return { family, living: isLiving(family, now), grant: grantOf(row), ...grantStateOf(row) };
  };

  const stateOf = async (companionId: string, now: number): Promise<GrantState> => {
    const [row] = await driver.read(companionState({ tenant, companionId, now }));
    return row ? grantStateOf(row) : { standing: false };
  };

  /** Whoever has a copy of the token could have had one for every resource of the approval. */
  const revokeFamily = async (rotation: Rotation, { id: grantId, approvedWith }: Grant, event: AuditEvent): Promise<RotationOutcome> => {
    const { familyId, presentedHash, now, graceSeconds } = rotation;
    const ending = { tenant, subject: grantId, now, mark: event.id };
    const reuse = { ...ending, familyId, grantId, presentedHash, graceSeconds, reason: 'refresh_token_reused' };
    const statements =
      approvedWith === undefined
        ? [revokeReused(reuse), endFamiliesIfMarked(ending), eventIfGrant(tenant, grantId, event)]
        : [revokeAllReused(reuse), endFamilyTogether(ending), eventTogether(tenant, grantId, event)];
    const [revoked] = await driver.write(statements);
    return { outcome: (revoked?.changes ?? 0) > 0 ? 'reused' : 'dead' };
  };

  return {
    findFamily,
    async rotateRefreshToken(rotation, reuse) {
      const { familyId, presentedHash, nextHash, companionId, now, idleExpiresAt } = rotation;
      const values = { tenant, familyId, presentedHash, nextHash, now, idleExpiresAt };
      const [rotated] = await driver.write([companionId === undefined ? rotate(values) : rotateForCompanion({ ...values, companionId })]);
      if (rotated?.changes === 1) return { outcome: 'rotated' };

      const found = await findFamily(familyId, now);
      const state = companionId === undefined ? found : await stateOf(companionId, now);
      if (state?.paused) return { outcome: 'paused' };
      if (found === undefined || !state?.standing || !found.living || found.family.currentHash === presentedHash) return { outcome: 'dead' };
      const { family } = found;
      const inGrace = family.previousHash === presentedHash && now <= family.rotatedAt + rotation.graceSeconds;
      // A successor follows from its predecessor, so whoever was faster has put the same one.
      if (inGrace) return { outcome: family.currentHash === nextHash ? 'repeated' : 'dead' };
      return revokeFamily(rotation, found.grant, await reuse());
    },
  };
}

function isLiving(family: RefreshFamily, now: number): boolean {
  return family.revokedAt === undefined && family.idleExpiresAt > now && family.expiresAt > now;
}

function familyOf(row: Row): RefreshFamily {
  return present({
    familyId: text(row.r_family_id),
    grantId: text(row.r_grant_id),
    clientId: text(row.r_client_id),
    currentHash: text(row.r_current_hash),
    previousHash: optionalText(row.r_previous_hash),
    generation: whole(row.r_generation),
    authTime: optionalWhole(row.r_auth_time),
    dpopJkt: optionalText(row.r_dpop_jkt),
    amr: optionalJson<string[]>(row.r_amr),
    createdAt: whole(row.r_created_at),
    rotatedAt: whole(row.r_rotated_at),
    idleExpiresAt: whole(row.r_idle_expires_at),
    expiresAt: whole(row.r_expires_at),
    revokedAt: optionalWhole(row.r_revoked_at),
  });
}
