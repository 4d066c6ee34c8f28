/**
 * POST /device_authorization (RFC 8628 §3.1, §3.2): a device without a browser asks for a code to show. Client, resource and scope are checked as at /authorize, and
 * fixed here. Nothing is shared until a person enters the code and allows it (device.ts). Not here: polling (token/grants/device-code.ts).
 */
import { askedFor } from '../authorize/asked-for.ts';
import { addressBucket } from '../clients/address-bucket.ts';
import { findClient } from '../clients/find.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import { randomId } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, json } from '../route.ts';
import { deviceCodeGrant, newUserCode, shownUserCode } from '../rules/device-grant.ts';
import type { Client, DeviceRequest } from '../storage/store.ts';
import { readBackChannel } from '../token/back-channel.ts';
import { authenticateClient } from '../token/client-auth.ts';
import { userCodeHash } from './user-code.ts';

/** RFC 8628 §3.2: "the minimum amount of time in seconds that the client SHOULD wait between polling requests". */
const intervalSeconds = 5;

/** With a million devices waiting, one code in 25 000 is taken: a few tries never run out by chance. */
const tries = 5;

/** The handler of /device_authorization. */
export async function deviceAuthorization(exchange: Exchange, context: Context): Promise<Answer> {
  const parameters = await readBackChannel(exchange);

  await readDocument(parameters.get('client_id'), exchange, context);
  const client = await authenticateClient(exchange, parameters, context);
  if (!client.metadata.grantTypes.includes(deviceCodeGrant))
    throw new OAuthError('unauthorized_client', 'The client is not registered for the device authorization grant');
  await takeAllowance(client, exchange.address, context);
  const request = await askedFor(parameters, client, context);

  const { deviceCode, userCode } = await park(request, client, exchange, context);
  context.uses.client(client.id, context.now());

  const page = `${context.issuer}/device`;
  return json({
    device_code: deviceCode,
    user_code: shownUserCode(userCode),
    verification_uri: page,
    verification_uri_complete: `${page}?user_code=${shownUserCode(userCode)}`,
    expires_in: context.options.deviceCodeSeconds,
    interval: intervalSeconds,
  });
}

/** A public client proves nothing: by its name alone anybody could use up what its people need (RATE-03). */
async function takeAllowance({ id, metadata }: Client, address: string, context: Context): Promise<void> {
  const isPublic = metadata.tokenEndpointAuthMethod === 'none';
  await context.limits.check('device.client', isPublic ? `${sha256(id)} ${addressBucket(address)}` : sha256(id));
}

/** The back channel never fetches a metadata document, and here may be the first time that we hear of one: read it before it is looked up. */
async function readDocument(clientId: string | undefined, exchange: Exchange, context: Context): Promise<void> {
  if (!clientId?.startsWith('https://')) return;
  const found = await findClient(clientId, context, exchange.address);
  if (found.state !== 'unavailable') return;
  // That there is too much to do says nothing of the client.
  if (found.error.code !== 'client_metadata_unavailable') throw found.error;
  throw new OAuthError('invalid_client', found.error.message, { cause: found.error.cause });
}

type Parked = { deviceCode: string; userCode: string };

async function park(request: DeviceRequest, client: Client, exchange: Exchange, context: Context): Promise<Parked> {
  const deviceCode = randomId('dc_', 32);
  const now = context.now();
  const row = {
    codeHash: sha256(deviceCode),
    clientId: client.id,
    request,
    address: exchange.address,
    createdAt: now,
    expiresAt: now + context.options.deviceCodeSeconds,
    intervalSeconds,
  };
  for (let tried = 0; tried < tries; tried++) {
    const userCode = newUserCode();
    if ((await context.store.addDeviceCode({ ...row, userCodeHash: userCodeHash(userCode, context) })) === 'added') return { deviceCode, userCode };
  }
  throw new OAuthError('temporarily_unavailable', 'Too many devices wait', { headers: { 'Retry-After': '60' } });
}
