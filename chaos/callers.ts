/**
 * Callers who behave as good clients do: on a 503 or a broken connection they wait and try the same again, at whichever node answers. Anything else that was not
 * to be expected is a violation. Not here: in which order they call (load.ts).
 */
import { type Browser, openBrowser, signInAndDecide } from '../server/test/browser.ts';
import type { Node } from './cluster.ts';
import type { Ledger } from './ledger.ts';
import { app, issuer, machine, pkce, resource, scope } from './world.ts';

/** Nobody answered in the way the protocol knows; the caller may try again. */
export class Refused extends Error {
  /** When to come again, as the answer said it. */
  readonly afterSeconds: number;
  constructor(message: string, afterSeconds = 0) {
    super(message);
    this.afterSeconds = afterSeconds;
  }
}

export type Answer = { status: number; body: Record<string, unknown> };
export type World = {
  nodes: readonly Node[];
  apiKey: string;
  ledger: Ledger;
  /** Whether nodes or database are being disturbed. */
  disturbed(): boolean;
  /** Whether the clocks of the nodes disagree: what is short-lived may be over. */
  clocksDiffer(): boolean;
  /** Whether there is more to do than nodes can: they may refuse, but must answer. */
  overloaded?(): boolean;
  /** How often a caller tries; without it, for about twenty seconds. */
  attempts?(): number;
  /** Callers come again when they were told to, as good clients do; otherwise a tenth of a second later, whatever they are told. */
  patient?: boolean;
  /** How requests travel, where it is not `fetch`. */
  send?(url: string, init: { method?: string; headers: Headers; body?: string }): Promise<Response>;
};

const answerMilliseconds = 20_000;
const attempts = 200;
const pauseMilliseconds = 100;

/** A call that is made again until somebody answers; `again` says that an answer may have been lost. @throws {Refused} when nobody did. */
export async function insist<Result>(world: World, call: () => Promise<Result>): Promise<{ result: Result; again: boolean }> {
  const most = world.attempts?.() ?? attempts;
  for (let attempt = 1; ; attempt++) {
    try {
      return { result: await call(), again: attempt > 1 };
    } catch (error) {
      if (!(error instanceof Refused) || attempt >= most) throw error;
      const pause = world.patient ? Math.max(pauseMilliseconds, error.afterSeconds * 1000) : pauseMilliseconds;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

let turn = 0;
let address = 0;

/** Calls the next node. @throws {Refused} */
export async function call(world: World, what: string, path: string, init: RequestInit, node = world.nodes[turn++ % world.nodes.length]): Promise<Response> {
  const { ledger } = world;
  const headers = new Headers(init.headers);
  // As many computers as there are callers: limits are by address.
  address += 1;
  headers.set('X-Forwarded-For', `10.${(address >> 16) & 255}.${(address >> 8) & 255}.${address & 255}`);
  let response: Response;
  try {
    response = await sent(world, node?.url + path, init, headers);
  } catch {
    ledger.count(ledger.refused, 'no answer');
    if (!world.disturbed()) ledger.violated(`${what}: no answer from a node that nobody disturbed`);
    throw new Refused('no answer');
  }
  if (response.status < 500 && response.status !== 429) return response;
  if (response.status !== 503 && response.status !== 429) ledger.violated(`${what}: ${response.status}`);
  else if (!response.headers.has('retry-after')) ledger.violated(`${what}: ${response.status} without Retry-After`);
  else if (!world.overloaded?.() && !(response.status === 503 && world.disturbed()))
    ledger.violated(`${what}: ${response.status} though nobody disturbed anything`);
  ledger.count(ledger.refused, String(response.status));
  await response.body?.cancel();
  throw new Refused(String(response.status), Number(response.headers.get('retry-after') ?? 0));
}

function sent(world: World, url: string, { method, body }: RequestInit, headers: Headers): Promise<Response> {
  if (world.send === undefined) return fetch(url, { method, body, headers, redirect: 'manual', signal: AbortSignal.timeout(answerMilliseconds) });
  if (body instanceof URLSearchParams) headers.set('Content-Type', 'application/x-www-form-urlencoded');
  return world.send(url, { method, headers, body: body?.toString() });
}

async function post(
  world: World,
  what: string,
  path: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
  node?: Node,
): Promise<Answer> {
  const response = await call(world, what, path, { method: 'POST', body: new URLSearchParams(form), headers }, node);
  const text = await whole(response);
  return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) };
}

/** A node that dies in the middle of its answer did not answer. */
async function whole(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch {
    throw new Refused('half an answer');
  }
}

/** Somebody new in a browser of their own, signed in. */
export function browserOf(world: World, cookie: { name: string; value: string }): Browser {
  const browser = openBrowser(async (url, init) => {
    const { pathname, search } = new URL(url);
    return call(world, pathname, pathname + search, init);
  }, issuer);
  browser.cookies.set(cookie.name, cookie.value);
  return browser;
}

/** The person allows the agent; resolves to the code, or undefined when the pages had to begin again. */
export async function allowed(browser: Browser): Promise<string | undefined> {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: app.id,
    redirect_uri: app.redirectUri,
    code_challenge: pkce.challenge,
    code_challenge_method: 'S256',
    scope,
    resource,
    state: 'xyz',
  });
  const back = await signInAndDecide(`${issuer}/authorize?${query}`, { username: '', password: '', decision: 'allow' }, { browser });
  return new URL(back).searchParams.get('code') ?? undefined;
}

const form = { client_id: app.id };

export const redeem = (world: World, code: string, node?: Node): Promise<Answer> =>
  post(world, 'code', '/token', { ...form, grant_type: 'authorization_code', code, redirect_uri: app.redirectUri, code_verifier: pkce.verifier }, {}, node);

export const refresh = (world: World, refreshToken: string, node?: Node): Promise<Answer> =>
  post(world, 'refresh', '/token', { ...form, grant_type: 'refresh_token', refresh_token: refreshToken }, {}, node);

export const revoke = (world: World, token: string): Promise<Answer> => post(world, 'revoke', '/revoke', { ...form, token });

export const introspect = (world: World, token: string, node?: Node): Promise<Answer> =>
  post(world, 'introspect', '/introspect', { token }, { Authorization: `Bearer ${world.apiKey}` }, node);

export const machineToken = (world: World, node?: Node): Promise<Answer> =>
  post(
    world,
    'client_credentials',
    '/token',
    { grant_type: 'client_credentials', resource },
    { Authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
    node,
  );
