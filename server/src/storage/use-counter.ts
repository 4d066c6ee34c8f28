/**
 * Last-use times: gathered in memory, written about once a second, for each grant, key and client once a minute at most: a token that is asked about thousands
 * of times costs one write. The only facts that a crash may lose (decision 14). No timer of its own: the runtime calls flush().
 */
import type { Store } from './store.ts';

export type UseCounter = {
  grant(id: string, now: number): void;
  key(id: string, now: number): void;
  client(id: string, now: number): void;
  /** Writes what has gathered; a failed write is kept for the next time. */
  flush(): Promise<void>;
};

/** Seconds in which another use is no news. */
const MINUTE = 60;
/** Of each kind; whoever has more in use writes some of them more often. */
const REMEMBERED_AT_MOST = 100_000;

type Kind = 'grants' | 'keys' | 'clients';
type Uses = Record<Kind, Map<string, number>>;

export function useCounter(store: Store): UseCounter {
  let gathered = none();
  const noted: Record<Kind, Set<string>> = { grants: new Set(), keys: new Set(), clients: new Set() };
  let began = 0;

  function note(kind: Kind, id: string, now: number): void {
    // A clock that went back begins anew as well.
    if (now >= began + MINUTE || now < began) {
      for (const ids of Object.values(noted)) ids.clear();
      began = now;
    }
    const known = noted[kind];
    if (known.has(id)) return;
    if (known.size >= REMEMBERED_AT_MOST) known.clear();
    known.add(id);
    gathered[kind].set(id, now);
  }

  async function flush(): Promise<void> {
    const writing = gathered;
    if (writing.grants.size + writing.keys.size + writing.clients.size === 0) return;
    gathered = none();
    try {
      await store.recordUse(writing);
    } catch (error) {
      const both = (kind: Kind) => new Map([...writing[kind], ...gathered[kind]]);
      gathered = { grants: both('grants'), keys: both('keys'), clients: both('clients') };
      throw error;
    }
  }

  return {
    grant: (id, now) => note('grants', id, now),
    key: (id, now) => note('keys', id, now),
    client: (id, now) => note('clients', id, now),
    flush,
  };
}

function none(): Uses {
  return { grants: new Map(), keys: new Map(), clients: new Map() };
}
