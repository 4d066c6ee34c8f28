/**
 * People and the verbs about them. Part of the store; what people change about themselves is in accounts.ts, passwords.ts and their neighbours.
 */
import type { AuditEvent } from '../../audit/event.ts';

export type Role = 'user' | 'owner' | 'operator';
export type User = {
  id: string;
  username: string;
  email?: string;
  /** When mail last reached them at this address; absent: nobody knows whether it does. */
  emailProvenAt?: number;
  name?: string;
  role: Role;
  language?: string;
  createdAt: number;
  disabledAt?: number;
  agentsPausedAt?: number;
  /** How often their password was changed or all their sessions were ended; absent: never. A sign-in that began before counts no more. */
  sessionEpoch?: number;
};

export type NewUser = Omit<User, 'disabledAt' | 'agentsPausedAt' | 'sessionEpoch'> & { passwordHash?: string };

export type UserVerbs = {
  /** Adds a person with an optional password. "taken": the username or e-mail exists (compared case-insensitively). */
  addUser(user: NewUser, event: AuditEvent): Promise<'added' | 'taken'>;
  findUser(id: string): Promise<User | undefined>;
  /** Finds by username or e-mail, any case. */
  findUserByLogin(login: string): Promise<{ user: User; passwordHash?: string } | undefined>;
  listUsers(): Promise<User[]>;
  /** Whether anybody has an account, disabled or not. */
  hasPeople(): Promise<boolean>;
  /** Replaces the password and ends what was reached with the old one: sessions, grants and refresh families of this person. */
  changePassword(userId: string, passwordHash: string, event: AuditEvent): Promise<boolean>;
  /** Stores the same password under stronger parameters. Only if the stored hash is still `oldHash`. */
  rehashPassword(userId: string, oldHash: string, newHash: string, now: number): Promise<void>;
  /** Disables (or enables) a person; while disabled, sessions and grants do not stand. */
  setUserDisabled(userId: string, disabled: boolean, event: AuditEvent): Promise<boolean>;
};
