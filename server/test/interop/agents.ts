/**
 * The official MCP clients behind one face, unmodified, with what every application adds: a place for credentials, a browser for the person, and doing the work
 * again when the person is back. One provider serves both SDKs.
 */
import { Client, type OAuthClientProvider, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { type OAuthClientProvider as V1Provider, UnauthorizedError as V1UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** What a provider remembers. Handing a copy to a second agent makes it a second process with the same files. */
export type Kept = {
  client?: Awaited<ReturnType<OAuthClientProvider['clientInformation']>>;
  tokens?: Awaited<ReturnType<OAuthClientProvider['tokens']>>;
  discovery?: Awaited<ReturnType<NonNullable<OAuthClientProvider['discoveryState']>>>;
  verifier?: string;
};

export type AgentOptions = {
  url: URL;
  /** The person: opens the authorization URL and comes back at the callback address. */
  visit(authorizationUrl: URL): Promise<URL>;
  kept?: Kept;
  clientMetadataUrl?: string;
  fetch?: typeof fetch;
};

export type Agent = {
  connect(): Promise<void>;
  /** Calls a tool; the text of its answer. */
  call(tool: string, input?: Record<string, string>): Promise<string>;
  protocolVersion(): string | undefined;
  close(): Promise<void>;
  kept: Kept;
  /** Every authorization URL the person was sent to. */
  visits: URL[];
  /** What was sent, e.g. `POST /mcp 401`, oldest first. */
  log: string[];
  provider: Provider;
};

type Provider = OAuthClientProvider & V1Provider;
type Session = Pick<Agent, 'connect' | 'call' | 'protocolVersion' | 'close'> & { finish(callback: URL): Promise<void> };
type Opening = { url: URL; provider: Provider; fetch: typeof fetch };

const info = { name: 'interop', version: '0.1.0' };

/** Each official client, by the name tests print. */
export const officialClients = {
  '@modelcontextprotocol/client, 2026-07-28': openV2('auto'),
  '@modelcontextprotocol/client, 2025-11-25': openV2('legacy'),
  '@modelcontextprotocol/sdk v1': openV1,
};
export type OfficialClient = keyof typeof officialClients;
export const v2: OfficialClient = '@modelcontextprotocol/client, 2026-07-28';
export const v1: OfficialClient = '@modelcontextprotocol/sdk v1';
export const all = Object.keys(officialClients) as OfficialClient[];

/** Makes an agent of an official client. */
export function openAgent(name: OfficialClient, options: AgentOptions): Agent {
  const { url, visit, kept = {}, clientMetadataUrl } = options;
  const visits: URL[] = [];
  const log: string[] = [];
  let callback: URL | undefined;
  const provider = providerFor(kept, clientMetadataUrl, async (authorizationUrl) => {
    visits.push(authorizationUrl);
    callback = await visit(authorizationUrl);
    if (callback.searchParams.get('state') !== authorizationUrl.searchParams.get('state')) throw new Error('the state of the answer is another');
  });
  const loggingFetch: typeof fetch = async (input, init) => {
    const response = await (options.fetch ?? fetch)(input, init);
    log.push(`${init?.method ?? 'GET'} ${new URL(input instanceof Request ? input.url : input).pathname} ${response.status}`);
    return response;
  };
  const session = officialClients[name]({ url, provider, fetch: loggingFetch });

  async function withPerson<T>(work: () => Promise<T>): Promise<T> {
    callback = undefined;
    try {
      return await work();
    } catch (error) {
      const sentAway = error instanceof UnauthorizedError || error instanceof V1UnauthorizedError;
      if (!sentAway || callback === undefined) throw error;
      await session.finish(callback);
      return work();
    }
  }

  return {
    connect: () => withPerson(session.connect),
    call: (tool, input = {}) => withPerson(() => session.call(tool, input)),
    protocolVersion: session.protocolVersion,
    close: session.close,
    kept,
    visits,
    log,
    provider,
  };
}

function openV2(mode: 'auto' | 'legacy') {
  return function open({ url, provider, fetch }: Opening): Session {
    let client: Client;
    let transport: StreamableHTTPClientTransport;
    return {
      async connect() {
        client = new Client(info, { versionNegotiation: { mode } });
        transport = new StreamableHTTPClientTransport(url, { authProvider: provider, fetch });
        await client.connect(transport);
      },
      call: async (name, input) => textOf((await client.callTool({ name, arguments: input })).content),
      finish: (callback) => transport.finishAuth(callback.searchParams),
      protocolVersion: () => client.getNegotiatedProtocolVersion(),
      close: () => client.close(),
    };
  };
}

function openV1({ url, provider, fetch }: Opening): Session {
  let client: V1Client;
  let transport: V1Transport;
  return {
    async connect() {
      client = new V1Client(info);
      transport = new V1Transport(url, { authProvider: provider, fetch });
      await client.connect(transport);
    },
    call: async (name, input) => textOf((await client.callTool({ name, arguments: input })).content as Content),
    finish: (callback) => transport.finishAuth(callback.searchParams.get('code') ?? ''),
    protocolVersion: () => transport.protocolVersion,
    close: () => client.close(),
  };
}

type Content = { type: string; text?: string }[];

function textOf(content: Content): string {
  return content.map((part) => part.text ?? '').join('');
}

/** The redirect has a port that was never registered: agents take a free one at each start (RFC 8252 §7.3). */
function providerFor(kept: Kept, clientMetadataUrl: string | undefined, openBrowser: (url: URL) => Promise<void>): Provider {
  return {
    redirectUrl: 'http://localhost:7777/callback',
    clientMetadataUrl,
    clientMetadata: { client_name: 'Interop', redirect_uris: ['http://localhost/callback'], token_endpoint_auth_method: 'none' },
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
    invalidateCredentials(what) {
      if (what === 'all' || what === 'client') delete kept.client;
      if (what === 'all' || what === 'tokens') delete kept.tokens;
      if (what === 'all' || what === 'verifier') delete kept.verifier;
      if (what === 'all' || what === 'discovery') delete kept.discovery;
    },
  };
}
