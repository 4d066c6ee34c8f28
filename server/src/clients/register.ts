/**
 * POST /register: dynamic client registration (RFC 7591), kept boring. Open within limits, lenient about what it can ignore, the same shape of answer every time.
 * Anybody may call it, so what it gives is worth nothing without a person's consent (DCR-13). Not here: managing a registration (RFC 7592, a later release).
 */

import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { randomId } from '../crypto/random.ts';
import { OAuthError, tooManyRequests } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import type { Options } from '../options.ts';
import { type Answer, json } from '../route.ts';
import { mediaType, readText } from '../rules/read-body.ts';
import { parseStrictJson } from '../rules/strict-json.ts';
import type { Client, ClientMetadata } from '../storage/store.ts';
import { addressBucket, isListed } from './address-bucket.ts';
import { expireUnusedFor } from './expire.ts';
import { type ParsedMetadata, parseClientMetadata } from './metadata.ts';
import { clientSecretHash, newClientSecret } from './secret.ts';

/** Whether anybody may register; else the route is 404 and the metadata has no registration_endpoint (DCR-16). */
export function registrationOffered(options: Options): boolean {
  return options.clients.registration === 'open';
}

/** RFC 7591 §3. @throws {OAuthError} not_found when closed · invalid_client_metadata · invalid_redirect_uri · too_many_requests · content_too_large */
export async function register(exchange: Exchange, context: Context): Promise<Answer> {
  if (!registrationOffered(context.options)) throw new OAuthError('not_found', 'Clients are registered by the operator');
  const parsed = await readMetadata(exchange.request, context);

  await takeAllowance(exchange.address, context);
  await refuseWhenFull(context);

  const secret = parsed.metadata.tokenEndpointAuthMethod.startsWith('client_secret_') ? newClientSecret() : undefined;
  const client = newClient(parsed.metadata, secret, context);
  await context.store.addClient(client, registered(client, parsed, exchange));

  return json(registrationAnswer(client, secret), 201);
}

async function readMetadata(request: HttpRequest, context: Context): Promise<ParsedMetadata> {
  // A form can be posted by any page in the world; JSON needs a preflight, or a program.
  if (mediaType(request) !== 'application/json') throw new OAuthError('invalid_client_metadata', 'The body must be application/json');
  const parsed = parseStrictJson(await readText(request));
  if (!parsed) throw new OAuthError('invalid_client_metadata', 'The body must be a JSON object');
  if (parsed.duplicates.length > 0) throw new OAuthError('invalid_client_metadata', 'A member is repeated');
  return parseClientMetadata(parsed.value, 'registration', context.options.clients);
}

/** DCR-14, RATE-03. Hosted connectors register for all their users from few addresses: those listed count only towards the limit of everybody. */
async function takeAllowance(address: string, context: Context): Promise<void> {
  const { registrationsPerHour, registrationsPerHourAndAddress, unlimitedAddresses } = context.options.clients;
  const buckets: [string, number][] = [['register:everybody', registrationsPerHour]];
  if (!isListed(address, unlimitedAddresses)) buckets.unshift([`register:address:${addressBucket(address)}`, registrationsPerHourAndAddress]);
  for (const [bucket, limit] of buckets) {
    const allowance = await context.store.takeFrom(bucket, { limit, periodSeconds: 3600 }, context.now() * 1000);
    if (!allowance.allowed) throw tooManyRequests(allowance.retryAfter, 'Too many registrations, wait before trying again');
  }
}

/** Nobody is locked out by litter: at the cap, clients that nobody used for a day go first. */
async function refuseWhenFull(context: Context): Promise<void> {
  const { maxUnconsented } = context.options.clients;
  if ((await context.store.countUnconsentedClients()) < maxUnconsented) return;
  const expired = await expireUnusedFor(86400, context);
  context.log.warn('clients.full', { max_unconsented: maxUnconsented, expired });
  if ((await context.store.countUnconsentedClients()) >= maxUnconsented) throw tooManyRequests(3600, 'Too many registered clients wait for a first sign-in');
}

function newClient(metadata: ClientMetadata, secret: string | undefined, context: Context): Client {
  const now = context.now();
  const id = randomId('client_', 16);
  const client: Client = { id, registration: 'dynamic', metadata, createdAt: now, lastUsedAt: now };
  if (secret === undefined) return client;
  const { secretSeconds } = context.options.clients;
  const confidential: Client = { ...client, secretHash: clientSecretHash(context, id, secret) };
  return secretSeconds === 0 ? confidential : { ...confidential, secretExpiresAt: now + secretSeconds };
}

function registered({ id, createdAt, metadata }: Client, { notes }: ParsedMetadata, { address, requestId }: Exchange) {
  const detail = { name: metadata.clientName ?? '', redirect_uris: metadata.redirectUris, auth_method: metadata.tokenEndpointAuthMethod, notes };
  return auditEvent('client.registered', createdAt, `client:${id}`, { clientId: id, address, requestId, detail });
}

/** RFC 7591 §3.2.1: "all registered metadata about this client". Absent members stay absent: some clients cannot read null (DCR-02). */
function registrationAnswer(client: Client, secret: string | undefined): Record<string, unknown> {
  const { metadata } = client;
  const credentials = secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: client.secretExpiresAt ?? 0 };
  return {
    client_id: client.id,
    client_id_issued_at: client.createdAt,
    ...credentials,
    client_name: metadata.clientName,
    redirect_uris: metadata.redirectUris,
    grant_types: metadata.grantTypes,
    response_types: metadata.responseTypes.length > 0 ? metadata.responseTypes : undefined,
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    scope: metadata.scope,
    application_type: metadata.applicationType,
    client_uri: metadata.clientUri,
    logo_uri: metadata.logoUri,
    tos_uri: metadata.tosUri,
    policy_uri: metadata.policyUri,
    contacts: metadata.contacts,
    software_id: metadata.softwareId,
    software_version: metadata.softwareVersion,
    jwks: metadata.jwks,
    jwks_uri: metadata.jwksUri,
    require_pushed_authorization_requests: metadata.requirePushedRequests,
    token_endpoint_auth_signing_alg: metadata.tokenEndpointAuthSigningAlg,
    dpop_bound_access_tokens: metadata.dpopBoundAccessTokens,
  };
}
