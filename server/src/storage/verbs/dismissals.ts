/**
 * Verbs for what a person does not want to be offered again. Part of the store.
 */

/** What can be dismissed. */
export type Offer = 'passkey';

export type DismissalVerbs = {
  /** Twice is once. */
  dismiss(userId: string, offer: Offer, now: number): Promise<void>;
  hasDismissed(userId: string, offer: Offer): Promise<boolean>;
};
