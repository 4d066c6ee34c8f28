/**
 * Owns: epoch seconds as words a person reads. Time is handed in; nothing here asks a clock.
 */
import { byLanguage } from './by-language.ts';
import type { Words } from './words.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const dates = byLanguage((language) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }));
const times = byLanguage((language) => new Intl.DateTimeFormat(language, { timeStyle: 'long', hourCycle: 'h23', timeZone: 'UTC' }));
const distances = byLanguage((language) => new Intl.RelativeTimeFormat(language, { numeric: 'always' }));

/** Formats epoch seconds as a date, in UTC so that every reader of a receipt sees the same day. */
export function dateText(seconds: number, { language }: Words): string {
  return dates(language).format(seconds * 1000);
}

/** Formats epoch seconds as the time of day, to the second, with its zone: UTC, since we do not know the reader's. */
export function secondsText(seconds: number, { language }: Words): string {
  return times(language).format(seconds * 1000);
}

/** Formats epoch seconds for the `datetime` attribute of `<time>`. */
export function machineTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/**
 * Says how long ago `seconds` was, seen from `now`; without `now`, or after a month, the date.
 * @example agoText(1000, { ...wordsFor('en'), now: 1120 }) // '2 minutes ago'
 */
export function agoText(seconds: number, words: Words & { now?: number }): string {
  const { t, language, now } = words;
  const age = now === undefined ? Number.POSITIVE_INFINITY : Math.max(0, now - seconds);
  if (age > 30 * DAY) return t('time.onDate', { date: dateText(seconds, words) });
  if (age < MINUTE) return t('time.justNow');
  const [unit, size] = age < HOUR ? (['minute', MINUTE] as const) : age < DAY ? (['hour', HOUR] as const) : (['day', DAY] as const);
  return distances(language).format(-Math.floor(age / size), unit);
}

/** Says how long ago to the second within the last two minutes, for a moment that a person compares with their own. */
export function secondsAgoText(seconds: number, words: Words & { now?: number }): string {
  const { language, now } = words;
  const age = now === undefined ? Number.POSITIVE_INFINITY : Math.max(0, now - seconds);
  if (age >= 2 * MINUTE || age === 0) return agoText(seconds, words);
  return distances(language).format(-age, 'second');
}

/**
 * Says when something that lies ahead will be, seen from `now`: in hours or days, or on a date once it is more than a month away.
 * @example untilText(1000 + 8 * 3600, { ...wordsFor('en'), now: 1000 }) // 'in 8 hours'
 */
export function untilText(seconds: number, words: Words & { now?: number }): string {
  const { t, language, now } = words;
  const left = now === undefined ? Number.POSITIVE_INFINITY : Math.max(0, seconds - now);
  if (left > 30 * DAY) return t('time.atDate', { date: dateText(seconds, words) });
  const [unit, size] = left < 2 * HOUR ? (['minute', MINUTE] as const) : left < 2 * DAY ? (['hour', HOUR] as const) : (['day', DAY] as const);
  return distances(language).format(Math.max(1, Math.round(left / size)), unit);
}

/** Says how long to wait, rounded up, never "0 minutes". */
export function waitText(seconds: number, { language }: Words): string {
  const [unit, size] = seconds < 2 * MINUTE ? (['second', 1] as const) : seconds < 2 * HOUR ? (['minute', MINUTE] as const) : (['hour', HOUR] as const);
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.max(1, Math.ceil(seconds / size)));
}
