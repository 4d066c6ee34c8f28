/**
 * One MCP server and the right to speak to it: a fetch that adds the token, and that at 401 and 403 finds the authorization server, renews, signs in or steps
 * up, each a bounded number of times (MCP authorization, "Error Handling" and "Step-Up"). Not here: how a token goes with a request (token-sender.ts), how the answer
 * of a sign-in is judged (sign-in.ts).
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type AuthorizationServerMetadata, computeScopeUnion, OAuthError } from '@modelcontextprotocol/client';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import { type Challenge, readChallenge } from './challenge.ts';
import { awaitDevice, beginDevice, type DeviceSignIn, type WaitingDevice } from './device-sign-in.ts';
import { type Fetch, guardedFetch, isLoopback } from './guarded-fetch.ts';
import { type MachineCredentials, signInMachine } from './machine-sign-in.ts';
import { newProofKey } from './proof-key.ts';
import type { Reception } from './reception.ts';
import { type ClientOfIssuer, type ConfiguredClient, clientFor, noDevices } from './registration.ts';
import { renew } from './renewal.ts';
import { findResourceMetadata } from './resource-metadata.ts';
import { deviceEndpoint, findServerMetadata, legacyMetadata } from './server-metadata.ts';
import { signIn, tokenRefusal } from './sign-in.ts';
import { type CredentialStore, type KeptTokens, type PendingSignIn, tokenKey } from './store.ts';
import { senderWith } from './token-sender.ts';

export type Step = 'challenge' | 'server' | 'client' | 'waiting' | 'allowed' | 'token';
export type SessionOptions = {
  store: CredentialStore;
  /** Opens the place where the answer arrives; the ports are those an earlier registration named. */
  openReception(ports: number[]): Promise<Reception>;
  /** Sign in by device code: `always`, or where the server offers it. Without it, with a browser. */
  device?: DeviceWish;
  configured?: ConfiguredClient;
  /** The program acts for itself, or for somebody its company vouches for: nobody is asked. */
  machine?: MachineCredentials;
  /** Asked for instead of what the server suggests. */
  scope?: string;
  documentUrl?: string;
  allowPrivate?: boolean;
  /** Servers of MCP 2025-03-26 had no resource metadata (CL-23). */
  allowLegacy?: boolean;
  /** False: fail with `signInNeeded` where a person would be asked. */
  mayAsk: boolean;
  tell(step: Step, text: string): void;
  /** Seconds. */
  now(): number;
  wait?(milliseconds: number): Promise<unknown>;
};
export type DeviceWish = {
  always: boolean;
  /** Waits no longer than this, in seconds, even where the code lasts longer. */
  longestSeconds?: number;
  /** Tells the person their code. Whoever finishes the sign-in another time keeps it here and throws. */
  show(waiting: WaitingDevice, begun: Pick<PendingSignIn, 'mcpUrl' | 'place' | 'client' | 'scope' | 'proofKey'>): void | Promise<void>;
};
export type Session = {
  /** A fetch for the transports of the official client. */
  fetch: Fetch;
  /** Signs in if the server asks for it, before any request that has a time limit. */
  open(): Promise<void>;
  tokens(): KeptTokens | undefined;
  /** Why the last request failed, once: transports wrap it beyond recognition. */
  takeFailure(): Failure | undefined;
};

/** MCP: a few attempts for one operation, then the error is shown. */
const maxSignIns = 3;

type Found = { metadata: AuthorizationServerMetadata; resource: string; scopesSupported?: string[]; onlyBound?: boolean };
type Operation = { init: RequestInit; signIns: number; renewed: boolean; restarted: boolean };

