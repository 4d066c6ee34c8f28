/**
 * Who an upstream says somebody is. `issuer` and `subject` name them; all else is only told: a profile is cleaned here, and an e-mail address counts only where
 * the upstream itself says it was verified (LOG-07).
 */
import { UpstreamFailure } from './failure.ts';

export type UpstreamPerson = {
  issuer: string;
  /** At most 255 ASCII characters (OIDC Core §2). */
  subject: string;
  /** How they signed in there (RFC 8176), as far as it is told. */
  amr: string[];
  /** When they did, in seconds, if it is told. */
  authTime?: number;
  /** Asked for only where somebody is new. */
  profile(): Promise<Profile>;
};

export type Profile = {
  name?: string;
  /** What they are called there: the start of a username here, never proof of anything. */
  handle?: string;
  /** Verified by the upstream. */
  email?: string;
  /** How the account there is shown in the person's own list. */
  label?: string;
};

type Told = { name?: unknown; handle?: unknown; email?: unknown; emailVerified?: unknown };

/** RFC 8176 §2. A value that nobody registered says nothing here. */
const registered = new Set('face fpt geo hwk iris kba mca mfa otp pin pop pwd rba retina sc sms swk tel user vbm wia'.split(' '));

/** Makes a profile of what an upstream told. */
export function profileOf({ name, handle, email, emailVerified }: Told): Profile {
  const address = clean(email, 254);
  const called = clean(handle, 64);
  return {
    name: clean(name, 100),
    handle: called,
    email: emailVerified === true && address !== undefined && /^[^\s@<>"]+@[^\s@<>"]+$/.test(address) ? address : undefined,
    label: address ?? called ?? clean(name, 100),
  };
}

/** The methods that are told and known, behind `fed`: that the word of another server was taken is what we know ourselves. */
export function amrOf(told: unknown): string[] {
  const list: unknown[] = Array.isArray(told) ? told : [];
  return ['fed', ...new Set(list.filter((value): value is string => typeof value === 'string' && registered.has(value)))];
}

/** @throws {UpstreamFailure} invalid, for what cannot be a subject. */
export function subjectOf(told: unknown): string {
  if (typeof told !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(told))
    throw new UpstreamFailure('invalid', 'the subject is not 1 to 255 printable ASCII characters');
  return told;
}

/** One line without control, formatting and bidirectional characters. */
function clean(told: unknown, longest: number): string | undefined {
  if (typeof told !== 'string') return undefined;
  const text = [...told.normalize('NFC').replace(/\s+/gu, ' ').replace(/\p{C}/gu, '').trim()].slice(0, longest).join('');
  return text === '' ? undefined : text;
}
