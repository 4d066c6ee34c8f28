import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { d1Migrations } from './d1-migrations.ts';

const folder = new URL('../workers/migrations/', import.meta.url);

test('workers/migrations is what the migrations are: npm run schema:d1', async () => {
  const files = await d1Migrations();
  assert.deepEqual(readdirSync(folder).toSorted(), [...files.keys()].toSorted());
  for (const [name, text] of files) assert.equal(readFileSync(new URL(name, folder), 'utf8'), text, name);
});
