import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as imported from './assets.ts';
import * as bound from './bound-assets.ts';
import { OAuthError } from './errors.ts';

const unreachable = 'unreachable';
/** The files as they are, but for those that fail. */
function assetsBut(failing: readonly string[], asked: string[] = []): bound.AssetsBinding {
  return {
    fetch: async (address) => {
      const path = new URL(address).pathname;
      asked.push(path);
      if (failing.includes(unreachable)) throw new TypeError('unreachable');
      return failing.includes(path) ? new Response('no', { status: 404 }) : new Response(readFileSync(new URL(`assets${path}`, import.meta.url)));
    },
  };
}

test('what is imported elsewhere has its place here, and once it is read it is the same', async () => {
  for (const name of Object.keys(imported)) assert.ok(name in bound, name);

  bound.bindAssets(assetsBut(['/messages/ja.json']));
  await assert.rejects(bound.readTranslations(), /messages\/ja\.json was answered with 404/);
  assert.deepEqual(Object.keys(bound.translations).sort(), ['ar', 'de', 'es', 'fr', 'pt-BR', 'zh-Hans']);
  const asked: string[] = [];
  bound.bindAssets(assetsBut([], asked));
  await bound.readTranslations();
  await bound.readTranslations();

  assert.deepEqual(asked, ['/messages/ja.json']);
  assert.deepEqual(bound.translations, imported.translations);
});

test('without the filter of common passwords it is 503 with Retry-After; the next who asks may have it', async () => {
  for (const failing of ['/common-passwords.json', unreachable]) {
    bound.bindAssets(assetsBut([failing]));
    await assert.rejects(bound.commonPasswords(), (error) => error instanceof OAuthError && error.status === 503 && error.headers['Retry-After'] === '5');
  }

  bound.bindAssets(assetsBut([]));
  assert.deepEqual(await bound.commonPasswords(), await imported.commonPasswords());
});
