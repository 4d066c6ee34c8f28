/**
 * Facts about the database as a whole. The table is made together with the list of migrations, so a database without it simply knows no facts yet.
 */
import { type Driver, SchemaMissing, sql } from '../driver.ts';
import { optionalText } from '../row.ts';
import type { Storage } from '../store.ts';

const find = sql<{ name: string }>`select value from facts where name = ${'name'}`;
const save = sql<{ name: string; value: string }>`insert into facts (name, value) values (${'name'}, ${'value'})
  on conflict (name) do update set value = excluded.value`;

export function factsTable(driver: Driver): Pick<Storage, 'fact' | 'setFact'> {
  return {
    async fact(name) {
      try {
        const [row] = await driver.read(find({ name }));
        return optionalText(row?.value);
      } catch (error) {
        if (error instanceof SchemaMissing) return undefined;
        throw error;
      }
    },
    async setFact(name, value) {
      await driver.write([save({ name, value })]);
    },
  };
}
