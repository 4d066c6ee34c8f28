import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOptions, type ServerOptions } from './options.ts';

test('an embedder who leaves out driver and log, or gives another thing for a function, reads where to get them', () => {
  const given = { issuer: 'https://auth.example.com', secret: 'x'.repeat(43), sendMail: true } as unknown as ServerOptions;

  assert.throws(() => checkOptions(given), {
    name: 'TypeError',
    message: /"sendMail" must be a function; "driver" must be a storage driver, such as openDatabase\(\).*; "log" must be a log, such as nodeLog\(\)/,
  });
});
