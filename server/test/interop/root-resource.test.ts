/** An MCP server at a bare origin has two spellings, with and without the slash. Whichever its operator or a client uses, it is one resource. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { AuthAgentClient, AuthenticationError, type ProtectOptions, protect, toAuthInfo } from 'auth-agent-mcp-sdk';
import { decodeJwt } from '../../src/crypto/jwt.ts';
import { all, openAgent, v2 } from './agents.ts';
import { openStand } from './stand.ts';

/** An MCP server that tells who calls, behind `protect`. */
function whoAmI(options: ProtectOptions): (request: Request) => Promise<Response> {
  const mcp = createMcpHandler(({ authInfo }) => {
    const server = new McpServer({ name: 'who', version: '0.1.0' });
    server.registerTool('who_am_i', {}, () => ({ content: [{ type: 'text', text: JSON.stringify({ ...authInfo, extra: undefined }) }] }));
    return server;
  });
  return protect(options, (request, auth) => mcp.fetch(request, { authInfo: toAuthInfo(auth) }));
}

for (const name of all) {
  describe(name, () => {
    for (const slash of ['', '/']) {
      test(`[PRM-01] [PRM-04] [AZ-17] [RS-08] [D3] it gets in when the server calls itself http://host${slash}`, async (t) => {
        const stand = await openStand(t);
        const { url, row } = await stand.serve('/', (options, { origin }) => whoAmI({ ...options, resource: origin + slash, requiredScopes: ['files:read'] }));
        const agent = openAgent(name, { url, visit: stand.allow });
        t.after(agent.close);

        await agent.connect();
        const me = JSON.parse(await agent.call('who_am_i')) as { token: string; scopes: string[]; expiresAt: number };

        const token = agent.kept.tokens?.access_token ?? '';
        assert.equal(agent.visits[0]?.searchParams.get('resource'), url.origin + slash);
        assert.equal(decodeJwt(token)?.claims['aud'], url.origin);
        assert.equal(row.resource, url.origin);
        assert.ok(agent.log.includes('GET /.well-known/oauth-protected-resource 200'));
        assert.deepEqual(me.scopes.includes('files:read') && me.expiresAt > stand.clock.now(), true);
        assert.ok(!me.token.includes('.'), 'a tool gets the hash of the token, not the token');
      });
    }
  });
}

test('[RS-08] [JWT-03] a token for one MCP server is worth nothing at another of the same authorization server', async (t) => {
  const stand = await openStand(t);
  const here = await stand.files();
  const there = await stand.serve('/', (options) => whoAmI({ ...options, log: () => {} }));
  const agent = openAgent(v2, { url: here.url, visit: stand.allow });
  await agent.connect();
  await agent.close();

  const token = agent.kept.tokens?.access_token ?? '';
  const refused = await fetch(there.url, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
  const local = new AuthAgentClient({ ...there.options, verify: 'local', log: () => {} });

  assert.equal(refused.status, 401);
  await assert.rejects(local.validateToken(token), AuthenticationError);
  assert.match(refused.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
});
