/**
 * Owns: the one way a page asks for a password: a single labelled field that password managers know, with a Show button for those who have script.
 */
import { html } from 'hono/html';
import type { Markup } from './layout.ts';
import type { Words } from './words.ts';

export type PasswordField = {
  autocomplete: 'current-password' | 'new-password';
  /** Said above the field. */
  problem?: string;
  /** id of the element that says what is wrong, when that is not the field alone. */
  invalidBecauseOf?: string;
  hint?: string;
  autofocus?: boolean;
  minLength?: number;
  /** It takes the place of another. */
  replaces?: boolean;
  /** The form may be sent without it. */
  optional?: boolean;
};

/** Renders the field with the id and name `password`. Pasting is never hindered and the value is never given back. */
export function passwordField({ t }: Words, field: PasswordField): Markup {
  const describedBy = [field.hint && 'password-hint', field.problem ? 'password-problem' : field.invalidBecauseOf].filter(Boolean).join(' ');
  return html`<div class="field"><label for="password">${t(field.replaces ? 'password.new' : 'signIn.password')}</label>
${field.hint && html`<p class="hint" id="password-hint">${field.hint}</p>`}
${field.problem && html`<p class="problem" id="password-problem">${field.problem}</p>`}
<div class="with-button"><input id="password" name="password" type="password"${!field.optional && html` required`} autocomplete="${field.autocomplete}" autocapitalize="none" spellcheck="false" maxlength="1024"${field.minLength && html` minlength="${field.minLength}"`}${describedBy && html` aria-describedby="${describedBy}"`}${(field.problem ?? field.invalidBecauseOf) && html` aria-invalid="true"`}${field.autofocus && html` autofocus`}>
<button type="button" class="reveal" hidden data-show="password" aria-pressed="false" aria-label="${t('signIn.showLabel')}">${t('signIn.show')}</button></div></div>`;
}
