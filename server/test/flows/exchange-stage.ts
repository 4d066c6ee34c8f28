/**
 * The stage for stories about token exchange: Ada's agent is connected to Files; Files calls Notes, and Notes calls Archive, each as a client that speaks for it.
 */
import type { ServerOptions } from '../../src/options.ts';
import type { Client, McpServer } from '../../src/storage/store.ts';
import { basic, type Json, type Stage as TokenStage, stage as tokenStage } from './token-stage.ts';

export const secret = 'cs_secret';
export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

export type Exchanged = { access_token: string; issued_token_type: string; token_type: string; expires_in: number; scope: string };
export type Stage = TokenStage & {
  notes: McpServer;
  archive: McpServer;
  /** Speaks for the MCP server of the stage, which is Files. */
  filesClient: Client;
  notesClient: Client;
  archiveClient: Client;
  /** The person allows a client a resource, as at /authorize. Resolves to the grant. */
  allow(client: Client, server: McpServer, scope: string[]): Promise<string>;
  /** An access token of the agent for Files. */
  agentToken(scope?: string[]): Promise<string>;
  /** POST /token as a client that speaks for a server; `more` overrides. */
  exchange(client: Client, subject: string, more?: Record<string, string>): Promise<Response>;
  /** The same, which must succeed. */
  exchanged(client: Client, subject: string, more?: Record<string, string>): Promise<Exchanged>;
  /** Asks with a key of any server. */
  asked(server: McpServer, token: string): Promise<Json>;
};

export const filesScope = ['files:read', 'notes:read', 'notes:write', 'archive:read'];

export async function stage(overrides: Partial<ServerOptions> = {}): Promise<Stage> {
  const scene = await tokenStage(overrides);
  const { mcp, client } = scene;
  await scene.store.updateServer({ ...mcp, scopes: [...filesScope, 'files:write'].map((name) => ({ name })) }, event(scene));
  const notes = await scene.addServer({
    resource: 'https://notes.example.com/mcp',
    name: 'Notes',
    scopes: ['notes:read', 'notes:write', 'notes:delete', 'archive:read'].map((name) => ({ name })),
  });
  const archive = await scene.addServer({ resource: 'https://archive.example.com', name: 'Archive', scopes: [{ name: 'archive:read' }] });
  const speaker = (id: string, clientName: string, server: McpServer) =>
    scene.addClient({
      id,
      secret,
      serverId: server.id,
      metadata: { clientName, grantTypes: [exchangeGrant], redirectUris: [`https://${id}.example.com/cb`] },
    });
  const keys = new Map<string, Promise<{ secret: string }>>();

  const self: Stage = {
    ...scene,
    notes,
    archive,
    filesClient: await speaker('files-service', 'Files service', mcp),
    notesClient: await speaker('notes-service', 'Notes service', notes),
    archiveClient: await speaker('archive-service', 'Archive service', archive),
    async allow(allowed, server, scope) {
      // Of two approvals the later one counts, so they are made at two times.
      scene.clock.advance(1);
      return (await scene.code({ client: allowed, resource: server.resource, scope })).grant.id;
    },
    agentToken: async (scope = filesScope) => (await scene.tokens({ client, scope })).access_token,
    exchange: (actor, subject, more = {}) =>
      scene.post(
        '/token',
        { grant_type: exchangeGrant, subject_token: subject, subject_token_type: accessTokenType, resource: notes.resource, ...more },
        basic(actor.id, secret),
      ),
    async exchanged(actor, subject, more) {
      const response = await self.exchange(actor, subject, more);
      if (response.status !== 200) throw new Error(await response.text());
      return (await response.json()) as Exchanged;
    },
    async asked(server, token) {
      const key = keys.get(server.id) ?? scene.keyOf(server);
      keys.set(server.id, key);
      const response = await scene.post('/introspect', { token }, { Authorization: `Bearer ${(await key).secret}` });
      return (await response.json()) as Json;
    },
  };
  return self;
}

function event({ clock }: TokenStage) {
  return { id: 'evt_stage', at: clock.now(), type: 'server.updated' as const, actor: 'test' };
}
