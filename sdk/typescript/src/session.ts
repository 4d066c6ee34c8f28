/**
 * Whose MCP session is whose. A session id is no credential, but handlers keep state under it: whoever learned somebody else's must not get at that state with
 * a good token of their own (RS-10). Known here: sessions that handlers opened in this process. Others are left to the handler.
 */
import { type Answer, jsonAnswer } from './challenge.ts';
import type { AuthContext } from './verify.ts';

/** @see createSessionOwners */
export interface SessionOwners {
  /** Remembers who opened a session. The first owner stays. */
  claim(sessionId: string, auth: AuthContext): void;
  /** Whether a session may be used: it is unknown here, or theirs. */
  mayUse(sessionId: string, auth: AuthContext): boolean;
}

const maxSessions = 10_000;

/** Makes an empty register of at most so many sessions; the least recently used is forgotten first. */
export function createSessionOwners(maxEntries = maxSessions): SessionOwners {
  const owners = new Map<string, string>();

  function claim(sessionId: string, auth: AuthContext): void {
    if (owners.has(sessionId)) return;
    owners.set(sessionId, ownerOf(auth));
    const [oldest] = owners.keys();
    if (owners.size > maxEntries && oldest !== undefined) owners.delete(oldest);
  }

  function mayUse(sessionId: string, auth: AuthContext): boolean {
    const owner = owners.get(sessionId);
    if (owner === undefined) return true;
    owners.delete(sessionId);
    owners.set(sessionId, owner);
    return owner === ownerOf(auth);
  }

  return { claim, mayUse };
}

/** To a stranger the session does not exist; MCP clients then open one of their own. */
export function sessionRefused(): Answer {
  return jsonAnswer(404, { error: 'session_not_found', error_description: 'There is no such session' });
}

/** Another token of the same person through the same client is the same owner: tokens are refreshed while sessions last. */
function ownerOf({ issuer, id, clientId }: AuthContext): string {
  return JSON.stringify([issuer, id, clientId]);
}
