/** A tool that needs more than the token has: one 403 that names everything, one question to the person that asks for the addition only, and the call goes through. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import type { Page } from '../browser.ts';
import { all, openAgent, v1, v2 } from './agents.ts';
import { openStand, type Stand } from './stand.ts';

/** What the consent page asks for anew. */
function newScopes({ html }: Page): string[] {
  return [...html.matchAll(/<span class="tag">New<\/span><\/span> <code>([^<]+)<\/code>/g)].map(([, scope = '']) => scope);
}

/** A person who looks before they allow. */
function lookingPerson(stand: Stand): { asked: string[][]; visit(url: URL): Promise<URL> } {
  const asked: string[][] = [];
  return {
    asked,
    async visit(url) {
      const page = await stand.browser.open(url.href);
      if (!page.title.startsWith('Sign in')) asked.push(newScopes(page));
      return stand.allow(url);
    },
  };
}

for (const name of all.filter((one) => one !== v1)) {
  describe(name, () => {
    test('[RS-03] [RS-13] [RS-16] it steps up to write and again to delete; the person is asked for the addition only', async (t) => {
      const stand = await openStand(t);
      const person = lookingPerson(stand);
      const { url } = await stand.files();
      const agent = openAgent(name, { url, visit: person.visit });
      t.after(agent.close);
      await agent.connect();

      const wrote = await agent.call('write_file', { name: 'a.txt', text: 'A' });
      const read = await agent.call('read_file', { name: 'a.txt' });
      const deleted = await agent.call('delete_file', { name: 'a.txt' });
      const left = await agent.call('list_files');

      assert.deepEqual([wrote, read, deleted, left], ['Wrote a.txt', 'A', 'Deleted a.txt', '']);
      assert.deepEqual(person.asked, [['files:write'], ['files:delete']]);
      assert.equal(agent.log.filter((line) => line === 'POST /mcp 403').length, 2);
      assert.equal(agent.visits.length, 3);
      assert.equal(agent.log.filter((line) => line === 'POST /register 201').length, 1);
    });
  });
}

test('[RS-11] [RS-13] the v1 client refreshes where it should ask and gives up; its application asks for the scope of the challenge, which suffices', async (t) => {
  const stand = await openStand(t);
  const { url } = await stand.files();
  let callback: URL | undefined;
  const agent = openAgent(v1, {
    url,
    visit: async (authorizationUrl) => {
      callback = await stand.allow(authorizationUrl);
      return callback;
    },
  });
  t.after(agent.close);
  await agent.connect();

  await assert.rejects(agent.call('write_file', { name: 'a.txt', text: 'A' }), /403/);
  const visits = agent.visits.length;
  await agent.provider.invalidateCredentials?.('tokens');
  await auth(agent.provider, { serverUrl: url, scope: 'files:write' });
  await auth(agent.provider, { serverUrl: url, authorizationCode: callback?.searchParams.get('code') ?? '' });
  const wrote = await agent.call('write_file', { name: 'a.txt', text: 'A' });

  assert.equal(visits, 1);
  assert.equal(agent.visits.length, 2);
  assert.equal(wrote, 'Wrote a.txt');
  assert.equal(await agent.call('list_files'), 'a.txt');
});

test('[RS-03] a person who keeps it as it is leaves the agent what it had', async (t) => {
  const stand = await openStand(t);
  const { url } = await stand.files();
  let visit = stand.allow;
  const agent = openAgent(v2, { url, visit: (authorizationUrl) => visit(authorizationUrl) });
  t.after(agent.close);
  await agent.connect();
  visit = stand.deny;

  await assert.rejects(agent.call('write_file', { name: 'a.txt', text: 'A' }), { code: 'access_denied' });

  assert.equal(await agent.call('list_files'), '');
});
