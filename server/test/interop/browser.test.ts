/** MCP clients that are web pages, such as the Inspector: everything they need crosses origins, and nothing else does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { all, openAgent, v2 } from './agents.ts';
import { fetchFrom } from './browser-fetch.ts';
import { openStand } from './stand.ts';

const inspector = 'http://localhost:6274';

for (const name of all) {
  test(`[CORS-01] [CORS-02] [CORS-03] [CORS-04] [CORS-08] ${name} in a web page finds its way, registers, calls and refreshes through preflights`, async (t) => {
    const stand = await openStand(t, { accessTokenSeconds: 60 });
    const { url } = await stand.files();
    const page = fetchFrom(inspector);
    const agent = openAgent(name, { url, visit: stand.allow, fetch: page.fetch });

    await agent.connect();
    await agent.call('list_files');
    stand.clock.advance(3600);
    await agent.close();
    await agent.connect();
    await agent.call('list_files');
    await agent.close();

    assert.equal(agent.visits.length, 1);
    assert.ok(page.preflights.includes('OPTIONS /mcp'));
    assert.ok(page.preflights.includes('OPTIONS /register'));
    assert.ok(page.preflights.includes('OPTIONS /.well-known/oauth-authorization-server'));
  });
}

test('[CORS-08] [RS-13] a web page can read the challenge of a 403', async (t) => {
  const stand = await openStand(t);
  const { url } = await stand.files();
  const agent = openAgent(v2, { url, visit: stand.allow, fetch: fetchFrom(inspector).fetch });
  t.after(agent.close);
  await agent.connect();

  assert.equal(await agent.call('write_file', { name: 'a.txt', text: 'A' }), 'Wrote a.txt');
  assert.equal(agent.visits.length, 2);
});

describe('what crosses no origin', () => {
  test('[CORS-09] the MCP server refuses a page of another site, with a good token and without', async (t) => {
    const stand = await openStand(t);
    const { url } = await stand.files();
    const agent = openAgent(v2, { url, visit: stand.allow });
    await agent.connect();
    await agent.close();
    const headers = { Origin: 'https://evil.example', Authorization: `Bearer ${agent.kept.tokens?.access_token}` };

    for (const method of ['OPTIONS', 'GET', 'POST', 'DELETE']) {
      const answer = await fetch(url, { method, headers });

      assert.equal(answer.status, 403, method);
      assert.equal(answer.headers.get('access-control-allow-origin'), null, method);
    }
  });

  test('[CORS-06] [CORS-07] the pages, introspection and the owners API answer no preflight', async (t) => {
    const stand = await openStand(t);
    const page = fetchFrom('https://app.example.com');

    for (const path of ['/authorize', '/login', '/consent', '/logout', '/account/agents', '/introspect', '/api/servers'])
      await assert.rejects(page.fetch(stand.issuer + path, { method: 'POST', headers: { Authorization: 'Bearer x' } }), TypeError, path);
  });
});
