/**
 * Devices that wait for their person (RFC 8628). Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Companion } from './companions.ts';
import type { Grant, GrantState } from './grants.ts';
import type { ConsentRecord } from './receipts.ts';
import type { RefreshFamily } from './refresh-tokens.ts';

/** What is asked of one resource. */
export type AskedAccess = { scope: string[]; resource: string; serverId?: string };

/** What a device asks for (RFC 8628 §3.1), checked like an authorization request. */
export type DeviceRequest = AskedAccess & {
  /** Requested, but not offered by any resource that was named: shown to the person as ignored. */
  ignoredScope?: string[];
  /** Further resources, each of which gets a grant of its own. */
  companions?: AskedAccess[];
};

/** A device that waits for its person. Answered without a grant means denied. */
export type DeviceCode = {
  codeHash: string;
  /** Keyed hash: the code is short enough to be tried out. */
  userCodeHash: string;
  clientId: string;
  request: DeviceRequest;
  /** Where the device asked from. */
  address: string;
  createdAt: number;
  expiresAt: number;
  /** How long the device must wait between two polls; grows with each that came too early. */
  intervalSeconds: number;
  answeredAt?: number;
  grantId?: string;
  /** When the person who allowed it had signed in. */
  authTime?: number;
  amr?: string[];
  redeemedAt?: number;
};

/** "over": unknown, of another client, expired or answered. */
export type PollOutcome = 'pending' | 'too-fast' | 'over';

export type DeviceCodeVerbs = {
  /** Parks what a device asks for. "taken": a device that waits, or lately did, has this user code. */
  addDeviceCode(device: DeviceCode): Promise<'added' | 'taken'>;
  /** The device behind a user code, while it waits. */
  findWaitingDevice(userCodeHash: string, now: number): Promise<DeviceCode | undefined>;
  /** Counts a poll of a waiting device; one that came too early makes the interval longer for good (RFC 8628 §3.5). One statement. */
  pollDevice(poll: { codeHash: string; clientId: string; now: number; slowerBySeconds: number }): Promise<PollOutcome>;
  /** The device behind a device code, waiting or not, with its grant and whether that stands. */
  findDevice(codeHash: string, now: number): Promise<({ device: DeviceCode; grant?: Grant } & GrantState) | undefined>;
  /** Answers a waiting device once: marks it, creates the grant and those of further resources, writes their events. "answered": somebody was first, it is too late, or the session that decides has ended; nothing changed. */
  approveDevice(
    approval: {
      codeHash: string;
      grant: Grant;
      companions?: Companion[];
      authTime: number;
      amr?: string[];
      now: number;
      receipt?: ConsentRecord;
      sessionHash?: string;
    },
    event: AuditEvent,
  ): Promise<'approved' | 'answered'>;
  /** Answers a waiting device with no; no grant. */
  denyDevice(denial: { codeHash: string; now: number }, event: AuditEvent): Promise<'denied' | 'answered'>;
  /** Redeems an approved device code once, and creates the refresh family if given. "spent": redeemed, expired, not approved or its grant is gone; nothing changed. */
  redeemDevice(redemption: { codeHash: string; now: number; redemptionId: string; family?: RefreshFamily }): Promise<'redeemed' | 'spent'>;
};
