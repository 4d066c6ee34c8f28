/**
 * A code that is carried by hand gets a successor: the answer and the code change together, and only if both are still those that were shown.
 */
import { type Driver, literal, sql } from '../driver.ts';
import { MAX_CODE_FAILURES } from '../store.ts';
import type { HandOffVerbs } from '../verbs/hand-off.ts';
import { eventIf } from './audit-events.ts';

type Answering = { tenant: string; idHash: string; now: number; expiresAt: number; answer: string; oldAnswer: string; oldHash: string; mark: string };
const tooManyFailures = literal(String(MAX_CODE_FAILURES));
const answerAgain = sql<Answering>`update authorization_requests set answer = ${'answer'}, answered_at = ${'now'}, last_event = ${'mark'},
    expires_at = case when expires_at < ${'expiresAt'} then ${'expiresAt'} else expires_at end
  where tenant = ${'tenant'} and id_hash = ${'idHash'} and answer = ${'oldAnswer'} and expires_at > ${'now'}
  and exists (select 1 from codes where tenant = ${'tenant'} and code_hash = ${'oldHash'} and redeemed_at is null and expires_at > ${'now'}
    and failures < ${tooManyFailures})`;

type Changing = { tenant: string; idHash: string; oldHash: string; newHash: string; expiresAt: number; mark: string };
const changeCode = sql<Changing>`update codes set code_hash = ${'newHash'}, expires_at = ${'expiresAt'}
  where tenant = ${'tenant'} and code_hash = ${'oldHash'} and redeemed_at is null
  and exists (select 1 from authorization_requests where tenant = ${'tenant'} and id_hash = ${'idHash'} and last_event = ${'mark'})`;
const eventIfAnswered = eventIf('authorization_requests', 'id_hash');

export function handOffTable(driver: Driver, tenant: string): HandOffVerbs {
  return {
    async reissueCode({ idHash, from, to, now, expiresAt }, event) {
      const named = { tenant, idHash, oldHash: from.codeHash, expiresAt, mark: event.id };
      const [answered] = await driver.write([
        answerAgain({ ...named, now, answer: to.answer, oldAnswer: from.answer }),
        changeCode({ ...named, newHash: to.codeHash }),
        eventIfAnswered(tenant, idHash, event),
      ]);
      return answered?.changes === 1 ? 'reissued' : 'over';
    },
  };
}
