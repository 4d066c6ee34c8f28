/**
 * A sign-in without a browser on this computer (RFC 8628): a code that the person enters elsewhere, and polls until they have answered. The whole of it, or begun now
 * and checked later. Not here: how the code is shown (person.ts), what a token is worth (session.ts).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type AuthorizationServerMetadata, OAuthError } from '@modelcontextprotocol/client';
import { deviceCodeGrant } from 'auth-agent-mcp-server/node';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import { type Fetch, isLoopback } from './guarded-fetch.ts';
import { type ProofKey, provingFetch } from './proof-key.ts';
import { authenticate } from './registration.ts';
import { deviceEndpoint } from './server-metadata.ts';
import { keptTokens } from './sign-in.ts';
import type { KeptClient, KeptTokens } from './store.ts';

/** A code that waits for its person. `expiresAt` is in seconds. */
export type WaitingDevice = {
  deviceCode: string;
  userCode: string;
  /** Where the person enters the code. */
  verificationUri: string;
  /** The same with the code filled in, if the server has one. */
  verificationUriComplete?: string;
  intervalSeconds: number;
  expiresAt: number;
};
export type DeviceSignIn = {
  metadata: AuthorizationServerMetadata;
  client: KeptClient;
  scope?: string;
  /** As the resource metadata has it, byte for byte. */
  resource?: string;
  /** Binds the tokens to this key (RFC 9449). */
  proofKey?: ProofKey;
  fetch: Fetch;
  /** Seconds. */
  now(): number;
  wait?(milliseconds: number): Promise<unknown>;
};
/** "later": the wait before the next poll, in seconds. */
export type Polled = { tokens: KeptTokens; later?: undefined } | { tokens?: undefined; later: number };

/** RFC 8628 §3.2: "If no value is provided, clients MUST use 5 as the default", and §3.5 adds as much at each slow_down. */
const fiveSeconds = 5;
const defaultLifetimeSeconds = 600;

/** Gets a code. @throws {Failure} refused. @throws the SDK's OAuthError, as the token endpoint would. */
export async function beginDevice({ metadata, client, scope, resource, fetch, now }: DeviceSignIn): Promise<WaitingDevice> {
  const fields = { ...(scope === undefined ? {} : { scope }), ...(resource === undefined ? {} : { resource }) };
  const { status, body } = await post(deviceEndpoint(metadata) ?? '', fields, { client, fetch });
  if (status !== 200) throw errorOf(body, metadata.issuer);
  const [deviceCode, userCode, page] = ['device_code', 'user_code', 'verification_uri'].map((name) => body[name]);
  if (typeof deviceCode !== 'string' || typeof userCode !== 'string' || typeof page !== 'string') throw notUnderstood(metadata.issuer);
  const complete = body['verification_uri_complete'];
  return {
    deviceCode,
    userCode: safe(userCode).slice(0, 40),
    verificationUri: pageOf(page, metadata.issuer),
    verificationUriComplete: typeof complete === 'string' ? pageOf(complete, metadata.issuer) : undefined,
    intervalSeconds: positive(body['interval']) ?? fiveSeconds,
    expiresAt: now() + (positive(body['expires_in']) ?? defaultLifetimeSeconds),
  };
}

/** Polls once. @throws {Failure} denied or timedOut. @throws the SDK's OAuthError for every other answer: those end the wait (CL-19). */
export async function pollDevice(device: WaitingDevice, { metadata, client, scope, resource, proofKey, fetch, now }: DeviceSignIn): Promise<Polled> {
  const fields = { grant_type: deviceCodeGrant, device_code: device.deviceCode, ...(resource === undefined ? {} : { resource }) };
  const { status, body, retryAfter } = await post(metadata.token_endpoint, fields, { client, fetch: proofKey ? provingFetch(fetch, proofKey, now()) : fetch });
  if (status === 200 && typeof body['access_token'] === 'string' && typeof body['token_type'] === 'string')
    return { tokens: keptTokens(body as Parameters<typeof keptTokens>[0], { requestedScope: scope, proofKey, now: now() }) };
  const error = body['error'];
  if (error === 'authorization_pending') return { later: device.intervalSeconds };
  if (error === 'slow_down') return { later: device.intervalSeconds + fiveSeconds };
  if (error === 'access_denied') throw new Failure('denied', 'The person said no');
  if (error === 'expired_token') throw expired();
  if ((status === 429 || status === 503) && retryAfter !== undefined) return { later: Math.max(device.intervalSeconds, retryAfter) };
  throw errorOf(body, metadata.issuer);
}

/** Polls until the person has answered. RFC 8628 §3.5: a server that does not answer is asked ever more slowly. @throws as {@link pollDevice} */
export async function awaitDevice(begun: WaitingDevice, how: DeviceSignIn): Promise<KeptTokens> {
  const { now, wait = pause } = how;
  let device = begun;
  for (;;) {
    if (now() + device.intervalSeconds >= device.expiresAt) throw expired();
    await wait(device.intervalSeconds * 1000);
    const polled = await pollDevice(device, how).catch((error: unknown): Polled => {
      if (error instanceof Failure && error.exit === 'unreachable') return { later: device.intervalSeconds * 2 };
      throw error;
    });
    if (polled.tokens) return polled.tokens;
    device = { ...device, intervalSeconds: polled.later };
  }
}

export function expired(): Failure {
  return new Failure('timedOut', 'Nobody answered before the code ended', { fix: 'Run the command again for a new code' });
}

type Posted = { status: number; body: Record<string, unknown>; retryAfter?: number };

async function post(url: string, fields: Record<string, string>, { client, fetch }: Pick<DeviceSignIn, 'client' | 'fetch'>): Promise<Posted> {
  const headers = new Headers({ 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' });
  const form = new URLSearchParams(fields);
  authenticate(client)(headers, form);
  const response = await fetch(url, { method: 'POST', headers, body: form.toString() });
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const body: unknown = await response.json().catch(() => undefined);
  const members = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
  return { status: response.status, body: members, retryAfter: seconds >= 0 ? seconds : undefined };
}

/** The person opens it, so it is https, or on this computer; it is only printed, never opened from here. */
function pageOf(text: string, issuer: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url))) return url.href;
  throw new Failure('refused', `${safe(issuer)} would have ${safe(text).slice(0, 200)} opened`, { why: 'A sign-in page is https, or on this computer.' });
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value <= 86_400 ? value : undefined;
}

function errorOf({ error, error_description: description }: Record<string, unknown>, issuer: string): Error {
  if (typeof error !== 'string') return notUnderstood(issuer);
  return new OAuthError(error, typeof description === 'string' ? description : error);
}

function notUnderstood(issuer: string): Failure {
  return new Failure('failed', `${safe(issuer)} answered what cannot be understood`, { why: 'It is no answer of a device authorization endpoint (RFC 8628).' });
}
