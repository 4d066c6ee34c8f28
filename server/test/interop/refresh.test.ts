/** Refresh as official clients do it: unattended, also when two processes share one file of credentials and both come at once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { all, openAgent } from './agents.ts';
import { openStand } from './stand.ts';

for (const name of all) {
  describe(name, () => {
    test('[RT-01] [RS-02] an expired token is refreshed without the person, as often as it expires', async (t) => {
      const stand = await openStand(t, { accessTokenSeconds: 60 });
      const { url } = await stand.files();
      const agent = openAgent(name, { url, visit: stand.allow });
      await agent.connect();
      const used = new Set([agent.kept.tokens?.refresh_token]);

      for (let day = 1; day <= 3; day++) {
        stand.clock.advance(86400);
        // The v1 client refreshes once in the life of a transport.
        await agent.close();
        await agent.connect();
        assert.equal(await agent.call('list_files'), '');
        used.add(agent.kept.tokens?.refresh_token);
      }

      await agent.close();
      assert.equal(agent.visits.length, 1);
      assert.equal(agent.log.filter((line) => line === 'POST /mcp 401').length, 4);
      assert.equal(used.size, 4);
    });

    test('[RT-03] [RT-09] two processes that refresh with the same token, one 20 seconds behind the other, both live on, now and after the next expiry', async (t) => {
      const stand = await openStand(t, { accessTokenSeconds: 60 });
      const { url } = await stand.files();
      let answered = Promise.withResolvers<void>();
      const first = openAgent(name, { url, visit: stand.allow, fetch: afterToken(() => answered.resolve()) });
      await first.connect();
      const late = beforeToken(async () => {
        await answered.promise;
        stand.clock.advance(20);
      });
      const second = openAgent(name, { url, visit: stand.allow, kept: structuredClone(first.kept), fetch: late });
      await second.connect();
      const both = [first, second];

      for (let round = 1; round <= 2; round++) {
        const before = first.kept.tokens?.refresh_token;
        assert.equal(second.kept.tokens?.refresh_token, before);
        answered = Promise.withResolvers();
        stand.clock.advance(3600);
        await Promise.all(both.map((agent) => agent.close()));
        await Promise.all(both.map((agent) => agent.connect()));
        const listed = await Promise.all(both.map((agent) => agent.call('list_files')));

        assert.deepEqual(listed, ['', '']);
        assert.equal(first.kept.tokens?.refresh_token, second.kept.tokens?.refresh_token);
        assert.notEqual(first.kept.tokens?.refresh_token, before);
      }

      await Promise.all(both.map((agent) => agent.close()));
      assert.equal(first.visits.length + second.visits.length, 1);
      assert.equal(second.log.filter((line) => line === 'POST /token 200').length, 2);
    });
  });
}

function isToken(input: string | URL | Request): boolean {
  return new URL(input instanceof Request ? input.url : input).pathname === '/token';
}

function afterToken(then: () => void): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (isToken(input)) then();
    return response;
  };
}

function beforeToken(wait: () => Promise<void>): typeof fetch {
  return async (input, init) => {
    if (isToken(input)) await wait();
    return fetch(input, init);
  };
}
