/**
 * What official clients do while their person has paused them: they keep what they hold, open no browser, and go on when they are resumed. And that the SDK knows of a
 * pause, a reduction and an end when its cache time is over, and of a resumption at once.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AuthAgentClient, AuthenticationError } from 'auth-agent-mcp-sdk';
import { auditEvent } from '../../src/audit/event.ts';
import { all, openAgent, v2 } from './agents.ts';
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

test('[ACC-01] [ACC-02] [RS-20] the SDK honours pause, reduction and disconnection within the thirty seconds of its cache, and a resumption at once', async (t) => {
  const stand = await openStand(t);
  const files = await stand.files();
  const agent = openAgent(v2, { url: files.url, visit: stand.allow });
  await agent.connect();
  await agent.call('write_file', { name: 'a.txt', text: 'A' });
  await agent.close();
  const token = agent.kept.tokens?.access_token ?? '';
  const sdk = new AuthAgentClient({ ...files.options, cacheTtl: 30 });
  const { store, clock } = stand;
  const person = await personOf(stand);
  const [grant] = await store.listGrants({ userId: person }, clock.now());
  const grantId = grant?.id ?? '';
  const writes = async () => (await sdk.validateToken(token)).scopes.includes('files:write');
  const isRefused = () => assert.rejects(sdk.validateToken(token), AuthenticationError);

  assert.equal(await writes(), true);
  await store.pauseAgent(person, grantId, auditEvent('grant.paused', clock.now(), 'test'));
  clock.advance(29);
  assert.equal(await writes(), true, 'asked again sooner than it says');
  clock.advance(1);
  await isRefused();

  await store.resumeAgent(person, grantId, auditEvent('grant.resumed', clock.now(), 'test'));
  assert.equal(await writes(), true);
  await store.reduceAgent({ userId: person, grantId, remove: ['files:write'] }, auditEvent('grant.reduced', clock.now(), 'test'));
  clock.advance(30);
  assert.equal(await writes(), false);
  assert.ok((await sdk.validateToken(token)).scopes.includes('files:read'));

  await stand.disconnect();
  clock.advance(30);
  await isRefused();
});
