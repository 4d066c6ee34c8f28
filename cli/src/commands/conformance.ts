/** `auth-agent conformance <url>`: the client that the public MCP conformance suite drives. It follows the authorization redirect itself; nobody is asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineCredentials } from '../client/machine-sign-in.ts';
import type { Reception } from '../client/reception.ts';
import { openStore } from '../client/store.ts';
import type { Command } from '../command.ts';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';

export const conformance: Command = {
  name: 'conformance',
  hidden: true,
  about: 'be the client of the public conformance suite',
  usage: '<url>',
  examples: ['auth-agent conformance http://localhost:4001/mcp'],
  run: async ({ args: [address = ''], terminal: { env } }) => {
    // Loaded here: the official client takes longer to load than most commands take to run.
    const [{ openSession }, { connectHttp }] = await Promise.all([import('../client/session.ts'), import('../client/connection.ts')]);
    const url = new URL(address);
    const folder = mkdtempSync(join(tmpdir(), 'auth-agent-conformance-'));
    const modern = env.MCP_CONFORMANCE_PROTOCOL_VERSION === '2026-07-28';
    const context = JSON.parse(env.MCP_CONFORMANCE_CONTEXT ?? '{}') as Context;
    const machine = machineOf(context, env.MCP_CONFORMANCE_SCENARIO ?? '');
    try {
      const session = openSession(url, {
        store: openStore({ AUTH_AGENT_CLIENT_STORE: join(folder, 'credentials.json') }),
        openReception: async () => redirectFollower(),
        machine,
        configured:
          context.client_id === undefined || machine ? undefined : { clientId: context.client_id, clientSecret: context.client_secret, issuer: context.issuer },
        documentUrl: 'https://conformance-test.local/client-metadata.json',
        allowLegacy: !modern,
        mayAsk: true,
        tell: () => {},
        now: () => Math.floor(Date.now() / 1000),
      });
      const connection = await connectHttp(url, session, { revision: modern ? 'auto' : 'legacy' });
      const { tools } = await connection.use((client, options) => client.listTools(undefined, options));
      for (const { name } of tools) await connection.use((client, options) => client.callTool({ name, arguments: {} }, options));
      await connection.close();
      return { data: { tools: tools.map(({ name }) => safe(name)) } };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** What the suite hands over; which scenario means which credentials. */
type Context = {
  client_id?: string;
  client_secret?: string;
  issuer?: string;
  private_key_pem?: string;
  signing_algorithm?: string;
  valid_jwt?: string;
  idp_client_id?: string;
  idp_id_token?: string;
  idp_token_endpoint?: string;
};

function machineOf(context: Context, scenario: string): MachineCredentials | undefined {
  const { client_id: clientId = '', client_secret: clientSecret = '' } = context;
  if (context.private_key_pem !== undefined)
    return { kind: 'key', clientId, privateKey: context.private_key_pem, algorithm: context.signing_algorithm ?? 'ES256' };
  if (context.valid_jwt !== undefined) return { kind: 'workload', token: context.valid_jwt };
  if (context.idp_token_endpoint !== undefined) {
    const provider = { tokenEndpoint: context.idp_token_endpoint, clientId: context.idp_client_id ?? '', idToken: context.idp_id_token ?? '' };
    return { kind: 'company', clientId, clientSecret, provider };
  }
  return scenario.endsWith('client-credentials-basic') ? { kind: 'secret', clientId, clientSecret } : undefined;
}

function redirectFollower(): Reception {
  return {
    redirectUri: 'http://127.0.0.1:3000/callback',
    async receive(authorizationUrl) {
      const response = await fetch(authorizationUrl, { redirect: 'manual' });
      const location = response.headers.get('location');
      if (location === null) throw new Failure('refused', `The authorization endpoint answered ${response.status} without a redirect`);
      return { parameters: new URL(location, authorizationUrl).searchParams };
    },
    close: () => {},
  };
}
