/**
 * The verb that tells which names others could be taken for: those of clients that an operator registered, and of documents whose client somebody here has allowed. A
 * document that was only read could be anybody's.
 */

/** `documentUrl` for a client whose id is the address of its metadata document. */
export type DefendedName = { name: string; documentUrl?: string };

export type DefendedNameVerbs = {
  /** At most `limit` of each kind. */
  listDefendedNames(limit: number): Promise<DefendedName[]>;
};