/** Makes the session for an MCP server. @throws {Failure} refused for plain http off this computer: a token would be readable on the way. */
export function openSession(mcpUrl: URL, options: SessionOptions): Session {
  if (mcpUrl.protocol !== 'https:' && !(mcpUrl.protocol === 'http:' && isLoopback(mcpUrl)))
    throw new Failure('refused', `${safe(mcpUrl.href)} is not https`, { why: 'A token would be readable on the way.', fix: 'Use https, or localhost' });
  const { store, tell, now, wait = pause } = options;
  const send = senderWith({ wait, now });
  const guarded = guardedFetch({ home: mcpUrl, allowPrivate: options.allowPrivate });
  let lastFailure: Failure | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  function tokens(): KeptTokens | undefined {
    const kept = store.read();
    const place = kept.places[mcpUrl.href];
    return place && kept.tokens[tokenKey(place)];
  }

  async function request(address: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(address);
    if (url.origin !== mcpUrl.origin) return guarded(url, init);
    const operation: Operation = { init, signIns: 0, renewed: false, restarted: false };
    let current = fresh();
    for (;;) {
      const response = await send(url, init, current);
      const challenge = readChallenge(response.headers.get('www-authenticate'));
      const asks = response.status === 401 || (response.status === 403 && challenge?.error === 'insufficient_scope');
      if (!asks) return response;
      const stop = whyStop(response.status, challenge ?? {}, current, operation);
      if (stop) return refuse(response, stop);
      await response.body?.cancel();
      const refused = current;
      current = await alone(async () => {
        const newer = fresh();
        return newer && newer.accessToken !== refused?.accessToken ? newer : answerTo(response.status, challenge ?? {}, refused, operation);
      });
    }
  }

  /** One after the other: requests that are refused together ask the person once. */
  function alone<T>(act: () => Promise<T>): Promise<T> {
    const mine = turn.then(act);
    turn = mine.catch(() => {});
    return mine;
  }

  /** What is kept, unless it is known to be of no use. An ended token that can be renewed is sent once more: its 401 says where to renew. */
  function fresh(): KeptTokens | undefined {
    const current = tokens();
    const ended = current?.expiresAt !== undefined && current.expiresAt <= now() && current.refreshToken === undefined;
    return ended || current?.accessToken === '' ? undefined : current;
  }

  function whyStop(status: number, challenge: Challenge, current: KeptTokens | undefined, operation: Operation): string | undefined {
    if (operation.signIns >= maxSignIns) return `it still refuses after ${maxSignIns} sign-ins`;
    if (status === 401 && operation.signIns > 0 && challenge.error !== 'insufficient_user_authentication') return 'it refuses a token that was just made';
    // All that is asked for was granted: asking the person again would change nothing.
    const wanted = challenge.scope?.split(' ') ?? [];
    const granted = new Set(current?.scope?.split(' '));
    if (status === 403 && wanted.length > 0 && operation.signIns > 0 && wanted.every((one) => granted.has(one)))
      return 'it refuses although all it asks for was granted';
    return undefined;
  }

  async function answerTo(status: number, challenge: Challenge, current: KeptTokens | undefined, operation: Operation): Promise<KeptTokens> {
    tell(
      'challenge',
      `${status} → ${challenge.resourceMetadata === undefined ? 'no resource_metadata; trying the well-known addresses' : 'resource_metadata found'}`,
    );
    const found = await find(challenge);
    const place = { issuer: found.metadata.issuer, resource: found.resource };
    if (options.machine) return byMachine(options.machine, found, challenge, operation);
    const kept = store.read().tokens[tokenKey(place)];
    const simple = status === 401 && challenge.error !== 'insufficient_user_authentication';
    // What was not bound when it was granted is not bound by renewing it.
    const fits = !found.onlyBound || kept?.proofKey !== undefined;
    if (simple && !operation.renewed && kept && fits) {
      operation.renewed = true;
      const client = await knownClient(found);
      const renewed = client && (await renew({ ...found, client, store, place, refused: current?.accessToken, fetch: guarded, now: now() }));
      if (renewed) {
        await remember(place);
        tell('token', 'renewed without asking you');
        return renewed;
      }
    }
    if (!options.mayAsk) throw needed(mcpUrl, challenge);
    return ask(found, challenge, operation);
  }

  /** CL-24: refused is refused; no second try, no other grant. */
  async function byMachine(credentials: MachineCredentials, found: Found, challenge: Challenge, operation: Operation): Promise<KeptTokens> {
    operation.signIns += 1;
    const { metadata, resource } = found;
    const scope = options.scope ?? challenge.scope ?? found.scopesSupported?.join(' ');
    const made = await signInMachine(credentials, { metadata, resource, scope, fetch: guarded, now: now() }).catch((error: unknown) => {
      throw tokenRefusal(error, metadata.issuer);
    });
    const place = { issuer: metadata.issuer, resource };
    await store.change((kept) => {
      kept.tokens[tokenKey(place)] = made;
      kept.places[mcpUrl.href] = place;
    });
    tell('token', `token for ${safe(resource)}`);
    return made;
  }

  async function find(challenge: Challenge): Promise<Found> {
    const resource = await findResourceMetadata(mcpUrl, challenge.resourceMetadata, guarded);
    if (!resource && options.allowLegacy === false) throw noMetadata(mcpUrl);
    const issuer = chosen(resource?.authorizationServers, mcpUrl, options.configured?.issuer);
    const metadata = (await findServerMetadata(issuer, guarded)) ?? (resource ? undefined : legacyMetadata(issuer));
    if (!metadata) throw new Failure('unreachable', `${safe(issuer)} has no metadata`, { why: 'None of its well-known addresses answers with it.' });
    tell('server', `authorization server ${safe(issuer)} (issuer matches)`);
    const onlyBound = challenge.onlyBound === true || resource?.onlyBound === true;
    return { metadata, resource: resource?.resource ?? mcpUrl.href, scopesSupported: resource?.scopesSupported, onlyBound };
  }

  /** The client that got the tokens, when it is still known: renewing is no reason to register. */
  async function knownClient({ metadata }: Found): Promise<ClientOfIssuer | undefined> {
    const { configured, documentUrl } = options;
    const kept = store.read().clients[metadata.issuer];
    const portable = documentUrl !== undefined && metadata['client_id_metadata_document_supported'] === true;
    if (!configured && !portable && !kept) return undefined;
    return clientFor({ metadata, configured, documentUrl, store, fetch: guarded, redirectUri: kept?.redirectUri ?? '' });
  }

  async function ask(found: Found, challenge: Challenge, operation: Operation): Promise<KeptTokens> {
    operation.signIns += 1;
    const { metadata, resource } = found;
    const place = { issuer: metadata.issuer, resource };
    const before = store.read();
    const device = options.device && deviceAt(metadata, options.device);
    const reception = device ? undefined : await options.openReception(portsOf(before.clients[metadata.issuer]?.redirectUri));
    try {
      const scope = scopeFor(found, challenge, options.scope, before.tokens[tokenKey(place)]?.requestedScope);
      const { configured, documentUrl } = options;
      const redirectUri = reception?.redirectUri ?? unusedRedirectUri();
      const client = await clientFor({ metadata, redirectUri, device: device !== undefined, scope, configured, documentUrl, store, fetch: guarded });
      tell('client', `client: ${kinds[client.kind]} → ${safe(client.clientId)}`);
      const proofKey = found.onlyBound ? newProofKey(metadata) : undefined;
      tell('waiting', reception ? 'waiting for you in the browser' : 'waiting for you to enter the code');
      const made = reception
        ? await signIn({ metadata, client, reception, scope, resource, stronger: challenge, proofKey, fetch: guarded, now: now() })
        : await byDevice(device, { metadata, client, scope, resource, proofKey, fetch: guarded, now, wait });
      await store.change((kept) => {
        kept.tokens[tokenKey(place)] = made;
        kept.places[mcpUrl.href] = place;
      });
      tell('allowed', `you allowed: ${safe(made.scope ?? 'what the server gives by default')}`);
      tell('token', `token for ${safe(resource)}${made.expiresAt === undefined ? '' : ` ends in ${clock(made.expiresAt - now())}`}`);
      return made;
    } catch (error) {
      return await again(error, { found, challenge, operation });
    } finally {
      reception?.close();
    }
  }

  async function byDevice(device: DeviceWish | undefined, how: DeviceSignIn): Promise<KeptTokens> {
    const { metadata, client, scope, proofKey, resource = mcpUrl.href } = how;
    const waiting = await beginDevice(how);
    await device?.show(waiting, {
      mcpUrl: mcpUrl.href,
      place: { issuer: metadata.issuer, resource },
      client,
      scope,
      ...(proofKey && { proofKey: proofKey.jwk }),
    });
    const expiresAt = Math.min(waiting.expiresAt, now() + (device?.longestSeconds ?? Number.POSITIVE_INFINITY));
    return awaitDevice({ ...waiting, expiresAt }, how);
  }

  /** CL-18: a client that is not known any more is forgotten and made anew, a code that is refused is asked for anew; each once. */
  async function again(error: unknown, { found, challenge, operation }: { found: Found; challenge: Challenge; operation: Operation }): Promise<KeptTokens> {
    if (!(error instanceof OAuthError)) throw error;
    const stale = error.code === 'invalid_client' || error.code === 'unauthorized_client';
    if (operation.restarted || operation.signIns >= maxSignIns || !(stale || error.code === 'invalid_grant') || (stale && options.configured))
      throw tokenRefusal(error, found.metadata.issuer);
    operation.restarted = true;
    await store.change((kept) => {
      delete kept.tokens[tokenKey({ issuer: found.metadata.issuer, resource: found.resource })];
      if (stale) delete kept.clients[found.metadata.issuer];
    });
    return ask(found, challenge, operation);
  }

  const remember = (place: { issuer: string; resource: string }): Promise<void> =>
    store.change((kept) => {
      kept.places[mcpUrl.href] = place;
    });

  async function guardedRequest(address: string | URL, init?: RequestInit): Promise<Response> {
    try {
      return await request(address, init);
    } catch (error) {
      if (init?.signal?.aborted) throw error;
      lastFailure = failureOf(error, mcpUrl);
      throw lastFailure;
    }
  }

  return {
    fetch: guardedRequest,
    async open() {
      const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
      const response = await guardedRequest(mcpUrl, { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":"open","method":"ping"}' });
      await response.body?.cancel();
    },
    tokens,
    takeFailure() {
      const taken = lastFailure;
      lastFailure = undefined;
      return taken;
    },
  };
}

const kinds = { configured: 'configured', document: 'metadata document', registered: 'registered' } as const;

/**
 * MCP "Scope Selection" and "Step-Up": what the challenge names, else what the metadata lists, else nothing; with all that was ever requested, and with
 * offline_access where the authorization server offers it.
 */
export function scopeFor({ metadata, scopesSupported }: Found, challenge: Challenge, wish?: string, before?: string): string | undefined {
  const suggested = challenge.scope ?? wish ?? scopesSupported?.join(' ');
  const offline = suggested !== undefined && metadata.scopes_supported?.includes('offline_access') ? 'offline_access' : undefined;
  return computeScopeUnion(before, suggested, offline);
}

function chosen(servers: string[] | undefined, mcpUrl: URL, configured: string | undefined): string {
  if (servers === undefined || servers.length === 0) return mcpUrl.origin;
  return servers.find((one) => one === configured) ?? servers[0] ?? mcpUrl.origin;
}

/** @throws {Failure} refused when it must be so and is not offered. */
function deviceAt(metadata: AuthorizationServerMetadata, wish: DeviceWish): DeviceWish | undefined {
  if (deviceEndpoint(metadata) !== undefined) return wish;
  if (wish.always) throw noDevices(metadata.issuer, 'Its metadata names no device_authorization_endpoint.');
  return undefined;
}

/** What a registration for device codes names for a later sign-in in a browser, which tries this port first. */
function unusedRedirectUri(): string {
  return `http://127.0.0.1:${40_000 + randomInt(20_000)}/callback`;
}

function portsOf(redirectUri: string | undefined): number[] {
  const port = redirectUri !== undefined && URL.canParse(redirectUri) ? Number(new URL(redirectUri).port) : 0;
  return port > 0 ? [port] : [];
}

const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

async function refuse(response: Response, why: string): Promise<never> {
  await response.body?.cancel();
  throw new Failure('refused', `The server answered ${response.status} and ${why}`, {
    fix: 'Ask whoever runs the server; its log says why',
  });
}

function needed(mcpUrl: URL, { errorDescription }: Challenge): Failure {
  return new Failure('signInNeeded', 'Sign-in is needed', {
    why: errorDescription === undefined ? `${safe(mcpUrl.href)} answers only with a token.` : safe(errorDescription).slice(0, 300),
    fix: `auth-agent login ${safe(mcpUrl.href)}`,
  });
}

function noMetadata(mcpUrl: URL): Failure {
  return new Failure('refused', `${safe(mcpUrl.href)} does not say which authorization server it trusts`, {
    why: 'MCP 2026-07-28 requires protected resource metadata (RFC 9728).',
    fix: 'Whoever runs the server serves /.well-known/oauth-protected-resource; the SDKs of this project do',
  });
}

/** What a server makes of us is never a bug of ours to report: it is said in a sentence. */
function failureOf(error: unknown, mcpUrl: URL): Failure {
  if (error instanceof Failure) return error;
  return error instanceof TypeError ? unreachable(mcpUrl, error) : tokenRefusal(error, mcpUrl.origin);
}

function unreachable(mcpUrl: URL, cause: TypeError): Failure {
  const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
  return new Failure('unreachable', `${safe(mcpUrl.origin)} does not answer`, { why: safe(reason), fix: 'Is it running, and is the port right?', cause });
}
