/**
 * Ids that may be used once. Part of the store.
 */

/** An id that may be used once. `kind` says what it is an id of, so that ids of different kinds never meet. */
export type OneTimeUse = {
  kind: 'client_assertion' | 'dpop_proof' | 'assertion_grant' | 'passkey_challenge';
  /** SHA-256 of the id together with whatever it is unique for, such as its issuer. */
  idHash: string;
  now: number;
  /** When what carries the id can no longer be accepted, clock skew included: until then a second use fails. */
  expiresAt: number;
};

export type OneTimeIdVerbs = {
  /** Uses an id once until it expires. False when it was used already. */
  useOnce(once: OneTimeUse): Promise<boolean>;
};
