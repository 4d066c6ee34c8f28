/**
 * Keys that we sign with. Part of the store; private parts come in sealed.
 */
import type { AuditEvent } from '../../audit/event.ts';

export type SigningKeyRow = {
  kid: string;
  algorithm: 'ES256' | 'RS256' | 'EdDSA';
  publicJwk: string;
  privateSealed: string;
  createdAt: number;
  /** Published from creation; signs from here on (KEY-02: at least the JWKS cache time later), until `signsUntil`; leaves the JWKS at `publishedUntil`. */
  signsFrom: number;
  signsUntil?: number;
  publishedUntil?: number;
};

/** How the older keys of an algorithm end. `only`: the kid whose successor the new key is; when another has succeeded it already, there is nothing to add. */
export type OlderKeys = { signsUntil: number; publishedUntil: number; only?: string };

export type SigningKeyVerbs = {
  listSigningKeys(now: number): Promise<SigningKeyRow[]>;
  /** Adds a key and, if asked, ends signing and publication of the older ones of its algorithm. With `onlyIfNone`, adds nothing when the algorithm has a living key ("exists"): two nodes starting together make one key. */
  addSigningKey(key: SigningKeyRow, older: OlderKeys | 'onlyIfNone', event: AuditEvent): Promise<'added' | 'exists'>;
  /** Drops a compromised key at once (KEY-03). */
  dropSigningKey(kid: string, event: AuditEvent): Promise<boolean>;
};
