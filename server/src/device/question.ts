/**
 * What the person is asked about a device: the question of a consent, with the code to compare, and when and from where the device asked. Consent given before never
 * shortens it (RFC 8628 §5.4; DEV-04). Not here: forms and answers (device.ts).
 */
import type { SignedIn } from '../account/session.ts';
import { accessesOf } from '../authorize/asked-for.ts';
import { stillThereFor } from '../authorize/may-use.ts';
import { type Question, questionOf, type Targets, unasked } from '../authorize/question.ts';
import { strictestLimit } from '../authorize/together.ts';
import { addressBucket } from '../clients/address-bucket.ts';
import { findClient } from '../clients/find.ts';
import { metadataDigest } from '../clients/metadata.ts';
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { deviceCodeGrant, shownUserCode } from '../rules/device-grant.ts';
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
  targets: Targets;
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
  const { client } = found;
  const targets = await stillThereFor(device.request, signedIn, context).catch((error: unknown) => {
    throw error instanceof OAuthError && error.code === 'invalid_target' ? gone('invalid_target', error.message) : error;
  });
  for (const { resource } of accessesOf(device.request)) await checkNotPaused({ userId: signedIn.user.id, clientId: client.id, resource }, context);
  return {
    ...(await questionOf({ request: device.request, client, targets, signedIn }, unasked, context)),
    device,
    userCode,
    signedIn,
    clientDigest: metadataDigest(client.metadata),
    limit: strictestLimit(targets),
    targets,
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
    technical: {
      clientId,
      scope: [...new Set(accessesOf(request).flatMap(({ scope }) => scope))].join(' '),
      resource: accessesOf(request)
        .map(({ resource }) => resource)
        .join(' '),
    },
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
