/**
 * node-oidc-provider on a real socket of this computer, with its development pages unless told otherwise: an independent OpenID provider to sign people in at.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Configuration, Provider } from 'oidc-provider';

export type OpenedProvider = { provider: Provider; issuer: string };
/** Answers what is not the provider's; false leaves it to the provider. */
type Beside = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Starts a provider on a free port; it ends with the test. It warns about its development pages, which is told to nobody. */
export async function openProvider(
  t: { after(end: () => void): void },
  make: (issuer: string) => Configuration,
  beside: Beside = () => false,
): Promise<OpenedProvider> {
  let callback: ReturnType<Provider['callback']> | undefined;
  const listening = createServer((request, response) => {
    if (!beside(request, response)) void callback?.(request, response);
  });
  await new Promise<void>((ready) => listening.listen(0, 'localhost', ready));
  t.after(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const issuer = `http://localhost:${(listening.address() as AddressInfo).port}`;
  const { warn, info } = console;
  Object.assign(console, { warn: () => undefined, info: () => undefined });
  const provider = new Provider(issuer, make(issuer));
  callback = provider.callback();
  Object.assign(console, { warn, info });
  return { provider, issuer };
}

/** The secret of its only client, `auth-agent`. */
export const clientSecret = 'a secret of one hundred and twenty-eight bits at least';

/** A provider at which everybody is Grace, whatever they enter. */
export function graceOnly(redirectUri: string): Configuration {
  const claims = { sub: 'grace', name: 'Grace Hopper', email: 'grace@hopper.example', email_verified: true };
  return {
    clients: [{ client_id: 'auth-agent', client_secret: clientSecret, redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    findAccount: (_context, accountId) => ({ accountId, claims: async () => ({ ...claims, sub: accountId }) }),
  };
}
