/**
 * Authorization requests: pushed by a client (RFC 9126), parked while a person signs in and decides, answered once. Part of the store.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { Code } from './codes.ts';
import type { Companion } from './companions.ts';
import type { DeviceRequest } from './device-codes.ts';
import type { Grant } from './grants.ts';
import type { SessionClient } from './logouts.ts';
import type { ConsentRecord } from './receipts.ts';

/** The checked parameters of an authorization request, parked while the person signs in and decides. */
export type AuthorizationRequest = DeviceRequest & {
  clientId: string;
  redirectUri: string;
  /** Whether `redirect_uri` was in the request (a sole registered one may be left out). */
  redirectUriSent: boolean;
  state?: string;
  /** Absent for `query`. */
  responseMode?: 'form_post';
  codeChallenge: string;
  nonce?: string;
  /** Thumbprint of the key that must redeem the code (RFC 9449 §10). */
  dpopJkt?: string;
  prompt: string[];
  maxAge?: number;
  /** Levels of sign-in that are offered, of those the client asked for: one of them must be reached (RFC 9470 §5). */
  acrValues?: string[];
  loginHint?: string;
  /** What the client says its person reads (`ui_locales`); one of our languages. */
  language?: string;
  /** From an `id_token_hint` of this client: the person it means, as it knows them. */
  hintedSubject?: string;
  /** Hash of the reference by which this request was pushed: answering the request uses that up. */
  pushedHash?: string;
};

/** A checked request that a client pushed (RFC 9126). It may be begun until `expiresAt`, more than once, and answered once. */
export type PushedRequest = { referenceHash: string; request: AuthorizationRequest; createdAt: number; expiresAt: number };

export type ParkedRequest = {
  idHash: string;
  /** Hash of the cookie of the browser that began; no other browser may continue. */
  browserHash: string;
  request: AuthorizationRequest;
  createdAt: number;
  expiresAt: number;
  answeredAt?: number;
  /** The answer (a redirect URL), sealed under the browser's cookie, so that the return page can be shown again. */
  answer?: string;
};

/** `pushedHash` is that of the request, when it was pushed. `sessionHash`: the session that decides; once it has ended nothing is allowed any more. */
export type RequestAnswer = { idHash: string; answer: string; now: number; pushedHash?: string; sessionHash?: string };

export type AuthorizationRequestVerbs = {
  pushRequest(pushed: PushedRequest): Promise<void>;
  /** A pushed request that has neither ended nor been answered. */
  findPushedRequest(referenceHash: string, now: number): Promise<PushedRequest | undefined>;
  parkRequest(request: ParkedRequest): Promise<void>;
  findRequest(idHash: string, now: number): Promise<ParkedRequest | undefined>;
  /** Answers a parked request once: marks it, uses up the reference it was pushed by, creates the grant, those of further resources and the code, writes their events. "answered": somebody was first, or the session has ended; nothing changed. */
  approveRequest(
    approval: RequestAnswer & { grant: Grant; companions?: Companion[]; code: Code; listener?: SessionClient; receipt?: ConsentRecord },
    event: AuditEvent,
  ): Promise<'approved' | 'answered'>;
  /** Answers a parked request with an error; no grant. */
  denyRequest(denial: RequestAnswer, event: AuditEvent): Promise<'denied' | 'answered'>;
};
