/**
 * Where the answer of an authorization server arrives. A loopback listener (RFC 8252 §7.3) that hears one valid answer and closes, or the terminal, where the
 * person pastes the code. Not here: what an answer is worth (sign-in.ts).
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Failure } from '../exit-codes.ts';

/** An answer typed by a person may be the bare code. */
export type Answer = { parameters: URLSearchParams; bareCode?: boolean };
export type Reception = {
  redirectUri: string;
  /** Sends the person away and resolves to the answer that carries `state`. */
  receive(authorizationUrl: URL, state: string): Promise<Answer>;
  close(): void;
};

export const outOfBand = 'urn:ietf:wg:oauth:2.0:oob';

export type ListenerOptions = {
  visit(url: URL): void;
  timeoutMs: number;
  /** Tried in turn before any other. */
  ports?: number[];
  /** A loopback address that was registered by hand; used as it is written. */
  registered?: string;
};

/** Listens on 127.0.0.1 at the first free of `ports`, else any. The listener is open only while a sign-in runs. @throws {Failure} when no port is free. */
export async function openListener({ visit, timeoutMs, ports = [], registered }: ListenerOptions): Promise<Reception> {
  const fixed = registered === undefined ? undefined : registeredAddress(registered);
  const path = fixed?.pathname ?? '/callback';
  const hostname = fixed?.hostname ?? '127.0.0.1';
  let heard: (parameters: URLSearchParams) => void = () => {};
  let expected: string | undefined;
  const server = createServer((request, response) => {
    // Nothing is caught around a listener: `GET //` must not end the program.
    const url = URL.parse(request.url ?? '/', 'http://127.0.0.1');
    const ours = request.headers.host === `${hostname}:${(server.address() as AddressInfo | null)?.port}`;
    if (!ours || request.method !== 'GET' || url?.pathname !== path) return answer(response, 404, 'There is nothing here.');
    // Anybody on this computer, and any page, can knock; only who knows the state is heard, and nobody else can end the wait.
    if (expected === undefined || url.searchParams.getAll('state').join() !== expected)
      return answer(response, 400, 'This is not the sign-in that was started. Go back to the terminal.');
    answer(response, 200, 'Done. You can close this window and go back to the terminal.');
    heard(url.searchParams);
    server.close();
  });
  await listen(server, fixed?.port ? [Number(fixed.port)] : [...ports, 0]);
  const redirectUri = `http://${hostname}:${(server.address() as AddressInfo).port}${path}`;
  return {
    redirectUri,
    receive: (authorizationUrl, state) =>
      new Promise<Answer>((resolve, reject) => {
        expected = state;
        const timer = setTimeout(() => reject(lateFailure()), timeoutMs);
        heard = (parameters) => {
          clearTimeout(timer);
          resolve({ parameters });
        };
        server.once('close', () => {
          clearTimeout(timer);
          reject(new Failure('interrupted', 'The sign-in was given up'));
        });
        visit(authorizationUrl);
      }).finally(() => server.close()),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The person reads the code on a page and types it; a whole address is understood too. */
export function pasteReception(redirectUri: string, { visit, ask }: { visit(url: URL): void; ask(question: string): Promise<string | undefined> }): Reception {
  return {
    redirectUri,
    async receive(authorizationUrl) {
      visit(authorizationUrl);
      const typed = (await ask('Paste the code: '))?.trim();
      if (!typed) throw new Failure('timedOut', 'No code was pasted', { fix: 'Sign in on the page that was opened, copy the code, and connect again' });
      if (/^https?:\/\//.test(typed) && URL.canParse(typed)) return { parameters: new URL(typed).searchParams };
      return { parameters: new URLSearchParams({ code: typed }), bareCode: true };
    },
    close: () => {},
  };
}

function registeredAddress(text: string): URL {
  const url = new URL(text);
  if (url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1')) return url;
  throw new Failure('usage', `"redirect_uri" cannot be ${text}`, {
    why: 'Nothing on this computer would hear the answer.',
    fix: `http://127.0.0.1/callback, or ${outOfBand}`,
  });
}

async function listen(server: ReturnType<typeof createServer>, ports: number[]): Promise<void> {
  for (const port of ports) {
    const problem = await new Promise<Error | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', resolve);
        resolve(undefined);
      });
    });
    if (!problem) return;
  }
  throw new Failure('failed', `Port ${ports[0]} of 127.0.0.1 is taken`, { why: 'The answer of the sign-in arrives there.', fix: 'Stop what listens there' });
}

function answer(response: ServerResponse, status: number, text: string): void {
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    Connection: 'close',
  };
  response.writeHead(status, headers).end(`<!doctype html><html lang="en"><title>auth-agent</title><p>${text}</p></html>`);
}

function lateFailure(): Failure {
  return new Failure('timedOut', 'Nobody came back from the browser', { fix: 'Run the command again; the address it prints can be opened on this computer' });
}
