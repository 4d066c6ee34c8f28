/**
 * Last-use times, batched in memory and written about once a second: the only facts that a crash may lose (decision 14). No timer of its own: the runtime
 * calls flush().
 */
import type { Store } from './store.ts';

export type UseCounter = {
  grant(id: string, now: number): void;
  key(id: string, now: number): void;
  client(id: string, now: number): void;
  /** Writes what has gathered; a failed write is kept for the next time. */
  flush(): Promise<void>;
};

export function useCounter(store: Store): UseCounter {
  let grants = new Map<string, number>();
  let keys = new Map<string, number>();
  let clients = new Map<string, number>();

  async function flush(): Promise<void> {
    if (grants.size + keys.size + clients.size === 0) return;
    const gathered = { grants, keys, clients };
    grants = new Map();
    keys = new Map();
    clients = new Map();
    try {
      await store.recordUse(gathered);
    } catch (error) {
      grants = new Map([...gathered.grants, ...grants]);
      keys = new Map([...gathered.keys, ...keys]);
      clients = new Map([...gathered.clients, ...clients]);
      throw error;
    }
  }

  return {
    grant: (id, now) => void grants.set(id, now),
    key: (id, now) => void keys.set(id, now),
    client: (id, now) => void clients.set(id, now),
    flush,
  };
}
