/** Official MCP clients, unmodified, meet the example: they find the way by themselves, however they register, and step up when a tool asks for more. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeJwt } from '../../src/crypto/jwt.ts';
import { all, openAgent } from './agents.ts';
import { openStand } from './stand.ts';

const documentUrl = 'https://agent.example.net/oauth/client.json';
const clientDocument = {
  client_id: documentUrl,
  client_name: 'Interop',
  client_uri: 'https://agent.example.net',
  redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

for (const name of all) {
  describe(name, () => {
    test('[META-01] [PRM-06] [DCR-02] [AZ-07] [JWT-03] [RS-01] [RS-12] knowing only an address, it is told 401, registers, and its person signs in', async (t) => {
      const stand = await openStand(t);
      const { url, row } = await stand.files();
      const agent = openAgent(name, { url, visit: stand.allow });
      t.after(agent.close);

      await agent.connect();
      const listed = await agent.call('list_files');

      const [visit] = agent.visits;
      const claims = decodeJwt(agent.kept.tokens?.access_token ?? '')?.claims;
      assert.equal(listed, '');
      assert.equal(agent.protocolVersion(), name.includes('2026') ? '2026-07-28' : '2025-11-25');
      assert.equal(agent.log[0], 'POST /mcp 401');
      assert.equal(agent.log.filter((line) => line === 'POST /register 201').length, 1);
      assert.equal(visit?.searchParams.get('resource'), row.resource);
      assert.equal(visit?.searchParams.get('code_challenge_method'), 'S256');
      assert.match(visit?.searchParams.get('scope') ?? '', /^files:read\b/);
      assert.equal(claims?.['aud'], row.resource);
      assert.match(String(claims?.['client_id']), /^client_/);
      assert.ok(agent.kept.tokens?.refresh_token);
    });

    test('[CIMD-01] [CIMD-10] [META-10] a client with a metadata document registers nowhere: its id is the address of the document', async (t) => {
      const fetched: string[] = [];
      const stand = await openStand(t, {
        fetchDocument: async (address) => {
          fetched.push(address);
          return { status: 200, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(JSON.stringify(clientDocument)) };
        },
      });
      const { url } = await stand.files();
      const agent = openAgent(name, { url, visit: stand.allow, clientMetadataUrl: documentUrl });
      t.after(agent.close);

      await agent.connect();
      await agent.call('list_files');

      assert.equal(decodeJwt(agent.kept.tokens?.access_token ?? '')?.claims['client_id'], documentUrl);
      assert.deepEqual(fetched, [documentUrl]);
      assert.ok(!agent.log.some((line) => line.includes('/register')));
    });

    test('[AZ-32] a person who says no is an error the client understands, and nothing was let in', async (t) => {
      const stand = await openStand(t);
      const { url } = await stand.files();
      const agent = openAgent(name, { url, visit: stand.deny });

      await assert.rejects(agent.connect());

      assert.equal(agent.visits.length, 1);
      assert.equal(agent.kept.tokens, undefined);
    });
  });
}
