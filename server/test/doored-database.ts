/**
 * A database with a door: open, shut, so that whoever comes waits in front of it, or away. So a test has as many requests in hand as it wants, by construction.
 */
import { type Driver, StorageUnavailable } from '../src/storage/driver.ts';
import { testDatabase } from './database.ts';

export type DooredDatabase = {
  driver: Driver;
  shut(): void;
  open(): void;
  away(): void;
  back(): void /** How many stand in front of the door. */;
  waiting(): number;
};

export async function dooredDatabase(): Promise<DooredDatabase> {
  const { driver } = await testDatabase();
  let door: Promise<void> | undefined;
  let unlock = () => {};
  let gone = false;
  let waiting = 0;
  const pass = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    if (gone) throw new StorageUnavailable('canary: the database is away');
    if (door !== undefined) {
      waiting += 1;
      await door;
      waiting -= 1;
    }
    return act();
  };
  return {
    driver: { ...driver, read: (statement) => pass(() => driver.read(statement)), write: (statements, haste) => pass(() => driver.write(statements, haste)) },
    shut: () => {
      door = new Promise((resolve) => {
        unlock = resolve;
      });
    },
    open: () => {
      unlock();
      door = undefined;
    },
    away: () => {
      gone = true;
    },
    back: () => {
      gone = false;
    },
    waiting: () => waiting,
  };
}
