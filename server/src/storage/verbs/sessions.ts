/**
 * Browser sessions of people: begun, found, listed and ended. Part of the store; telling clients of their end is in logouts.ts.
 */
import type { AuditEvent } from '../../audit/event.ts';
import type { User } from './users.ts';

export type Session = {
  idHash: string;
  userId: string;
  authTime: number;
  createdAt: number;
  seenAt: number;
  idleSeconds: number;
  expiresAt: number;
  userAgent?: string;
  address?: string;
  /** Methods of the sign-in (RFC 8176). */
  amr?: string[];
  /** What clients know the session by. Stays when the same person signs in again in it; the id does not. */
  sid?: string;
  /** An upstream let them in without a word of when they last showed who they are: `authTime` is when they came. Such a session is not fresh. */
  unproven?: true;
};

/** `deviceHash` is what this browser is known by when the person signs in again; `epoch` the person's (`sessionEpoch`) when what they showed was judged. */
export type NewSession = Session & { deviceHash?: string; epoch?: number };

export type SessionVerbs = {
  /** Starts a session and, in the same commit, ends `replaces` (a new id on every sign-in, LOG-01). False, and nothing happened: the person is disabled, or another epoch of theirs has begun. */
  startSession(session: NewSession, replaces: string | undefined, event: AuditEvent): Promise<boolean>;
  /** The living session with its enabled person. */
  findSession(idHash: string, now: number): Promise<{ session: Session; user: User } | undefined>;
  touchSession(idHash: string, now: number): Promise<void>;
  endSession(idHash: string, event: AuditEvent): Promise<boolean>;
  /** Living sessions, the one seen last first. */
  listSessions(userId: string, now: number): Promise<Session[]>;
  /** Ends every session of a person; with `agents` also their grants and refresh families. */
  endSessionsOf(userId: string, also: { agents: boolean }, event: AuditEvent): Promise<boolean>;
};
