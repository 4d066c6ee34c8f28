/**
 * Owns: the passkeys of a person: what each is, where it lives, its name and its removal, and the button that makes one. Without script or authenticator the button
 * gives its place to the reason.
 */
import { html } from 'hono/html';
import { displayText } from '../display-text.ts';
import type { Markup, PageFrame } from '../layout.ts';
import { agoText, dateText, machineTime } from '../moments.ts';
import { passkeyProvider } from '../passkey-provider.ts';
import type { SecuritySection } from '../security-page.ts';

/** Times are epoch seconds. */
export type PasskeyView = { id: string; name?: string; aaguid: string; backupEligible: boolean; createdAt: number; lastUsedAt?: number };
export type PasskeysValues = {
  csrf: { add: string; rename: string; remove: string };
  /** Whether the sign-in is recent enough to add and remove. */
  recent: boolean;
  passkeys: readonly PasskeyView[];
  /** Removing the only one would lock the person out. */
  onlyWayIn: boolean;
  /** What browsers may be told: these keys are known here, and no others of this person. */
  accepted: { rpId: string; userId: string; allAcceptedCredentialIds: readonly string[] };
};

/** Renders the section; its forms post to `{base}/account/security/passkeys…`. */
export function passkeysView(page: PageFrame, values: PasskeysValues): SecuritySection {
  const { t } = page;
  const body = html`<p>${t('passkeys.text')}</p>
${values.passkeys.length > 0 && html`<ul class="entries">${values.passkeys.map((passkey) => entry(page, values, passkey))}</ul>`}
<div hidden data-accepted="${JSON.stringify(values.accepted)}"></div>
${values.recent && addForm(page, values)}`;
  return { id: 'passkeys', title: t('passkeys.title'), body };
}

function entry(page: PageFrame, values: PasskeysValues, passkey: PasskeyView): Markup {
  const { t, rich } = page;
  const name = displayText(passkey.name ?? '') || (passkeyProvider(passkey.aaguid) ?? t('passkeys.unnamed'));
  const created = html`<time datetime="${machineTime(passkey.createdAt)}">${dateText(passkey.createdAt, page)}</time>`;
  const used =
    passkey.lastUsedAt === undefined
      ? t('passkeys.neverUsed')
      : html`<time datetime="${machineTime(passkey.lastUsedAt)}">${agoText(passkey.lastUsedAt, page)}</time>`;
  return html`<li class="entry"><h3><bdi>${name}</bdi></h3>
<p class="muted">${t(passkey.backupEligible ? 'passkeys.synced' : 'passkeys.oneDevice')}</p>
<dl class="times"><div><dt>${t('passkeys.created')}</dt><dd>${created}</dd></div><div><dt>${t('passkeys.lastUsed')}</dt><dd>${used}</dd></div></dl>
<details><summary>${t('passkeys.rename')}<span class="hidden"> <bdi>${name}</bdi></span></summary>${renameForm(page, values, passkey, name)}</details>
${values.recent && (values.onlyWayIn ? html`<p class="hint">${t('security.onlyWayIn')}</p>` : removeForm(page, values, passkey, rich('passkeys.removeName', { name: html`<bdi>${name}</bdi>` })))}</li>`;
}

function renameForm({ base, t }: PageFrame, { csrf }: PasskeysValues, { id }: PasskeyView, name: string): Markup {
  return html`<form method="post" action="${base}/account/security/passkeys/rename"><input type="hidden" name="csrf" value="${csrf.rename}"><input type="hidden" name="passkey" value="${id}">
<div class="field"><label for="name-${id}">${t('passkeys.name')}</label><input id="name-${id}" name="name" type="text" maxlength="60" autocomplete="off" value="${name}"></div>
<button type="submit" class="button quiet" data-busy>${t('passkeys.saveName')}</button></form>`;
}

function removeForm({ base, t }: PageFrame, { csrf }: PasskeysValues, { id }: PasskeyView, label: Markup): Markup {
  return html`<form method="post" action="${base}/account/security/passkeys/remove"><input type="hidden" name="csrf" value="${csrf.remove}"><input type="hidden" name="passkey" value="${id}">
<button type="submit" class="button quiet" data-busy>${t('passkeys.remove')}<span class="hidden"> ${label}</span></button></form>`;
}

/** The script asks at `data-passkey`, puts the answer into `credential` and sends the form. */
function addForm({ base, t }: PageFrame, { csrf }: PasskeysValues): Markup {
  return html`<form method="post" action="${base}/account/security/passkeys"><input type="hidden" name="csrf" value="${csrf.add}"><input type="hidden" name="credential">
<p class="hint" data-without-passkey>${t('passkeys.needsScript')}</p>
<p class="problem" role="alert" hidden data-passkey-failed>${t('passkeys.notMade')}</p>
<button type="button" class="button quiet" hidden data-passkey="create" data-request="${base}/account/security/passkeys/request">${t('passkeys.add')}</button></form>`;
}
