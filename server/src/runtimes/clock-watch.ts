/**
 * Notices that the clock of the machine was set while the server runs (OPS-03): the time of day and the time that passed no longer agree. Tokens made under a wrong
 * clock are good for too long or not yet. A clock that was wrong from the start shows in the metrics only, where somebody else's clock is beside it.
 */
import { performance } from 'node:perf_hooks';
import type { Log } from '../context.ts';

/** Corrections of NTP are smaller, and what we check allows for a minute. */
const TOLERATED_MILLISECONDS = 10_000;

/** In milliseconds: the time of day, and a clock that nobody sets. */
export type Clocks = { wall(): number; steady(): number };
const ofMachine: Clocks = { wall: () => Date.now(), steady: () => performance.now() };

/** Returns what to call now and then; each call looks at the time since the last one, and warns with by how many seconds the clock went ahead or, below 0, back. */
export function clockWatch(log: Pick<Log, 'warn'>, { wall, steady }: Clocks = ofMachine): () => void {
  let [wallBefore, steadyBefore] = [wall(), steady()];
  return () => {
    const [wallNow, steadyNow] = [wall(), steady()];
    const jumped = wallNow - wallBefore - (steadyNow - steadyBefore);
    [wallBefore, steadyBefore] = [wallNow, steadyNow];
    if (Math.abs(jumped) > TOLERATED_MILLISECONDS) log.warn('clock.jumped', { seconds: Math.round(jumped / 1000) });
  };
}
