import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountPage } from './account-page.ts';
import type { PageFrame } from './layout.ts';
import { wordsFor } from './words.ts';

const page: PageFrame = { ...wordsFor('en'), serviceName: 'ACME', host: 'auth.example.com', requestId: 'req_1', base: '' };
const values = { csrf: 'c', user: { name: 'Ada' }, agents: 0, usedToday: 0, allPaused: false, passkeys: 0, twoStep: false, sessions: 1 };

test('a card is called as the menu calls the page behind it', () => {
  const html = accountPage(page, values);
  const links = (within: RegExp) => [...html.matchAll(within)].map(([, href, name]) => `${href} ${name}`);

  const menu = links(/<li><a href="([^"]+)"[^>]*>([^<]+)</g);
  const cards = links(/<h2><a href="([^"]+)">([^<]+)</g);
  assert.deepEqual([menu.length, cards], [5, menu.slice(1)]);
});
