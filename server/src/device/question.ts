/**
 * What the person is asked about a device: the question of a consent, with the code to compare, and when and from where the device asked. Consent given before never
 * shortens it (RFC 8628 §5.4; DEV-04). Not here: forms and answers (device.ts).
 */
import type { SignedIn } from '../account/session.ts';
import { checkPerson } from '../authorize/may-use.ts';
import { type Question, questionOf, unasked } from '../authorize/question.ts';
import { addressBucket } from '../clients/address-bucket.ts';
import { findClient } from '../clients/find.ts';
import { metadataDigest } from '../clients/metadata.ts';
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { deviceCodeGrant, shownUserCode } from '../rules/device-grant.ts';
import { targetOf } from '../servers/resource.ts';
import type { DeviceCode, MaxDuration } from '../storage/store.ts';
import type { DeviceConfirmValues } from '../views/device-page.ts';

/** A waiting device with its person, and the question. */
export type AskingDevice = Question & {
  device: DeviceCode;
  userCode: string;
  signedIn: SignedIn;
  clientDigest: string;
  sameNetwork: boolean;
  limit?: MaxDuration;
};

/** @throws {OAuthError} unauthorized_client, invalid_target, for a page: client or server have gone while the device waited. */
export async function askingDevice(
  { device, userCode, signedIn }: Pick<AskingDevice, 'device' | 'userCode' | 'signedIn'>,
  exchange: Exchange,
  context: Context,
): Promise<AskingDevice> {
  const found = await findClient(device.clientId, context, exchange.address);
  if (found.state === 'unavailable') throw found.error;
  if (found.state === 'gone' || !found.client.metadata.grantTypes.includes(deviceCodeGrant))
    throw gone('unauthorized_client', 'The registration of this client is gone');
  const target = await targetOf(device.request.resource, context);
  if (!target) throw gone('invalid_target', 'The resource is not registered here');
  await checkPerson(signedIn, target, context);
  const { client } = found;
  await checkNotPaused({ userId: signedIn.user.id, clientId: client.id, resource: device.request.resource }, context);
  return {
    ...(await questionOf({ request: device.request, client, target, signedIn }, unasked, context)),
    device,
    userCode,
    signedIn,
    clientDigest: metadataDigest(client.metadata),
    limit: target.server?.maxDuration,
    sameNetwork: addressBucket(device.address) === addressBucket(exchange.address),
  };
}

/** The values of the page, apart from its form. */
export function confirmValues({ shown, device, userCode, sameNetwork }: AskingDevice): Omit<DeviceConfirmValues, 'csrf'> {
  const { request, clientId, createdAt, address } = device;
  return {
    ...shown,
    userCode: shownUserCode(userCode),
    requestedAt: createdAt,
    address,
    sameNetwork,
    technical: { clientId, scope: request.scope.join(' '), resource: request.resource },
  };
}

/** ACC-01: it is resumed where the person paused it; the device waits meanwhile. @throws {OAuthError} access_denied */
async function checkNotPaused(agent: { userId: string; clientId: string; resource: string }, context: Context): Promise<void> {
  const pause = await context.store.agentPause(agent, context.now());
  if (!pause) return;
  const goTo = { href: `${context.base}/account/agents`, place: 'agents' as const };
  throw new OAuthError('access_denied', 'The agent is paused').onPage(pause.by === 'hold' ? { case: 'agentHeld' } : { case: 'agentPaused', goTo });
}

function gone(code: 'unauthorized_client' | 'invalid_target', description: string): OAuthError {
  return new OAuthError(code, description).onPage({ case: 'deviceGone' });
}
