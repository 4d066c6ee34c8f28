/** When access or the registration ends, official clients find their own way back: to the person, or to a new registration. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { decodeJwt } from '../../src/crypto/jwt.ts';
import { all, openAgent } from './agents.ts';
import { openStand } from './stand.ts';

/** The v2 client says on the console why it lets go of credentials. */
function hearWarnings(t: TestContext): string[] {
  const heard: string[] = [];
  t.mock.method(console, 'warn', (text: string) => void heard.push(text));
  return heard;
}

for (const name of all) {
  describe(name, () => {
    test('[CON-07] [RS-02] [RT-07] after Disconnect its next call is told 401, its refresh token is worth nothing, and it asks the person again', async (t) => {
      const warnings = hearWarnings(t);
      const stand = await openStand(t);
      const { url } = await stand.files();
      const agent = openAgent(name, { url, visit: stand.allow });
      t.after(agent.close);
      await agent.connect();
      await agent.call('list_files');
      agent.log.length = 0;

      await stand.disconnect();
      await agent.close();
      await agent.connect();
      await agent.call('list_files');

      assert.deepEqual(agent.log.slice(0, 1), ['POST /mcp 401']);
      assert.ok(agent.log.includes('POST /token 400'));
      assert.equal(agent.visits.length, 2);
      assert.ok(!agent.log.some((line) => line.includes('/register')));
      for (const warning of warnings) assert.match(warning, /"invalid_grant"/);
    });

    test('[CA-12] [D18] a registration that is gone is invalid_client, and it registers again unattended', async (t) => {
      const warnings = hearWarnings(t);
      const stand = await openStand(t);
      const { url } = await stand.files();
      const agent = openAgent(name, { url, visit: stand.allow });
      t.after(agent.close);
      await agent.connect();
      const before = agent.kept.client?.client_id ?? '';
      agent.log.length = 0;

      await stand.store.removeClient(before, auditEvent('client.removed', stand.clock.now(), 'test'));
      await agent.close();
      await agent.connect();
      await agent.call('list_files');

      const after = agent.kept.client?.client_id;
      assert.deepEqual(
        agent.log.filter((line) => /token|register/.test(line)),
        ['POST /token 401', 'POST /register 201', 'POST /token 200'],
      );
      assert.notEqual(after, before);
      assert.equal(decodeJwt(agent.kept.tokens?.access_token ?? '')?.claims['client_id'], after);
      for (const warning of warnings) assert.match(warning, /"invalid_client"/);
    });
  });
}
