/**
 * An open loop: lives of agents and machines begin when it is their time, whatever became of those before. First a closed loop finds out how many a second
 * the nodes can serve. Not here: what a life is (../load.ts).
 */
import { browserOf, Refused, type World } from '../callers.ts';
import { agentLife, bewildered, machineLife } from '../load.ts';

export type Cookie = { name: string; value: string };
export type Pace = {
  /** Keeps so many lives going at once, for so long. Resolves to the lives that ended each second of the second half, when code is compiled and caches are full. */
  capacity(lives: number, milliseconds: number): Promise<number>;
  /** Begins so many lives a second, which may change, for so long; those that are left are waited for. */
  keep(perSecond: () => number, milliseconds: number): Promise<void>;
  /** Lives that nobody would serve and that gave up. */
  gaveUp(): number;
};

/** One life in so many is an agent's with a person; the others are machines'. */
const agentEach = 3;
const tickMilliseconds = 5;

export function paceOf(world: World, people: readonly Cookie[]): Pace {
  let [begun, ended, gaveUp] = [0, 0, 0];
  const live = async () => {
    const index = begun++;
    const cookie = people[index % people.length] as Cookie;
    try {
      await (index % agentEach === 0 ? agentLife(world, browserOf(world, cookie), () => false) : machineLife(world));
      ended += 1;
    } catch (error) {
      if (error instanceof Refused && world.overloaded?.()) gaveUp += 1;
      else bewildered(world, error);
    }
  };
  return {
    async capacity(lives, milliseconds) {
      const until = performance.now() + milliseconds;
      let counted = 0;
      const half = setTimeout(() => {
        counted = ended;
      }, milliseconds / 2);
      const loop = async () => {
        while (performance.now() < until) await live();
      };
      const all = Promise.all(Array.from({ length: lives }, loop));
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      const perSecond = (ended - counted) / (milliseconds / 2000);
      clearTimeout(half);
      await all;
      return perSecond;
    },
    async keep(perSecond, milliseconds) {
      const began = performance.now();
      const under = new Set<Promise<void>>();
      let looked = began;
      let due = 0;
      while (looked - began < milliseconds) {
        const now = performance.now();
        due += ((now - looked) / 1000) * perSecond();
        looked = now;
        for (; due >= 1; due--) {
          const one = live().finally(() => under.delete(one));
          under.add(one);
        }
        await new Promise((resolve) => setTimeout(resolve, tickMilliseconds));
      }
      await Promise.all(under);
    },
    gaveUp: () => gaveUp,
  };
}
