import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activityPage } from './activity-page.ts';
import type { PageFrame } from './layout.ts';
import { wordsFor } from './words.ts';

const client = { name: 'Claude Code', tier: 'approved' } as const;
const values = { csrf: 'c', user: { name: 'Ada' }, more: false, agents: [], chosen: {}, silent: [], keptDays: 30, query: '', passwords: true };
const at = 1_800_000_000;

test('when something happened is said in the order of the language, by 24 hours as on every other page', () => {
  const said = (language: string, until = at) => {
    const page: PageFrame = { ...wordsFor(language), serviceName: 'ACME', host: 'auth.example.com', requestId: 'req_1', base: '' };
    const run = { kind: 'run', client, serverName: 'Files', grantId: 'grant_1', at, until, actions: [] } as const;
    return activityPage(page, { ...values, entries: [run] }).match(/<p class="muted"><bdi>([^<]+)<\/bdi>/)?.[1];
  };

  assert.equal(said('en'), 'Jan 15, 2027, 08:00');
  assert.match(said('en', at + 600) ?? '', /^Jan 15, 2027, 08:00\s–\s08:10$/);
  assert.match(said('ar') ?? '', /،/);
});
