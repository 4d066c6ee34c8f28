/**
 * What agents did, as the MCP servers they used report it. Names and results only, and no proof of anything: a server says what it likes about its own agents.
 */

/** Length of a slot in seconds: what happens in it under one name and with one result is one row. Shorter than any pause between two runs. */
export const ACTIVITY_SLOT_SECONDS = 600;
/** Rows that one grant can add in 24 hours; what is more is not recorded. */
export const MAX_ACTIVITY_ROWS = 500;

export type ActivityOutcome = 'allowed' | 'refused';

/** What happened under one grant since it was last written. `slot` is a multiple of {@link ACTIVITY_SLOT_SECONDS}; times are epoch seconds. */
export type ActivityNote = {
  grantId: string;
  slot: number;
  /** As the server calls it: untrusted text. */
  action: string;
  outcome: ActivityOutcome;
  /** Scopes that a refused action would have needed. */
  missing: readonly string[];
  times: number;
  firstAt: number;
  lastAt: number;
  expiresAt: number;
};

/** A row of what an agent of a person did, with the client and resource of its grant. */
export type Activity = Omit<ActivityNote, 'slot' | 'expiresAt'> & { clientId: string; resource: string; serverName?: string };

/** Whose activity, since when (included) and before when (not included); further members narrow it. */
export type ActivityQuestion = {
  userId: string;
  since: number;
  before: number;
  clientId?: string;
  resource?: string;
  outcome?: ActivityOutcome;
  limit: number;
};

export type ActivityVerbs = {
  /** Adds batched notes to what is there, each within the cap of its grant. Notes about unknown grants are dropped. */
  recordActivity(notes: readonly ActivityNote[]): Promise<void>;
  /** Rows of a person, newest first. */
  listActivity(question: ActivityQuestion): Promise<Activity[]>;
  /** How often each agent of a person acted and was refused since a moment. */
  countActivity(userId: string, since: number): Promise<{ clientId: string; resource: string; actions: number; refused: number }[]>;
  /** The last action that was refused to an agent for want of a scope, if it was at `since` or later. */
  lastRefusal(
    agent: { userId: string; clientId: string; resource: string },
    since: number,
  ): Promise<{ action: string; missing: string[]; at: number } | undefined>;
};
