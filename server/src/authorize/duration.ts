/**
 * For how long a person allows something: what may be chosen, what is chosen beforehand, and when it then ends. Consent that was given before is
 * never made longer by being remembered, and an owner may cap it. Pure. Not here: radio buttons (views/duration-choice.ts), the refresh family (token/refresh-family.ts).
 */
import { OAuthError } from '../errors.ts';
import type { MaxDuration } from '../storage/store.ts';
import { DURATIONS, type Duration, type DurationChoice } from '../views/duration-choice.ts';

/** What bounds a choice. Times are epoch seconds. */
export type Bounds = {
  now: number;
  /** Delete or administer is asked for. */
  risky: boolean;
  /** Several resources: a single token is not enough, so once is no choice. */
  several?: boolean;
  /** The longest that the owner of the server allows. */
  limit?: MaxDuration;
  /** When the access that this one repeats or adds to ends. */
  asBefore?: number;
  /** Longer than this, in seconds, nothing lasts here. */
  mostSeconds: number;
};

const secondsOf: Record<MaxDuration, number> = { '30_days': 30 * 86400, '8_hours': 8 * 3600, once: 3600 };

/** What may be chosen; once is always there, but for several resources. What can do harm is chosen for a working day, unless the person wants it otherwise. */
export function durationChoice(bounds: Bounds): DurationChoice {
  const possible = DURATIONS.filter((duration) => mayBeOffered(duration, bounds));
  const offered: readonly Duration[] = possible.length > 0 ? possible : [bounds.limit ?? 'until_disconnected'];
  const cautious = offered.find((duration) => isAtMost(duration, '8_hours', bounds));
  const preset = (bounds.risky ? cautious : undefined) ?? offered[0] ?? 'once';
  return { offered, preset, asBefore: bounds.asBefore, capped: bounds.limit !== undefined, ...(bounds.several ? { several: true } : {}) };
}

/** What repeats an earlier consent chooses nothing: it lasts as long as that. */
export function sameDuration(asBefore: number | undefined): DurationChoice {
  return { offered: ['until_disconnected'], preset: 'until_disconnected', asBefore };
}

function mayBeOffered(duration: Duration, { now, limit, asBefore, mostSeconds, several }: Bounds): boolean {
  if (limit !== undefined && !isAtMost(duration, limit, { now, asBefore })) return false;
  if (duration === 'until_disconnected') return true;
  if (several && duration === 'once') return false;
  const seconds = secondsOf[duration];
  // What ends no earlier than the longest choice is no choice. Once is: it has no refresh token.
  return duration === 'once' || (seconds < mostSeconds && (asBefore === undefined || now + seconds < asBefore));
}

/** Until disconnected is as long as what it repeats: with an end, that may be short. */
function isAtMost(duration: Duration, most: MaxDuration, { now, asBefore }: Pick<Bounds, 'now' | 'asBefore'>): boolean {
  if (duration === 'until_disconnected') return asBefore !== undefined && asBefore <= now + secondsOf[most];
  return secondsOf[duration] <= secondsOf[most];
}

/** What a form chose; where there was no choice, nothing ends by itself but the last token. @throws {OAuthError} invalid_request for what was not offered. */
export function chosenDuration(given: string | undefined, choice: DurationChoice | undefined): Duration {
  const { offered, preset } = choice ?? sameDuration(undefined);
  const chosen = given === undefined ? preset : offered.find((duration) => duration === given);
  if (chosen === undefined) throw new OAuthError('invalid_request', 'duration was not offered');
  return chosen;
}

/** What of the choice stood on the page, for the token of its form. */
export function durationMark(choice: DurationChoice | undefined): string {
  return choice === undefined ? '' : [...choice.offered, choice.asBefore ?? ''].join(' ');
}

/** What a grant keeps of the choice: its end, none when a person or disuse ends it, and whether it is for once. */
export type Lasting = { expiresAt?: number; once?: true };

/** The end of a grant that is made now. Never later than `asBefore` and than the limit of the server. */
export function lasting(duration: Duration, { now, limit, asBefore }: Pick<Bounds, 'now' | 'limit' | 'asBefore'>): Lasting {
  const ends = [asBefore, limit && now + secondsOf[limit], duration === 'until_disconnected' ? undefined : now + secondsOf[duration]];
  const end = Math.min(...ends.filter((each) => each !== undefined));
  const once = duration === 'once' || limit === 'once';
  return { ...(end === Number.POSITIVE_INFINITY ? {} : { expiresAt: end }), ...(once ? { once } : {}) };
}
