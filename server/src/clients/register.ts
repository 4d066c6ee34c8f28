/**
 * POST /register: dynamic client registration (RFC 7591), kept boring. Open within limits, lenient about what it can ignore, the same shape of answer every time.
 * Anybody may call it, so what it gives is worth nothing without a person's consent (DCR-13). Not here: managing a registration (manage.ts).
 */

import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import { OAuthError, tooManyRequests } from '../errors.ts';
import type { Options } from '../options.ts';
import { type Answer, json } from '../route.ts';
import type { Client, ClientMetadata } from '../storage/store.ts';
import { addressBucket, isListed } from './address-bucket.ts';
import { expireUnusedFor } from './expire.ts';
import type { ParsedMetadata } from './metadata.ts';
import { registrationAnswer } from './registration-answer.ts';
import { readRegistration } from './registration-body.ts';
import { newManagementToken, presentedToken } from './registration-token.ts';
import { clientSecretHash, newClientSecret, usesSecret } from './secret.ts';
import { checkSector } from './sector.ts';

/** Whether clients may register, be it with a token or to wait for approval; else the route is 404 and the metadata has no registration_endpoint (DCR-16). */
export function registrationOffered(options: Options): boolean {
  return options.clients.registration !== 'closed';
}

/** RFC 7591 §3. @throws {OAuthError} not_found when closed · invalid_token · invalid_client_metadata · invalid_redirect_uri · too_many_requests · content_too_large */
export async function register(exchange: Exchange, context: Context): Promise<Answer> {
  if (!registrationOffered(context.options)) throw new OAuthError('not_found', 'Clients are registered by the operator');
  const initialToken = await initialAccessToken(exchange, context);
  const parsed = await readRegistration(exchange.request, context);

  await takeAllowance(exchange.address, context);
  await refuseWhenFull(context);
  await checkSector(parsed.metadata, context);
  const tokenId = await useInitialToken(initialToken, context);

  const secret = usesSecret(parsed.metadata) ? newClientSecret() : undefined;
  const management = newManagementToken();
  const client: Client = { ...newClient(parsed.metadata, secret, context), managementHash: management.hash };
  // A token is the operator's word, so who brings one need not wait for it.
  if (context.options.clients.registration === 'approval' && tokenId === undefined) client.pendingSince = client.createdAt;
  await context.store.addClient(client, registered(client, { parsed, tokenId }, exchange));

  return json(registrationAnswer(client, { secret, managementToken: management.value }, context), 201);
}

/**
 * RFC 7591 §3: what an open registration does not ask for, it does not read. A token that is good for nothing ends here, so that strangers do not spend the limits of
 * those who have one; its use is taken last.
 *
 * @throws {OAuthError} invalid_token, also where one is required
 */
async function initialAccessToken({ request }: Exchange, context: Context): Promise<string | undefined> {
  const { registration } = context.options.clients;
  if (registration === 'open') return undefined;
  const token = presentedToken(request);
  if (registration === 'token' && !token) throw tokenRefused('An initial access token is required', 'none');
  if (token !== undefined && !(await context.store.hasRegistrationToken(sha256(token), context.now()))) throw notGood();
  return token;
}

/** Resolves to the id of the token whose use was taken; undefined without a token. @throws {OAuthError} invalid_token */
async function useInitialToken(token: string | undefined, context: Context): Promise<string | undefined> {
  if (token === undefined) return undefined;
  const id = await context.store.useRegistrationToken(sha256(token), context.now());
  if (id === undefined) throw notGood();
  return id;
}

function notGood(): OAuthError {
  return tokenRefused('The initial access token is not valid', 'unknown, used up, expired or revoked');
}

/** DCR-05. `reason` is for the log. */
function tokenRefused(description: string, reason: string): OAuthError {
  return new OAuthError('invalid_token', description, { cause: reason, headers: { 'WWW-Authenticate': 'Bearer realm="registration", error="invalid_token"' } });
}

/** DCR-14, RATE-03. Hosted connectors register for all their users from few addresses: those listed count only towards the limit of everybody. */
async function takeAllowance(address: string, context: Context): Promise<void> {
  const text = 'Too many registrations, wait before trying again';
  if (!isListed(address, context.options.clients.unlimitedAddresses)) await context.limits.check('register.address', addressBucket(address), text);
  await context.limits.check('register', undefined, text);
}

/** Nobody is locked out by litter: at the cap, clients that nobody used for a day go first. */
async function refuseWhenFull(context: Context): Promise<void> {
  const { maxUnconsented } = context.options.clients;
  if ((await context.store.countUnconsentedClients()) < maxUnconsented) return;
  const expired = await expireUnusedFor(86400, context);
  context.log.warn('clients.full', { max_unconsented: maxUnconsented, expired });
  if ((await context.store.countUnconsentedClients()) >= maxUnconsented) throw tooManyRequests(3600, 'Too many registered clients wait for a first sign-in');
}

type Registered = { parsed: ParsedMetadata; tokenId: string | undefined };

function newClient(metadata: ClientMetadata, secret: string | undefined, context: Context): Client {
  const now = context.now();
  const id = randomId('client_', 16);
  const client: Client = { id, registration: 'dynamic', metadata, createdAt: now, lastUsedAt: now };
  if (secret === undefined) return client;
  const { secretSeconds } = context.options.clients;
  const confidential: Client = { ...client, secretHash: clientSecretHash(context, id, secret) };
  return secretSeconds === 0 ? confidential : { ...confidential, secretExpiresAt: now + secretSeconds };
}

function registered({ id, createdAt, metadata, pendingSince }: Client, { parsed, tokenId }: Registered, { address, requestId }: Exchange) {
  const { clientName = '', redirectUris, tokenEndpointAuthMethod } = metadata;
  const standing = { ...(tokenId !== undefined && { registration_token: tokenId }), ...(pendingSince !== undefined && { pending: true }) };
  const detail = { name: clientName, redirect_uris: redirectUris, auth_method: tokenEndpointAuthMethod, notes: parsed.notes, ...standing };
  return auditEvent('client.registered', createdAt, `client:${id}`, { clientId: id, address, requestId, detail });
}
