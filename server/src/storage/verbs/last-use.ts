/**
 * When something was used last. Part of the store.
 */

export type LastUseVerbs = {
  /** Writes batched last-use times (never moves one backwards). May lose the last second in a crash; nothing else may. */
  recordUse(uses: { grants: Map<string, number>; keys: Map<string, number>; clients: Map<string, number> }): Promise<void>;
};
