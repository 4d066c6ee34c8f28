/**
 * The agent: the official MCP client, and around it what every application adds. A place for its credentials, a browser for its person, and the rule that a
 * call which needs the person is made again once they have allowed it.
 */
import { Client, type OAuthClientProvider, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import type { Allowed, Person } from './person.ts';

export type Agent = {
  connect(): Promise<void>;
  /** Calls a tool and returns the text it answers with. */
  call(tool: string, input?: Record<string, string>): Promise<string>;
  close(): Promise<void>;
  /** What the agent sent since it was last asked, e.g. `POST /mcp 401`, oldest first. */
  takeLog(): string[];
  /** The scopes the person was asked for the last time. */
  lastAsked(): string[];
  accessToken(): Promise<string>;
};

/** Makes an agent for the MCP server at `url`, used by `person`. It knows nothing but that address. */
export function openAgent(url: URL, person: Person): Agent {
  const log: string[] = [];
  let visit: Allowed | undefined;
  const credentials = keepInMemory(async (authorizationUrl) => {
    visit = await person.allow(authorizationUrl);
  });
  const loggingFetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    log.push(`${init?.method ?? 'GET'} ${new URL(response.url).pathname} ${response.status}`);
    return response;
  };

  let client = new Client({ name: 'example-agent', version: '0.1.0' });
  let transport = new StreamableHTTPClientTransport(url);

  async function connect(): Promise<void> {
    client = new Client({ name: 'example-agent', version: '0.1.0' }, { versionNegotiation: { mode: 'auto' } });
    transport = new StreamableHTTPClientTransport(url, { authProvider: credentials, fetch: loggingFetch });
    await client.connect(transport);
  }

  /** The official client sends the person away and gives up; when they are back, the code is redeemed and the work done again. */
  async function withPerson<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || !visit) throw error;
      await transport.finishAuth(visit.callback.searchParams);
      return work();
    }
  }

  return {
    connect: () => withPerson(connect),
    async call(tool, input = {}) {
      const result = await withPerson(() => client.callTool({ name: tool, arguments: input }));
      const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
      if (result.isError) throw new Error(text);
      return text;
    },
    close: () => client.close(),
    takeLog: () => log.splice(0),
    lastAsked: () => visit?.asked ?? [],
    accessToken: async () => (await credentials.tokens())?.access_token ?? '',
  };
}

/** What the official client wants kept for it. A real agent keeps this on disk, readable by its owner only. */
function keepInMemory(openBrowser: (authorizationUrl: URL) => Promise<void>): OAuthClientProvider {
  const redirectUrl = 'http://localhost:7777/callback';
  const kept: {
    client?: Awaited<ReturnType<OAuthClientProvider['clientInformation']>>;
    tokens?: Awaited<ReturnType<OAuthClientProvider['tokens']>>;
    discovery?: Awaited<ReturnType<NonNullable<OAuthClientProvider['discoveryState']>>>;
    verifier?: string;
  } = {};
  return {
    redirectUrl,
    clientMetadata: { client_name: 'Example Agent', redirect_uris: [redirectUrl], token_endpoint_auth_method: 'none' },
    state: () => crypto.randomUUID(),
    redirectToAuthorization: openBrowser,
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void Object.assign(kept, { client }),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void Object.assign(kept, { tokens }),
    codeVerifier: () => kept.verifier ?? '',
    saveCodeVerifier: (verifier) => void Object.assign(kept, { verifier }),
    discoveryState: () => kept.discovery,
    saveDiscoveryState: (discovery) => void Object.assign(kept, { discovery }),
  };
}
