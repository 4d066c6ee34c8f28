/**
 * The second step of people's sign-ins: the sealed secret of an authenticator app with the last time step that was used, and recovery codes by hash. Used codes
 * stay until they are replaced, so that one cannot be used again.
 */
import { type Driver, part, type Statement, sql } from '../driver.ts';
import { text, whole } from '../row.ts';
import type { Store } from '../store.ts';
import { eventIf } from './audit-events.ts';

type Own = { tenant: string; userId: string };
type Marked = Own & { mark: string };

const insert = sql<Marked & { secretSealed: string; step: number; now: number }>`insert into second_factors
    (tenant, user_id, secret_sealed, last_step, created_at, last_event)
  values (${'tenant'}, ${'userId'}, ${'secretSealed'}, ${'step'}, ${'now'}, ${'mark'}) on conflict do nothing`;

const unused = part<'tenant' | 'userId'>`(select count(*) from recovery_codes where tenant = ${'tenant'} and user_id = ${'userId'} and used_at is null)`;
const find = sql<Own>`select secret_sealed, created_at, ${unused} as unused from second_factors where tenant = ${'tenant'} and user_id = ${'userId'}`;

// One statement: of two that bring the same code at once, one finds the step used.
const useStep = sql<Own & { step: number }>`update second_factors set last_step = ${'step'}
  where tenant = ${'tenant'} and user_id = ${'userId'} and last_step < ${'step'}`;

const useCode = sql<Marked & { codeHash: string; now: number }>`update recovery_codes set used_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and user_id = ${'userId'} and code_hash = ${'codeHash'} and used_at is null`;

const mark = sql<Marked>`update second_factors set last_event = ${'mark'} where tenant = ${'tenant'} and user_id = ${'userId'}`;
const ifMarked = part<keyof Marked>`exists (select 1 from second_factors where tenant = ${'tenant'} and user_id = ${'userId'} and last_event = ${'mark'})`;
const addCode = sql<Marked & { codeHash: string }>`insert into recovery_codes (tenant, user_id, code_hash, last_event)
  select cast(${'tenant'} as text), cast(${'userId'} as text), cast(${'codeHash'} as text), cast(${'mark'} as text) where ${ifMarked}`;
const removeCodes = sql<Marked>`delete from recovery_codes where tenant = ${'tenant'} and user_id = ${'userId'} and ${ifMarked}`;
const remove = sql<Marked>`delete from second_factors where tenant = ${'tenant'} and user_id = ${'userId'} and last_event = ${'mark'}`;

const eventIfFactor = eventIf('second_factors', 'user_id');
const eventIfCode = eventIf('recovery_codes', 'user_id');

type Verbs = 'addSecondFactor' | 'findSecondFactor' | 'useTotpStep' | 'useRecoveryCode' | 'replaceRecoveryCodes' | 'removeSecondFactor';

export function secondFactorsTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  const codes = (marked: Marked, hashes: readonly string[]): Statement[] => hashes.map((codeHash) => addCode({ ...marked, codeHash }));
  return {
    async addSecondFactor({ userId, secretSealed, step, recoveryHashes }, event) {
      const marked = { tenant, userId, mark: event.id };
      const [added] = await driver.write([
        insert({ ...marked, secretSealed, step, now: event.at }),
        removeCodes(marked),
        ...codes(marked, recoveryHashes),
        eventIfFactor(tenant, userId, event),
      ]);
      return added?.changes === 1 ? 'added' : 'taken';
    },
    async findSecondFactor(userId) {
      const [row] = await driver.read(find({ tenant, userId }));
      return row && { secretSealed: text(row.secret_sealed), createdAt: whole(row.created_at), recoveryCodesLeft: whole(row.unused) };
    },
    async useTotpStep(userId, step) {
      const [used] = await driver.write([useStep({ tenant, userId, step })]);
      return used?.changes === 1;
    },
    async useRecoveryCode({ userId, codeHash }, event) {
      const [used] = await driver.write([useCode({ tenant, userId, codeHash, now: event.at, mark: event.id }), eventIfCode(tenant, userId, event)]);
      return used?.changes === 1;
    },
    async replaceRecoveryCodes({ userId, codeHashes }, event) {
      const marked = { tenant, userId, mark: event.id };
      const [found] = await driver.write([mark(marked), removeCodes(marked), ...codes(marked, codeHashes), eventIfFactor(tenant, userId, event)]);
      return found?.changes === 1;
    },
    async removeSecondFactor(userId, event) {
      const marked = { tenant, userId, mark: event.id };
      const [found] = await driver.write([mark(marked), removeCodes(marked), eventIfFactor(tenant, userId, event), remove(marked)]);
      return found?.changes === 1;
    },
  };
}
