/** What official clients do while their person has paused them: they keep what they hold, open no browser, and go on when they are resumed. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { all, openAgent } from './agents.ts';
import { openStand, type Stand } from './stand.ts';

async function personOf({ store }: Stand): Promise<string> {
  return (await store.listUsers())[0]?.id ?? '';
}

for (const name of all) {
  describe(name, () => {
    test('[ACC-01] keeps its tokens and its registration while it is paused, sends nobody to a browser, and goes on after it', async (t) => {
      const stand = await openStand(t);
      const { url } = await stand.files();
      const agent = openAgent(name, { url, visit: stand.allow });
      await agent.connect();
      const { client, tokens } = structuredClone(agent.kept);
      const person = await personOf(stand);
      await stand.store.pauseAllAgents(person, auditEvent('grant.paused', stand.clock.now(), 'test'));

      await assert.rejects(agent.call('list_files'), /paused this agent/);
      await agent.close();
      await assert.rejects(agent.connect(), /paused this agent/);
      assert.deepEqual([agent.kept.client, agent.kept.tokens], [client, tokens]);

      await stand.store.resumeAllAgents(person, auditEvent('grant.resumed', stand.clock.now(), 'test'));
      await agent.connect();
      assert.equal(await agent.call('list_files'), '');
      await agent.close();
      assert.equal(agent.visits.length, 1);
    });
  });
}
