/**
 * A code that is carried by hand gets a successor: the answer and the code change together, and only if both are still those that were shown.
 */
import { type Driver, literal, sql } from '../driver.ts';
import { MAX_CODE_FAILURES } from '../store.ts';
import type { HandOffVerbs } from '../verbs/hand-off.ts';
import { eventIf } from './audit-events.ts';

type Changing = { tenant: string; idHash: string; oldHash: string; newHash: string; oldAnswer: string; now: number; expiresAt: number };
const tooManyFailures = literal(String(MAX_CODE_FAILURES));
// First, and by its own row: whoever redeems the code in this moment is waited for, and then it is too late.
const changeCode = sql<Changing>`update codes set code_hash = ${'newHash'}, expires_at = ${'expiresAt'}
  where tenant = ${'tenant'} and code_hash = ${'oldHash'} and redeemed_at is null and expires_at > ${'now'} and failures < ${tooManyFailures}
  and exists (select 1 from authorization_requests where tenant = ${'tenant'} and id_hash = ${'idHash'} and answer = ${'oldAnswer'} and expires_at > ${'now'})`;

type Answering = { tenant: string; idHash: string; now: number; expiresAt: number; answer: string; oldAnswer: string; newHash: string; mark: string };
const answerAgain = sql<Answering>`update authorization_requests set answer = ${'answer'}, answered_at = ${'now'}, last_event = ${'mark'},
    expires_at = case when expires_at < ${'expiresAt'} then ${'expiresAt'} else expires_at end
  where tenant = ${'tenant'} and id_hash = ${'idHash'} and answer = ${'oldAnswer'} and expires_at > ${'now'}
  and exists (select 1 from codes where tenant = ${'tenant'} and code_hash = ${'newHash'})`;
const eventIfAnswered = eventIf('authorization_requests', 'id_hash');

export function handOffTable(driver: Driver, tenant: string): HandOffVerbs {
  return {
    async reissueCode({ idHash, from, to, now, expiresAt }, event) {
      const named = { tenant, idHash, oldAnswer: from.answer, newHash: to.codeHash, now, expiresAt };
      const [, answered] = await driver.write([
        changeCode({ ...named, oldHash: from.codeHash }),
        answerAgain({ ...named, answer: to.answer, mark: event.id }),
        eventIfAnswered(tenant, idHash, event),
      ]);
      return answered?.changes === 1 ? 'reissued' : 'over';
    },
  };
}
