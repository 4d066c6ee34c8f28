/**
 * GET, PUT and DELETE /register/:client_id: a client that registered itself reads, replaces or ends its registration (RFC 7592), with the token it was given
 * for that. There is no list, and nobody learns here whether a client exists. Not here: registering (register.ts).
 */
import { type AuditEvent, auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { equalSecrets, sha256 } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, empty, json } from '../route.ts';
import type { Client, ClientMetadata } from '../storage/store.ts';
import { addressBucket, isListed } from './address-bucket.ts';
import { metadataDigest } from './metadata.ts';
import { registeredMembers, registrationAnswer } from './registration-answer.ts';
import { readRegistration } from './registration-body.ts';
import { newManagementToken, presentedToken } from './registration-token.ts';
import { clientSecretHash, newClientSecret, usesSecret } from './secret.ts';
import { checkSector } from './sector.ts';

/** A client that has proven that the registration is its own, and the token it did that with. */
type Managed = { client: Client; token: string; hash: string };

/** Has the length of every stored hash and matches none: unknown clients take the same path as known ones. */
const decoy = sha256('no client has this token');

/** RFC 7592 §2.1. */
export async function readOwnRegistration(exchange: Exchange, context: Context): Promise<Answer> {
  const { client, token } = await managedClient(exchange, context);
  return json(registrationAnswer(client, { secret: undefined, managementToken: token }, context));
}

/** RFC 7592 §2.2: replaces everything, and the token with it. */
export async function replaceOwnRegistration(exchange: Exchange, context: Context): Promise<Answer> {
  const { client, hash } = await managedClient(exchange, context);
  const { metadata, notes, members } = await readRegistration(exchange.request, context);
  checkReplacement(members, client, context);
  await takeAllowance(client, exchange, context);
  await checkSector(metadata, context);

  const { replaced, secret } = replacement(client, metadata, context);
  const token = newManagementToken();
  const event = aboutClient('client.replaced', client, exchange, context, {
    ...changesOf(client.metadata, metadata, context),
    auth_method: metadata.tokenEndpointAuthMethod,
    notes,
  });
  const change = { client: { ...replaced, managementHash: token.hash }, managementHash: hash, endsGrants: changesHands(client.metadata, metadata) };
  if (!(await context.store.replaceClient(change, event))) throw refused('replaced or removed at the same moment');

  return json(registrationAnswer(replaced, { secret, managementToken: token.value }, context));
}

/** RFC 7592 §2.3: the client, its codes, tokens and consents end in one commit (DCM-04). */
export async function removeOwnRegistration(exchange: Exchange, context: Context): Promise<Answer> {
  const { client } = await managedClient(exchange, context);
  await context.store.removeClient(client.id, aboutClient('client.removed', client, exchange, context));
  return empty(204);
}

/** DCM-02: unknown, removed and not theirs look the same. @throws {OAuthError} invalid_token, forbidden */
async function managedClient({ request, params }: Exchange, context: Context): Promise<Managed> {
  const token = presentedToken(request);
  if (!token) throw refused('no token');
  const hash = sha256(token);
  const client = await context.store.findClient(params.client_id ?? '');
  const matches = equalSecrets(hash, client?.managementHash ?? decoy);
  if (!client || !matches || client.removedAt !== undefined) throw refused('unknown client, or the token of another');
  if (client.disabledAt !== undefined) throw new OAuthError('forbidden', 'The operator has disabled this client');
  return { client, token, hash };
}

const ofTheServer = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'];

/** RFC 7592 §2.2: `client_id` "MUST be the same as the currently issued client identifier". @throws {OAuthError} invalid_client_metadata */
function checkReplacement(members: Record<string, unknown>, client: Client, context: Context): void {
  const own = ofTheServer.find((name) => name in members);
  if (own !== undefined) throw new OAuthError('invalid_client_metadata', `${own} is not the client's to set`);
  if (members.client_id !== client.id) throw new OAuthError('invalid_client_metadata', 'client_id must be the one of this registration');
  const { client_secret: secret } = members;
  if (secret === undefined) return;
  const known = typeof secret === 'string' && equalSecrets(clientSecretHash(context, client.id, secret), client.secretHash ?? decoy);
  if (!known) throw new OAuthError('invalid_client_metadata', 'client_secret is not the one of this client');
}

