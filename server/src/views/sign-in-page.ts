/**
 * Owns: the sign-in page and its "Confirm it's you" variant. It names who is waiting, and says the same for an unknown user and a wrong password (LOG-05).
 */
import { html } from 'hono/html';
import { listFormat } from './by-language.ts';
import type { ClientIdentity, ClientView } from './client-identity.ts';
import { clientIdentity } from './client-identity.ts';
import { nameInSentence } from './client-line.ts';
import type { ScopeView } from './describe-scope.ts';
import { visibleText } from './display-text.ts';
import type { FieldProblem } from './error-summary.ts';
import { errorSummary } from './error-summary.ts';
import { icons } from './icons.ts';
import type { Markup, PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';
import { waitText } from './moments.ts';
import { passwordField } from './password-field.ts';
import { scopeList } from './scope-list.ts';
import { type UpstreamButton, upstreamButtons } from './upstream-buttons.ts';
import type { Words } from './words.ts';

/** `tx` is the parked authorization request; `signInHint` is shown by development mode only; `reason: 'confirm'` asks again for what is already signed in. */
export type SignInPageValues = {
  tx?: string;
  /** The person comes from the page of devices and goes back there, with the code they brought. */
  device?: { userCode?: string };
  /** The grant that a notice warned of. */
  pause?: string;
  csrf: string;
  client?: ClientView;
  signInHint?: string;
  error?: 'wrong-credentials' | 'wrong-passkey' | 'no-name' | 'throttled' | 'disabled';
  /** A code by mail is offered beside the password. */
  emailCode?: boolean;
  /** No password is asked for: the form is for a code by mail or a passkey, and empty without them. */
  passwordless?: boolean;
  /** For whoever cannot sign in; no sign-up where there is none. */
  resetHref?: string;
  signUpHref?: string;
  upstreams?: readonly UpstreamButton[];
  /** Somebody who came back from an upstream signs in to link it. */
  arrival?: string;
  retryAfterSeconds?: number;
  /** Given back into the form; a password never is. */
  username?: string;
  reason?: 'signed-out' | 'confirm';
  /** What can be decided only after confirming who one is. */
  unlocks?: readonly ScopeView[];
  /** The person goes on to the page of passkeys and sessions. */
  security?: boolean;
  /** The person goes on to the page of their profile and data. */
  profile?: boolean;
  /** Whether passkeys are on here. */
  passkeys?: boolean;
  /** Who confirms has no way to do that here: where they sign in, and for how many minutes a new sign-in counts. */
  cannotConfirm?: { names: readonly string[]; minutes: number };
  /** A password alone will not do for whoever asks. */
  stronger?: boolean;
};

/** Renders the form that posts `tx`, `csrf`, `username`, `password` (or `credential`) and `keep=1` to `{base}/login`. */
export function signInPage(page: PageFrame, values: SignInPageValues): string {
  const { t } = page;
  const confirming = values.reason === 'confirm';
  const identity = values.client && clientIdentity(values.client, page);
  if (values.cannotConfirm) return deadEnd(page, values, values.cannotConfirm);
  const main = html`${errorSummary(page, problemsOf(page, values))}
<h1>${heading(page, values, identity)}</h1>
${lead(page, values, identity)}
${values.stronger && html`<p class="note">${t('signIn.stronger')}</p>`}
<form method="post" action="${page.base}/login">
${values.arrival !== undefined && html`<input type="hidden" name="arrival" value="${values.arrival}">`}
${values.tx !== undefined && html`<input type="hidden" name="tx" value="${values.tx}">`}
${values.pause !== undefined && html`<input type="hidden" name="to" value="pause"><input type="hidden" name="grant" value="${values.pause}">`}
${values.device && html`<input type="hidden" name="to" value="device"><input type="hidden" name="user_code" value="${values.device.userCode ?? ''}">`}
${(values.security || values.profile) && html`<input type="hidden" name="to" value="${values.security ? 'security' : 'profile'}">`}
${confirming && html`<input type="hidden" name="reason" value="confirm">`}
<input type="hidden" name="csrf" value="${values.csrf}">
${values.passwordless ? withoutPassword(page, values) : withPassword(page, values)}
</form>
${upstreamButtons(page, { ...values, upstreams: values.upstreams ?? [], confirming, alone: values.passwordless && !values.emailCode })}
${linksBeside(page, values)}
${values.signInHint !== undefined && html`<p class="chip"><strong>${t('signIn.hint')}</strong> ${values.signInHint}</p>`}`;

  return renderPage(page, { title: t(confirming ? 'signIn.confirmTitle' : 'signIn.title'), why: 'why.signIn', main });
}

function withPassword(page: PageFrame, values: SignInPageValues): Markup {
  const { t } = page;
  const confirming = values.reason === 'confirm';
  return html`${usernameField(page, values)}
${passwordField(page, { autocomplete: 'current-password', invalidBecauseOf: values.error === 'wrong-credentials' ? 'problems' : undefined, autofocus: !values.error && (confirming || Boolean(values.username)) })}
${keepBox(page, values)}
<button type="submit" class="button main" data-busy>${t(confirming ? 'signIn.confirm' : 'signIn.submit')}</button>
${values.passkeys && passkeyButton(page, values)}
${values.emailCode && codeButton(page, 'quiet')}`;
}

/** The button of the code comes first: it is what Enter presses. */
function withoutPassword(page: PageFrame, values: SignInPageValues): Markup {
  return html`${values.emailCode && usernameField(page, values)}
${values.emailCode && keepBox(page, values)}
${values.emailCode && codeButton(page, 'main')}
${values.passkeys && passkeyButton(page, values)}`;
}

function keepBox({ t }: Words, { reason }: SignInPageValues): Markup | undefined {
  return reason === 'confirm' ? undefined : html`<label class="check"><input type="checkbox" name="keep" value="1"><span>${t('signIn.keep')}</span></label>`;
}

function codeButton({ t, base }: PageFrame, kind: 'main' | 'quiet'): Markup {
  return html`<button type="submit" class="button ${kind}" formaction="${base}/login/code" formnovalidate data-busy>${t('signIn.emailCode')}</button>`;
}

/** Nothing that could be typed here would help, so what does is said instead. */
function deadEnd(page: PageFrame, values: SignInPageValues, { names, minutes }: NonNullable<SignInPageValues['cannotConfirm']>): string {
  const { t, language } = page;
  const listed = listFormat(language).format(names.map((name) => visibleText(name)));
  const main = html`<h1>${t('signIn.confirmTitle')}</h1>
<p class="note">${t('signIn.cannotConfirm', { names: listed })}</p><p>${t(values.passwordless ? 'signIn.cannotConfirmPasskey' : 'signIn.cannotConfirmHow', { minutes })}</p>
<p><a class="button main" href="${page.base}/logout">${t('signOut.submit')}</a></p>
${linksBeside(page, values)}`;
  return renderPage(page, { title: t('signIn.confirmTitle'), why: 'why.signIn', main });
}

function linksBeside({ t }: Words, { resetHref, signUpHref }: SignInPageValues): Markup | undefined {
  if (resetHref === undefined && signUpHref === undefined) return undefined;
  return html`<p class="beside">${resetHref !== undefined && html`<a href="${resetHref}">${t('signIn.forgot')}</a>`}
${signUpHref !== undefined && html`<a href="${signUpHref}">${t('signIn.signUp')}</a>`}</p>`;
}

function heading(page: Words, values: SignInPageValues, identity: ClientIdentity | undefined): Markup {
  const { rich } = page;
  if (values.reason === 'confirm') return rich('signIn.confirmTitle');
  return identity ? rich('signIn.continue', { name: nameInSentence(page, identity) }) : rich('signIn.title');
}

function lead(page: PageFrame, values: SignInPageValues, identity: ClientIdentity | undefined): Markup {
  const { t, rich } = page;
  const by = identity && html`<p class="by tier-${identity.tier}">${icons[identity.tier]}<span>${publisher(page, identity)}</span></p>`;
  if (values.reason === 'confirm')
    return html`<p>${t(values.passwordless ? 'signIn.confirmAny' : 'signIn.confirmText')}</p>${unlocked(page, values.unlocks ?? [], identity)}`;
  if (values.reason === 'signed-out') {
    const text = identity ? rich('signIn.signedOutClient', { name: nameInSentence(page, identity) }) : rich('signIn.signedOut');
    return html`${by}<p class="note">${text}</p>`;
  }
  return by ?? html`<p>${t(values.arrival !== undefined ? 'signIn.toLink' : values.device ? 'signIn.device' : 'signIn.plain')}</p>`;
}

function unlocked(page: PageFrame, scopes: readonly ScopeView[], identity: ClientIdentity | undefined): Markup | undefined {
  if (scopes.length === 0 || !identity) return undefined;
  return html`<h2>${page.rich('signIn.unlocks', { name: nameInSentence(page, identity) })}</h2>${scopeList(page, scopes, { id: 'unlocks', open: true })}`;
}

function publisher(page: PageFrame, identity: ClientIdentity): Markup {
  const { rich } = page;
  const host = html`<strong><bdi>${identity.proof}</bdi></strong>`;
  return rich(`signIn.by.${identity.tier}`, { host, service: page.serviceName });
}

function usernameField({ t }: Words, values: SignInPageValues): Markup {
  const fixed = values.reason === 'confirm' && values.username !== undefined;
  const invalid = values.error === 'wrong-credentials';
  return html`<div class="field"><label for="username">${t('signIn.username')}</label>
<input id="username" name="username" type="text" inputmode="email" required autocomplete="username webauthn" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="320"${values.username !== undefined && html` value="${values.username}"`}${fixed && html` readonly`}${invalid && html` aria-invalid="true" aria-describedby="problems"`}${!values.error && !values.username && html` autofocus`}></div>`;
}

/** Only script can ask an authenticator; it shows the button, and sends the form with the answer in `credential`. */
function passkeyButton({ base, t }: PageFrame, { reason }: SignInPageValues): Markup {
  return html`<input type="hidden" name="credential"><p class="problem" role="alert" hidden data-passkey-failed>${t('signIn.noPasskey')}</p>
<button type="button" class="button quiet" hidden data-passkey="get" data-request="${base}/login/passkey"${reason !== 'confirm' && html` data-offer="1"`}>${t('signIn.passkey')}</button>`;
}

function problemsOf(page: PageFrame, values: SignInPageValues): FieldProblem[] {
  const { t } = page;
  if (values.error === undefined) return [];
  const wait = values.retryAfterSeconds;
  const texts = {
    'wrong-credentials': () => t('error.wrongCredentials'),
    'wrong-passkey': () => t('error.wrongPasskey'),
    'no-name': () => t('error.noName'),
    throttled: () => (wait === undefined ? t('error.throttledSoon') : t('error.throttled', { wait: waitText(wait, page) })),
    disabled: () => t('error.disabled', { service: page.serviceName }),
  };
  return [{ field: 'username', text: texts[values.error]() }];
}
