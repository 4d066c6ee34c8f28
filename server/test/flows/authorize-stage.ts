/**
 * The stage for stories about people: a server, a person, an MCP server and clients of every kind.
 */
import type { ServerOptions } from '../../src/options.ts';
import type { Client, McpServer, NewUser } from '../../src/storage/store.ts';
import { type Browser, openBrowser, type Page } from '../browser.ts';
import { issuer, pkce, type TestServer, testServer } from '../harness.ts';

export const password = 'correct horse battery staple';
export const loopback = 'http://localhost:4711/callback';
export const webRedirect = 'https://app.example.org/cb';

export type Stage = TestServer & {
  user: NewUser;
  mcp: McpServer;
  /** Registered by an operator; loopback redirect. */
  client: Client;
  /** Registered itself; loopback and https redirects. */
  dynamic: Client;
  browser(): Browser;
  /** A browser in which the person is signed in. */
  signedIn(): Promise<Browser>;
  /** An authorization URL of `client`, changed by `more`; undefined takes a parameter away. */
  url(more?: Record<string, string | undefined>): string;
  /** The same of the dynamic client. */
  dynamicUrl(more?: Record<string, string | undefined>): string;
};

export async function stage(overrides: Partial<ServerOptions> = {}): Promise<Stage> {
  const server = await testServer(overrides);
  const user = await server.addUser({ password });
  const mcp = await server.addServer({ ownerId: user.id });
  const client = await server.addClient({ id: 'client_known' });
  const dynamic = await server.addClient({
    id: 'client_dynamic',
    registration: 'dynamic',
    metadata: { clientName: 'Unknown Agent', redirectUris: [webRedirect, 'http://127.0.0.1/callback'] },
  });
  const plain = {
    response_type: 'code',
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    resource: mcp.resource,
    scope: 'files:read',
    state: 'xyz',
  };
  const address = (values: Record<string, string | undefined>) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value);
    return `${issuer}/authorize?${query}`;
  };
  const browser = () => openBrowser((url, init) => server.request(url, init), issuer);

  return {
    ...server,
    user,
    mcp,
    client,
    dynamic,
    browser,
    async signedIn() {
      const fresh = browser();
      await fresh.submit(await fresh.open('/login'), { username: user.username, password });
      return fresh;
    },
    url: (more = {}) => address({ client_id: client.id, redirect_uri: loopback, ...plain, ...more }),
    dynamicUrl: (more = {}) => address({ client_id: dynamic.id, redirect_uri: webRedirect, ...plain, ...more }),
  };
}

/** Signs in on a sign-in page. */
export function signInOn(browser: Browser, page: Page, username = 'ada', secret = password): Promise<Page> {
  return browser.submit(page, { username, password: secret });
}

/** The parameters of an answer to the client. */
export function answerOf(url: string | undefined): Record<string, string> {
  return Object.fromEntries(new URL(url ?? 'about:blank').searchParams);
}
