/**
 * Owns: how an identity looks: the proof big, the self-chosen name quoted and smaller, doubts below it. The words are those of `client-identity`.
 */
import { html } from 'hono/html';
import type { ClientIdentity } from './client-identity.ts';
import { icons } from './icons.ts';
import type { Markup } from './layout.ts';
import type { Words } from './words.ts';

/** Renders the identity sentence with its icon, what it proves, and its warnings. */
export function clientLine(page: Words, identity: ClientIdentity): Markup {
  const { t, rich } = page;
  return html`<div class="client tier-${identity.tier}">${icons[identity.tier]}<div>
<p class="claim">${rich(identity.line, { proof: html`<strong class="proof"><bdi>${identity.proof}</bdi></strong>`, name: html`<bdi class="name">${identity.name}</bdi>` })}</p>
${identity.warnings.map((warning) => warningLine(page, warning))}
<details><summary>${t('consent.proof')}</summary><p>${identity.disclosure}</p></details>
</div></div>`;
}

/** Renders a doubt, marked by an icon and, for those who do not see it, by a word. */
export function warningLine({ t }: Words, text: string): Markup {
  return html`<p class="warning">${icons.warning}<span><span class="hidden">${t('warning.label')} </span>${text}</span></p>`;
}

/** Renders the name for use in a sentence: quoted unless the operator vouches for it. */
export function nameInSentence({ rich }: Words, identity: ClientIdentity): Markup {
  const name = html`<bdi>${identity.name}</bdi>`;
  return identity.tier === 'approved' ? name : rich('quoted', { text: name });
}
