/**
 * Authorization codes, good once. Part of the store.
 */
import type { Grant, GrantState } from './grants.ts';
import type { RefreshFamily } from './refresh-tokens.ts';

export type Code = {
  codeHash: string;
  grantId: string;
  clientId: string;
  redirectUri: string;
  codeChallenge: string;
  nonce?: string;
  /** Thumbprint of the key that must redeem it (RFC 9449 §10). */
  dpopJkt?: string;
  authTime: number;
  amr?: string[];
  sid?: string;
  createdAt: number;
  expiresAt: number;
  /** Failed redemptions so far; at MAX_CODE_FAILURES the code is dead (COD-08). */
  failures: number;
  redeemedAt?: number;
};

export const MAX_CODE_FAILURES = 5;

export type CodeVerbs = {
  /** The code with its grant (and whether that stands), redeemed or not. */
  findCode(codeHash: string, now: number): Promise<({ code: Code; grant: Grant } & GrantState) | undefined>;
  /** Redeems once, and creates the refresh family if given. "spent": redeemed, expired, failed too often or its grant is gone; nothing changed. */
  redeemCode(redemption: { codeHash: string; now: number; redemptionId: string; family?: RefreshFamily }): Promise<'redeemed' | 'spent'>;
  failCode(codeHash: string): Promise<void>;
};
