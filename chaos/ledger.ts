/**
 * What callers were told, and what was wrong with it. An answer counts as soon as it is whole: from then on nothing may contradict it. Not here: what is
 * looked up in the database afterwards (judge.ts).
 */

/** Something that must never happen, in words. */
export type Violation = string;

export type Family = { accessToken: string; refreshToken: string };

export type Ledger = {
  /** Answers that did what was asked, by what was asked. */
  readonly done: Map<string, number>;
  /** 503 with Retry-After, and connections that nobody answered on: a caller tries again. */
  readonly refused: Map<string, number>;
  readonly violations: Violation[];
  /** Families as their agents know them. */
  readonly living: Set<Family>;
  /** Access tokens of grants whose end was acknowledged. */
  readonly ended: string[];
  count(map: Map<string, number>, what: string): void;
  violated(what: Violation): void;
};

/** Of one kind, so many are told; the rest would say the same. */
const toldOfEach = 5;

export function newLedger(): Ledger {
  const seen = new Map<string, number>();
  const violations: Violation[] = [];
  const count = (map: Map<string, number>, what: string) => void map.set(what, (map.get(what) ?? 0) + 1);
  return {
    done: new Map(),
    refused: new Map(),
    violations,
    living: new Set(),
    ended: [],
    count,
    violated(what) {
      count(seen, what);
      if ((seen.get(what) ?? 0) <= toldOfEach) violations.push(what);
    },
  };
}

export const total = (map: Map<string, number>): number => [...map.values()].reduce((sum, each) => sum + each, 0);