/** Each replacement is recorded for good, and may fetch a sector document. Hosted connectors share addresses, as when they register. */
async function takeAllowance({ id }: Client, { address }: Exchange, { limits, options }: Context): Promise<void> {
  const text = 'Too many replacements, wait before trying again';
  await limits.check('replace.client', id, text);
  if (!isListed(address, options.clients.unlimitedAddresses)) await limits.check('replace.address', addressBucket(address), text);
}

/** A secret that is still needed stays as it is; one that begins to be is made. In approval mode another description is another question for the operator. */
function replacement(client: Client, metadata: ClientMetadata, context: Context): { replaced: Client; secret: string | undefined } {
  const { secretHash, secretExpiresAt, ...bare } = client;
  const { registration, secretSeconds } = context.options.clients;
  const now = context.now();
  const asksAgain = registration === 'approval' && metadataDigest(metadata) !== metadataDigest(client.metadata);
  const replaced: Client = { ...bare, metadata, pendingSince: asksAgain ? now : client.pendingSince };
  if (!usesSecret(metadata)) return { replaced, secret: undefined };
  if (secretHash !== undefined) return { replaced: { ...replaced, secretHash, secretExpiresAt }, secret: undefined };
  const secret = newClientSecret();
  const expires = secretSeconds === 0 ? undefined : now + secretSeconds;
  return { replaced: { ...replaced, secretHash: clientSecretHash(context, client.id, secret), secretExpiresAt: expires }, secret };
}

/** DCM-03: whoever has stolen the token must not inherit what people allowed the client before, nor hear of them. Names and links may change. */
function changesHands(before: ClientMetadata, after: ClientMetadata): boolean {
  const identity = ({ redirectUris, tokenEndpointAuthMethod, jwks, jwksUri, ...more }: ClientMetadata) => {
    const { backchannelLogoutUri, postLogoutRedirectUris = [], sectorIdentifierUri } = more;
    const digest = metadataDigest({ redirectUris, tokenEndpointAuthMethod, jwks, jwksUri, grantTypes: [], responseTypes: [] });
    return JSON.stringify([digest, backchannelLogoutUri, postLogoutRedirectUris.toSorted(), sectorIdentifierUri]);
  };
  return identity(before) !== identity(after);
}

const mostNewUris = 5;
const longestNewUri = 200;

/** Which members changed, and where codes may go now that could not go before; bounded, because events outlive what they are about. */
function changesOf(before: ClientMetadata, after: ClientMetadata, { options }: Context) {
  const [old, next]: Record<string, unknown>[] = [registeredMembers(before, options), registeredMembers(after, options)];
  const added = after.redirectUris.filter((uri) => !before.redirectUris.includes(uri));
  return {
    changed: Object.keys(next ?? {}).filter((name) => JSON.stringify(old?.[name]) !== JSON.stringify(next?.[name])),
    new_redirect_uris: added.slice(0, mostNewUris).map((uri) => uri.slice(0, longestNewUri)),
  };
}

function aboutClient(
  type: 'client.replaced' | 'client.removed',
  { id }: Client,
  { address, requestId }: Exchange,
  context: Context,
  detail?: AuditEvent['detail'],
): AuditEvent {
  return auditEvent(type, context.now(), `client:${id}`, { clientId: id, address, requestId, detail });
}

/** RFC 7592 §2, RFC 6750 §3.1. `reason` is for the log. */
function refused(reason: string): OAuthError {
  return new OAuthError('invalid_token', 'The registration access token is not valid', {
    cause: reason,
    headers: { 'WWW-Authenticate': 'Bearer realm="registration", error="invalid_token"' },
  });
}
