/**
 * Every form of the pages, by the button that sends it: how somebody comes to it (by the store and the wire, not by clicking), what hands do on it, and what must have come
 * of it. forms.test.ts walks the table; pages.test.ts refuses a form that is not in it. Not here: what the pages look like (gallery.ts).
 */
import { account } from './forms/account.ts';
import { agents } from './forms/agents.ts';
import { comingIn } from './forms/coming-in.ts';
import { deciding } from './forms/deciding.ts';
import { signingIn } from './forms/signing-in.ts';
import type { FormStory } from './forms/story.ts';

export const formStories: readonly FormStory[] = [...signingIn, ...comingIn, ...deciding, ...agents, ...account];

/** What posts and has no row here, and why: forms that no button of their own sends, and routes that no form posts to. */
export const otherForms: Readonly<Record<string, string>> = {
  'form[action$="/account/security/passkeys"]': 'only script can ask an authenticator; e2e/passkeys.test.ts',
};
export const otherRoutes: Readonly<Record<string, string>> = {
  '/authorize': 'clients post to it',
  '/oauth/authorize': 'another name of /authorize',
  '/login/passkey': 'asked by script; e2e/passkeys.test.ts',
  '/account/security/passkeys': 'sent by script; e2e/passkeys.test.ts',
  '/account/security/passkeys/request': 'asked by script; e2e/passkeys.test.ts',
};
