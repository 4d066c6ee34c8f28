import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOptions } from '../options.ts';
import { openNodeSqlite } from '../storage/drivers/node-sqlite.ts';
import { settings } from './settings.ts';

test('what --help says of a setting names its default', async () => {
  const driver = openNodeSqlite(':memory:');
  const log = { info() {}, warn() {}, error() {} };
  const options: unknown = checkOptions({ issuer: 'https://auth.example.com', secret: 'x'.repeat(32), driver, log });
  await driver.close();

  for (const { name, option, about } of settings.filter((setting) => setting.option !== undefined && !setting.secret && setting.name !== 'issuer')) {
    const value = option?.split('.').reduce((part: unknown, step) => (part as Record<string, unknown>)[step], options);
    // Nothing, or off, needs no words.
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue;
    assert.ok(about.includes(`(${String(value)})`), `${name} is ${String(value)} by default: ${about}`);
  }
});
