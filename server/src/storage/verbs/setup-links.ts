/**
 * The link by which the first operator of a tenant comes to be. Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { OwnerToken } from './owner-tokens.ts';
import type { NewUser } from './users.ts';

export type SetupLinkVerbs = {
  addSetupLink(tokenHash: string, now: number, expiresAt: number): Promise<void>;
  /** False, too, once there is an operator. */
  setupLinkOpen(tokenHash: string, now: number): Promise<boolean>;
  /** Uses the link up, ends all others, and creates the operator and their owner token, all or nothing. "used", too, where there is an operator already. */
  redeemSetupLink(tokenHash: string, operator: NewUser, token: OwnerToken, event: AuditEvent): Promise<'done' | 'used' | 'taken'>;
  hasOperator(): Promise<boolean>;
};
