/**
 * Remembers which DPoP proofs were used (RFC 9449 §11.1), so that none works twice. In memory and bounded; several processes behind one address share one
 * through the option `proofMemory`.
 */

/** Remembers used proofs. Give one that all processes of an MCP server share, e.g. `SET id 1 NX EXAT expiresAt` of Redis. */
export interface ProofMemory {
  /** Uses an id once: true the first time, false while it is remembered. Times in epoch seconds. An id is an opaque string of 43 characters. */
  useOnce(id: string, expiresAt: number, now: number): boolean | Promise<boolean>;
}

/** Enough for 1600 requests a second with proofs; about 60 MB when full. */
const defaultMaxEntries = 500_000;

/** Makes an empty memory. When it is full of proofs that still could be repeated, new ones are refused: nothing is forgotten early. */
export function createProofMemory(maxEntries: number = defaultMaxEntries): ProofMemory {
  const used = new Map<string, number>();
  let sweptAt = 0;

  function forgetEnded(now: number): void {
    sweptAt = now;
    for (const [id, expiresAt] of used) if (expiresAt <= now) used.delete(id);
  }

  return {
    useOnce(id, expiresAt, now) {
      const until = used.get(id);
      if (until !== undefined && until > now) return false;
      // Seldom, because it looks at everything; always before anybody is turned away, but once a second.
      if (now - sweptAt >= 60 || (used.size >= maxEntries && now - sweptAt >= 1)) forgetEnded(now);
      if (used.size >= maxEntries) return false;
      used.set(id, expiresAt);
      return true;
    },
  };
}
