/**
 * Carries out what a person decided about a device: yes makes a grant with its receipt, no makes none. Each is one verb of the store that works once, so a second click,
 * tab or node changes nothing.
 */
import type { SignedIn } from '../account/session.ts';
import { auditEvent } from '../audit/event.ts';
import { withAccessNotice } from '../authorize/access-notice.ts';
import { lasting } from '../authorize/duration.ts';
import { consentReceipt, consentRecord, type Decided } from '../authorize/receipt.ts';
import { narrowed } from '../authorize/scopes.ts';
import type { Context, Exchange } from '../context.ts';
import { randomId } from '../crypto/random.ts';
import { pageFrame } from '../page-frame.ts';
import type { DeviceCode, Grant } from '../storage/store.ts';
import { deviceConfirmPage } from '../views/device-page.ts';
import type { Duration } from '../views/duration-choice.ts';
import { describeDevice } from '../views/redirect-target.ts';
import { type AskingDevice, confirmValues } from './question.ts';

export type Place = { signedIn: SignedIn; exchange: Exchange; context: Context };

/** The boxes that were ticked, and for how long. */
export type Chosen = { ticked: readonly string[]; duration: Duration };

/** Grants what was asked for, without the optional scopes that were left empty. Every approval makes a grant of its own (decision 5). */
export async function approve(asking: AskingDevice, chosen: Chosen, place: Place): Promise<'approved' | 'answered'> {
  const { device } = asking;
  const { context, signedIn } = place;
  const now = context.now();
  const scope = narrowed(device.request.scope, asking.optional, chosen.ticked);
  const lasts = lasting(chosen.duration, { now, limit: asking.limit });
  const grant: Grant = {
    id: randomId('grant_', 12),
    userId: signedIn.user.id,
    clientId: device.clientId,
    serverId: device.request.serverId,
    resource: device.request.resource,
    scope,
    clientDigest: asking.clientDigest,
    ...lasts,
    createdAt: now,
    lastUsedAt: now,
  };
  const approved = auditEvent('grant.approved', now, `user:${signedIn.user.id}`, {
    ...about(device, place),
    grantId: grant.id,
    detail: { scope, device: device.address },
  });
  const access = { user: signedIn.user, clientId: device.clientId, client: asking.shown.client, resource: grant.resource, scope };
  const event = await withAccessNotice(approved, access, place);
  return context.store.approveDevice(
    {
      codeHash: device.codeHash,
      grant,
      authTime: signedIn.session.authTime,
      amr: signedIn.session.amr,
      now,
      receipt: consentRecord(receiptOf(asking, { granted: scope, duration: chosen.duration, lasting: lasts }, place), place.exchange),
    },
    event,
  );
}

/** Nothing is shared; the device hears access_denied. */
export async function deny(device: DeviceCode, place: Place): Promise<'denied' | 'answered'> {
  const { context, signedIn } = place;
  const detail = { code: 'access_denied', device: device.address };
  const event = auditEvent('grant.denied', context.now(), `user:${signedIn.user.id}`, { ...about(device, place), detail });
  return context.store.denyDevice({ codeHash: device.codeHash, now: context.now() }, event);
}

/** The code is not kept: it was compared, and is over. */
function receiptOf(asking: AskingDevice, decided: Pick<Decided, 'granted' | 'duration' | 'lasting'>, { exchange, context }: Place): string {
  const { shown, device, sameNetwork } = asking;
  const { clientId, createdAt: requestedAt, address } = device;
  const frame = pageFrame(exchange, context);
  const html = deviceConfirmPage(frame, { ...confirmValues(asking), userCode: '', csrf: '' });
  return consentReceipt(frame, { ...shown, clientId, returnsTo: describeDevice(frame), device: { requestedAt, address, sameNetwork } }, html, {
    ...decided,
    asked: true,
    at: context.now(),
  });
}

function about({ clientId, request }: DeviceCode, { signedIn, exchange }: Place) {
  return { userId: signedIn.user.id, clientId, serverId: request.serverId, address: exchange.address, requestId: exchange.requestId };
}
