/**
 * Clients that are to hear when a browser session ends (OIDC Back-Channel Logout). Part of the store; telling them is account/'s.
 */

/** A client that wants to hear when a browser session ends, at most until `expiresAt` (OIDC Back-Channel Logout). */
export type SessionClient = { sid: string; clientId: string; userId: string; expiresAt: number };

/** A client that is to hear of it now. `last`: nobody will try again. */
export type DueLogout = { sid: string; clientId: string; userId: string; last: boolean };

export type LogoutVerbs = {
  /** Takes up to `limit` clients that are to hear of ended sessions; each is this caller's until its next attempt is due. */
  claimLogouts(now: number, limit: number): Promise<DueLogout[]>;
  /** A client has heard it, or never will. */
  settleLogout(sid: string, clientId: string): Promise<void>;
};
