/**
 * An MCP server that calls another MCP server for the person whose agent called it: two guarded servers, the official client on both legs, and the person's
 * word in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { type AuthContext, protect, requireActor, toAuthInfo } from 'auth-agent-mcp-sdk';
import { TokenRequestRefused, tokenExchange } from 'auth-agent-mcp-sdk/agent';
import { exchangeGrant } from '../flows/exchange-stage.ts';
import { pkce } from '../harness.ts';
import { openAgent, v2 } from './agents.ts';
import { openStand, type Registered, type Stand } from './stand.ts';

const client = { clientId: 'reports-service', clientSecret: 'cs_secret' };

/** Tells whose notes it would read and who asks; only Reports may ask. */
function notesServer(stand: Stand, seen: (string | null)[]): Promise<Registered> {
  return stand.serve('/mcp', (options) => {
    const mcp = createMcpHandler(() => {
      const server = new McpServer({ name: 'notes', version: '1.0.0' });
      server.registerTool('read_notes', { description: 'Reads the notes' }, (ctx) => {
        const user = ctx.http?.authInfo?.extra?.user as AuthContext;
        requireActor(user, client.clientId);
        return { content: [{ type: 'text', text: `notes of ${user.email}, asked by ${user.actors?.join(' for ')}` }] };
      });
      return server;
    });
    return protect({ ...options, requiredScopes: ['files:read'], maxActors: 2 }, (request, auth) => {
      seen.push(request.headers.get('authorization'));
      return mcp.fetch(request, { authInfo: toAuthInfo(auth) });
    });
  });
}

/** Its one tool calls the other server; `inbound` collects what came in. */
function reportsServer(stand: Stand, notes: Registered, inbound: (string | null)[]): Promise<Registered> {
  const onward = tokenExchange({ ...client, issuer: stand.issuer, now: stand.clock.now });
  const callNotes = async (user: AuthContext): Promise<string> => {
    const there = onward.onBehalfOf(user, notes.row.resource, ['files:read']);
    const caller = new Client({ name: 'reports', version: '1.0.0' });
    try {
      await caller.connect(new StreamableHTTPClientTransport(notes.url, { fetch: there.fetch }));
      const { content } = await caller.callTool({ name: 'read_notes', arguments: {} });
      return (content as { text: string }[])[0]?.text ?? '';
    } catch (error) {
      if (error instanceof TokenRequestRefused) return `refused: ${error.code}`;
      throw error;
    } finally {
      await caller.close();
    }
  };
  return stand.serve('/mcp', (options) => {
    const mcp = createMcpHandler(() => {
      const server = new McpServer({ name: 'reports', version: '1.0.0' });
      server.registerTool('report', { description: 'Makes a report' }, async (ctx) => {
        const text = await callNotes(ctx.http?.authInfo?.extra?.user as AuthContext);
        return { content: [{ type: 'text', text }] };
      });
      return server;
    });
    return protect({ ...options, requiredScopes: ['files:read'] }, (request, auth) => {
      inbound.push(request.headers.get('authorization'));
      return mcp.fetch(request, { authInfo: toAuthInfo(auth) });
    });
  });
}

test('[TEX-05] [TEX-06] [TEX-08] [RS-09] one MCP server calls another for the person, with their word, in sight, and no longer than they want', async (t) => {
  const stand = await openStand(t);
  const [inbound, seen]: [(string | null)[], (string | null)[]] = [[], []];
  const notes = await notesServer(stand, seen);
  const reports = await reportsServer(stand, notes, inbound);
  const redirectUri = 'https://reports.example.com/approved';
  const metadata = { clientName: 'Reports', grantTypes: [exchangeGrant], redirectUris: [redirectUri] };
  await stand.addClient({ id: client.clientId, secret: client.clientSecret, serverId: reports.row.id, metadata });
  const agent = openAgent(v2, { url: reports.url, visit: stand.allow });
  t.after(agent.close);
  await agent.connect();

  const before = await agent.call('report', {});
  const approval = { response_type: 'code', client_id: client.clientId, redirect_uri: redirectUri, resource: notes.row.resource, scope: 'files:read' };
  const proof = { code_challenge: pkce.challenge, code_challenge_method: 'S256' };
  await stand.allow(new URL(`${stand.issuer}/authorize?${new URLSearchParams({ ...approval, ...proof })}`));
  const after = await agent.call('report', {});

  assert.equal(before, 'refused: delegation_not_approved');
  const [dynamic] = (await stand.store.listClients()).filter(({ registration }) => registration === 'dynamic');
  assert.equal(after, `notes of ada@example.com, asked by reports-service for ${dynamic?.id}`);

  // What came in never went on, and would have been worth nothing there.
  const passes = inbound.filter((one) => one !== null);
  assert.ok(seen.length > 0 && seen.every((one) => one !== null && !passes.includes(one)));
  const passedOn = await fetch(notes.url, { method: 'POST', headers: { Authorization: passes[0] ?? '' } });
  assert.equal(passedOn.status, 401);
  assert.match(notes.said.splice(0).join(), /^auth-agent: a token is for "[^"]+", this server is \S+\. If both/);

  const page = await stand.browser.open(`${stand.issuer}/account/agents`);
  assert.match(page.html, /Only through/);
  const approved = (await stand.store.listGrants({ clientId: client.clientId }, stand.clock.now())).map(({ id }) => id);
  const form = page.forms.find(({ fields }) => fields.some(({ value }) => approved.includes(value)));
  assert.ok(form);
  await stand.browser.submit({ ...page, forms: [form] });
  assert.equal(await agent.call('report', {}), 'refused: delegation_not_approved');
});
