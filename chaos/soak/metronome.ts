/**
 * How fast the machine is by itself, beside what is measured on it: a rented one is a third faster or slower from one minute to the next, and then 80 % of what was its
 * capacity is more than there is. The pace follows it down and back, and a node is not blamed for what the machine took. The work itself is beat.ts.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Beat } from './beat.ts';

export type Metronome = {
  pid: number;
  /** Now is 1: called when the capacity was found, with the share of their core that the nodes used; in the rest they waited for the disk. */
  calibrate(busy: number): void;
  /** The speed of the last seconds; before there is anything to compare with, 1. */
  speed(): number;
  /** Whether the machine was, in the last few seconds, too slow for the pace that it was given, or stood still. */
  dipped(): boolean;
  /** Asked whenever a node refuses: whether that is still for a dip. A node works off what has gathered, and may refuse until it is done; a minute after the dip it must be. */
  excuses(): boolean;
  stop(): void;
};

export function startMetronome(): Metronome {
  const child = fork(fileURLToPath(new URL('./beat.ts', import.meta.url)), { stdio: 'inherit' });
  const heard = rhythm();
  child.on('message', (beat) => heard.beat(beat as Beat, performance.now() / 1000));
  return {
    pid: child.pid ?? 0,
    calibrate: heard.calibrate,
    speed: heard.speed,
    dipped: () => heard.dipped(performance.now() / 1000),
    excuses: () => heard.excuses(performance.now() / 1000),
    stop: () => child.disconnect(),
  };
}

export type Rhythm = {
  beat(beat: Beat, at: number): void;
  calibrate(busy: number): void;
  speed(): number;
  dipped(at: number): boolean;
  excuses(at: number): boolean;
};

/** The share of the capacity that is left free by the pace: a beat that is slower by nearly that much leaves none. */
const spare = 0.15;
/** In milliseconds; a commit is due many times within it. */
const stillDisk = 100;
/** A disk that is so many times slower than usual leaves no capacity free. */
const slowDisk = 3;
/** In seconds. */
const stillMachine = 0.75;
const remembered = 5;
/** Between two refusals of the same trouble. */
const calm = 5;
const workedOff = 60;
/** Four a second. */
const calibratedBy = 80;
/** Beats whose median is the speed of the disk. */
const recent = 16;

/** What beats mean. Times are seconds of one clock. Pure but for what it remembers. */
export function rhythm(): Rhythm {
  let usual: number | undefined;
  /** Over some two seconds, and over three quarters of one. */
  let smooth: number | undefined;
  let quick: number | undefined;
  let last: number | undefined;
  let dip = Number.NEGATIVE_INFINITY;
  let excused = Number.NEGATIVE_INFINITY;
  const paces: number[] = [];
  const disks: number[] = [];
  let usualDisk = Number.NaN;
  let share = 1;
  const diskNow = () => (usual === undefined ? 1 : Math.max(1, median(disks.slice(-recent)) / usualDisk));
  const dipped = (at: number) => at - dip < remembered || at - (last ?? at) > stillMachine;
  return {
    beat({ work, disk, stolen }, at) {
      const pace = (1 - stolen) / Math.max(1, work);
      paces.push(pace);
      disks.push(disk);
      if (paces.length > calibratedBy) paces.shift();
      if (disks.length > calibratedBy) disks.shift();
      smooth ??= pace;
      quick = quick === undefined ? pace : quick + (pace - quick) * 0.35;
      const followed = Math.min(smooth, usual ?? smooth);
      if (quick < followed * (1 - spare) || disk > stillDisk || diskNow() > slowDisk || at - (last ?? at) > stillMachine) dip = at;
      smooth += (pace - smooth) * 0.12;
      last = at;
    },
    calibrate(busy) {
      usual = median(paces);
      usualDisk = median(disks);
      share = Math.min(1, busy);
    },
    speed: () => (usual === undefined || smooth === undefined ? 1 : 1 / ((share * usual) / smooth + (1 - share) * diskNow())),
    dipped,
    excuses(at) {
      const is = dipped(at) || (at - excused < calm && at - dip < workedOff);
      if (is) excused = at;
      return is;
    },
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
