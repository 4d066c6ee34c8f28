/**
 * Owns: how a person chooses for how long, and how that is said. Radio buttons, so that it works without script and a form can only choose what was offered.
 * Not owned: what may be offered, and when it ends (authorize/duration.ts).
 */
import { html } from 'hono/html';
import { untilText } from './moments.ts';
import type { Markup, Words } from './words.ts';

/** From the longest to the shortest. */
export const DURATIONS = ['until_disconnected', '30_days', '8_hours', 'once'] as const;
export type Duration = (typeof DURATIONS)[number];

/** What may be chosen, longest first, and what is chosen already. `asBefore` (epoch seconds): the longest is until then, when what was allowed before ends. `several`: servers that it is about. */
export type DurationChoice = { offered: readonly Duration[]; preset: Duration; asBefore?: number; capped?: boolean; several?: boolean };

export type DurationValues = {
  durations: DurationChoice;
  /** When renewable access ends by itself, in days. Without `unused`, disuse does not end it. */
  lasts: { unused?: number; most: number };
  /** The client has no refresh token of its own, so disuse does not end it. */
  through?: string;
  /** Said of an addition only. */
  addition?: boolean;
};

/** Renders the choice, or the one length there is. */
export function durationChoice(page: Words & { now?: number }, values: DurationValues): Markup {
  const { t } = page;
  const { offered, preset, capped, several } = values.durations;
  const notes = html`${capped && html`<p class="hint">${t(several ? 'consent.duration.cappedByOne' : 'consent.duration.capped')}</p>`}${values.addition && html`<p class="hint">${t('consent.duration.addition')}</p>`}`;
  if (offered.length === 1)
    return html`<dl class="facts"><div><dt>${t('consent.howLong')}</dt><dd><p>${durationText(page, preset, values)}</p>${notes}</dd></div></dl>`;
  return html`<fieldset class="durations"><legend>${t('consent.howLong')}</legend>${notes}
${offered.map((duration) => html`<label class="check"><input type="radio" name="duration" value="${duration}"${duration === preset && html` checked`}><span>${durationText(page, duration, values)}</span></label>`)}
</fieldset>`;
}

function durationText(page: Words & { now?: number }, duration: Duration, { durations, lasts, through }: DurationValues): string {
  const { t } = page;
  if (duration !== 'until_disconnected') return t(`consent.duration.${duration}`);
  if (durations.asBefore !== undefined) return t('consent.duration.asBefore', { when: untilText(durations.asBefore, page) });
  return untilDisconnected(page, { lasts, through });
}

/** Says what ends access that a person did not limit. */
export function untilDisconnected({ t }: Words, { lasts: { unused, most }, through }: Pick<DurationValues, 'lasts' | 'through'>): string {
  return through !== undefined || unused === undefined ? t('consent.untilDisconnectedOr', { most }) : t('consent.untilDisconnected', { unused, most });
}
