/**
 * The demo data of development mode (contracts §3): every placeholder of the documentation, made real on this machine. Secrets here are known to the world;
 * the production start refuses a database that holds them.
 */
import { auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import { hashPassword } from '../crypto/password.ts';
import { deviceCodeGrant } from '../rules/device-grant.ts';
import type { Client, ClientMetadata, McpServer, ServerScope } from '../storage/store.ts';

export const demoUser = { id: 'usr_demo_testuser', username: 'testuser', password: 'testpass', email: 'testuser@example.com', name: 'Test User' } as const;

/** Where the code goes that a client asked to see on a page (`urn:ietf:wg:oauth:2.0:oob`). */
export const codePagePath = '/dev/code';
export const outOfBand = 'urn:ietf:wg:oauth:2.0:oob';

/** The id of the key of srv_abc123, which development mode takes for the key. */
export const demoKeyId = 'sk_xyz789';

export const demoSecrets: Record<string, string> = {
  'mcp-test-client': 'mcp-test-secret',
  'mcp-task-manager': 'mcp-secret-12345',
  'ai-agent-assistant': 'agent-secret-67890',
};

const fileScopes: ServerScope[] = [
  { name: 'files:read', description: 'List and read your files', group: 'see' },
  { name: 'files:write', description: 'Create and edit files', group: 'change', optional: true },
  { name: 'files:delete', description: "Delete files. Can't be undone", group: 'delete', optional: true },
  { name: 'db:read', description: 'Read the database', group: 'see' },
  { name: 'db:write', description: 'Change the database', group: 'change', optional: true },
  { name: 'admin:all', description: 'Do anything an administrator can', group: 'admin', optional: true },
];
const taskScopes: ServerScope[] = [
  { name: 'tasks:read', description: 'See your tasks', group: 'see' },
  { name: 'tasks:write', description: 'Create and change tasks', group: 'change' },
  { name: 'user:read', description: 'See your profile', group: 'see' },
  { name: 'user:write', description: 'Change your profile', group: 'change' },
];
const noteScopes: ServerScope[] = [
  { name: 'mcp:read', description: 'Read your notes and profile', group: 'see' },
  { name: 'mcp:write', description: 'Write notes', group: 'change' },
];

const servers = [
  { id: 'srv_abc123', resource: 'https://your-mcp-server.com', name: 'My File Server', scopes: fileScopes },
  { id: 'srv_tasks', resource: 'http://localhost:4001', name: 'Task Manager', scopes: taskScopes },
  { id: 'srv_notes', resource: 'http://localhost:8001/mcp', name: 'Secure Notes', scopes: noteScopes },
];
export const demoServerIds = servers.map((server) => server.id);

type DemoClient = { id: string; defaultResource?: string; metadata: Partial<ClientMetadata> };
const machine = (clientName: string): Partial<ClientMetadata> => ({
  clientName,
  grantTypes: ['client_credentials'],
  tokenEndpointAuthMethod: 'client_secret_basic',
  scope: 'tasks:read tasks:write user:read user:write',
});
/** Clients with a user may sign in on a page, or on a device without one. */
const personalGrants = ['authorization_code', 'refresh_token', deviceCodeGrant];
const demoClients = (issuer: string): DemoClient[] => [
  {
    id: 'client_claude_code',
    metadata: {
      clientName: 'Claude Code',
      redirectUris: ['http://localhost:3000/callback', 'http://localhost/callback', 'http://127.0.0.1/callback'],
      grantTypes: personalGrants,
      tokenEndpointAuthMethod: 'none',
    },
  },
  {
    id: 'mcp-test-client',
    defaultResource: 'http://localhost:8001/mcp',
    metadata: {
      clientName: 'MCP Test Client',
      redirectUris: ['http://localhost:3000/callback', issuer + codePagePath],
      grantTypes: personalGrants,
      tokenEndpointAuthMethod: 'client_secret_basic',
      scope: 'mcp:read mcp:write',
    },
  },
  { id: 'mcp-task-manager', defaultResource: 'http://localhost:4001', metadata: machine('MCP Task Manager') },
  { id: 'ai-agent-assistant', defaultResource: 'http://localhost:4001', metadata: machine('AI Agent Assistant') },
];

/** Puts the demo data into an empty database; what is there already stays as it is. */
export async function seed(context: Context): Promise<void> {
  const { store, now } = context;
  if (await store.findUserByLogin(demoUser.username)) return;
  const event = (type: 'user.added' | 'server.added' | 'client.registered') => auditEvent(type, now(), 'system');
  const { password, ...person } = demoUser;
  const passwordHash = await hashPassword(password);
  for (const server of servers) {
    const added: McpServer = { ...server, ownerId: demoUser.id, serverUrl: server.resource, createdAt: now(), updatedAt: now() };
    await store.addServer(added, event('server.added'));
  }
  for (const client of demoClients(context.issuer)) await store.addClient(demoClient(client, context), event('client.registered'));
  // Last: its presence says that the seed is whole.
  await store.addUser({ ...person, role: 'owner', createdAt: now(), passwordHash }, event('user.added'));
}

function demoClient({ id, defaultResource, metadata }: DemoClient, context: Context): Client {
  const secret = demoSecrets[id];
  return {
    id,
    registration: 'demo',
    defaultResource,
    metadata: { redirectUris: [], grantTypes: ['authorization_code', 'refresh_token'], responseTypes: ['code'], tokenEndpointAuthMethod: 'none', ...metadata },
    secretHash: secret === undefined ? undefined : context.instance.mac('client-secret', id, secret),
    createdAt: context.now(),
    lastUsedAt: context.now(),
  };
}
