/**
 * What servers report, batched in memory and written about once a second, like last-use times. A crash may lose the last second, and whoever reports more than
 * the caps loses the rest: activity is told to people, and nothing is decided by it. No timer of its own: the runtime calls flush().
 */
import type { ActivityNote, ActivityOutcome, Store } from './store.ts';
import { ACTIVITY_SLOT_SECONDS } from './verbs/activity.ts';

/** Reported actions of one server in a minute, on this node. */
export const MAX_ACTIONS_PER_MINUTE = 6000;
/** Rows that wait to be written. */
const MAX_WAITING = 5000;
/** So that one commit keeps nobody waiting. */
const NOTES_PER_WRITE = 50;

export type ReportedAction = { action: string; outcome: ActivityOutcome; missing: readonly string[]; times: number };
export type ActivityCounter = {
  /** Notes that an agent acted under a grant. False when it was dropped. */
  add(of: { serverId: string; grantId: string }, reported: ReportedAction, now: number): boolean;
  /** Writes what has gathered, part by part; what a failed write leaves is kept for the next time, and nothing that was written. */
  flush(): Promise<void>;
};

/** Makes the counter of a tenant. What it writes is kept for `keptSeconds`; 0 records nothing. */
export function activityCounter(store: Store, keptSeconds: number): ActivityCounter {
  let waiting = new Map<string, ActivityNote>();
  let minute = { at: 0, counts: new Map<string, number>() };

  function mayAdd(serverId: string, { times }: ReportedAction, now: number): boolean {
    const at = Math.floor(now / 60);
    if (minute.at !== at) minute = { at, counts: new Map() };
    const count = (minute.counts.get(serverId) ?? 0) + times;
    if (keptSeconds === 0 || count > MAX_ACTIONS_PER_MINUTE) return false;
    minute.counts.set(serverId, count);
    return true;
  }

  function keep(note: ActivityNote): boolean {
    const key = JSON.stringify([note.grantId, note.slot, note.action, note.outcome, note.missing]);
    const known = waiting.get(key);
    if (!known && waiting.size >= MAX_WAITING) return false;
    waiting.set(key, known ? { ...note, times: known.times + note.times, firstAt: Math.min(known.firstAt, note.firstAt) } : note);
    return true;
  }

  return {
    add({ serverId, grantId }, reported, now) {
      if (!mayAdd(serverId, reported, now)) return false;
      return keep({ ...reported, grantId, slot: now - (now % ACTIVITY_SLOT_SECONDS), firstAt: now, lastAt: now, expiresAt: now + keptSeconds });
    },
    async flush() {
      if (waiting.size === 0) return;
      const gathered = [...waiting.values()];
      waiting = new Map();
      try {
        while (gathered.length > 0) {
          await store.recordActivity(gathered.slice(0, NOTES_PER_WRITE));
          gathered.splice(0, NOTES_PER_WRITE);
        }
      } catch (error) {
        for (const note of gathered) keep(note);
        throw error;
      }
    },
  };
}
