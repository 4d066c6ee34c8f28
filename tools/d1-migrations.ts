/**
 * `npm run schema:d1`: writes workers/migrations from the migrations, one file each, in the form that `wrangler d1 migrations apply` takes.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { migrationFiles } from '../server/src/storage/migrations/index.ts';

const folder = new URL('../workers/migrations/', import.meta.url);

export async function d1Migrations(): Promise<Map<string, string>> {
  const about = '-- Made by `npm run schema:d1`: do not edit.\n';
  return new Map((await migrationFiles('sqlite')).map(({ name, script }) => [`${name}.sql`, `${about}${script}\n`]));
}

if (import.meta.main) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of await d1Migrations()) writeFileSync(new URL(name, folder), text);
}
