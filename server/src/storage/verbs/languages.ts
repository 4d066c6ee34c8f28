/**
 * Verbs for the language that a person reads. Part of the store.
 */

export type LanguageVerbs = {
  /** A tag of languages.ts; `undefined` goes back to whatever the browser says. False when there is no such person. */
  setLanguage(userId: string, language: string | undefined): Promise<boolean>;
};
