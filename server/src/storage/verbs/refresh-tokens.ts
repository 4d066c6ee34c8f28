/**
 * Refresh families and their rotation. Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Grant, GrantState } from './grants.ts';

/** A refresh family: one row, rotated in one statement. One family per grant. */
export type RefreshFamily = {
  familyId: string;
  grantId: string;
  clientId: string;
  currentHash: string;
  previousHash?: string;
  generation: number;
  authTime?: number;
  /** Thumbprint of the key it is bound to (RFC 9449 §5); public clients only. */
  dpopJkt?: string;
  amr?: string[];
  createdAt: number;
  rotatedAt: number;
  idleExpiresAt: number;
  expiresAt: number;
  revokedAt?: number;
};

export type Rotation = {
  familyId: string;
  presentedHash: string;
  nextHash: string;
  /** The grant that must stand, when it is not the one that the family hangs from but was approved with it. */
  companionId?: string;
  now: number;
  idleExpiresAt: number;
  graceSeconds: number;
};

export type RotationOutcome =
  /** This call rotated: the next token is current. */
  | { outcome: 'rotated' }
  /** The immediate predecessor, within grace: the next token is current already. */
  | { outcome: 'repeated' }
  /** A token this family once issued, presented too late: the family and its grant are revoked now (RFC 9700 §4.14). */
  | { outcome: 'reused' }
  /** Its grant is paused. Nothing changed: the token is good again when the grant is resumed. */
  | { outcome: 'paused' }
  /** Expired, revoked, or its grant is. Nothing changed. */
  | { outcome: 'dead' };

export type RefreshTokenVerbs = {
  /** The family, whether it is `living` (neither revoked nor past its time), and its grant with whether that stands. */
  findFamily(familyId: string, now: number): Promise<({ family: RefreshFamily; living: boolean; grant: Grant } & GrantState) | undefined>;
  /** See {@link RotationOutcome}. `presentedHash` is of a token whose MAC proved that this family issued it; `reuse` makes the event, should it come to that. */
  rotateRefreshToken(rotation: Rotation, reuse: () => AuditEvent | Promise<AuditEvent>): Promise<RotationOutcome>;
};
