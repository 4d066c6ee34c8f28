/**
 * Schemas of their own in one Postgres database, for tests that need many empty ones: a schema costs a hundredth of a database.
 */
import { randomWord } from '../../crypto/random.ts';
import { openPostgres } from '../drivers/postgres.ts';

/** Makes an empty schema; resolves to the address under which it is all there is. Without `durable` commits do not wait for the disk: where nothing is crashed, nothing shows it. */
export async function ownSchema(url: string, { durable = true }: { durable?: boolean } = {}): Promise<string> {
  const name = `test_${randomWord(12).toLowerCase()}`;
  const admin = openPostgres(url, { max: 1 });
  await admin.write([{ text: `create schema ${name}`, values: [] }]);
  await admin.close();
  const own = new URL(url);
  own.searchParams.set('options', `-c search_path=${name}${durable ? '' : ' -c synchronous_commit=off'}`);
  return own.href;
}
