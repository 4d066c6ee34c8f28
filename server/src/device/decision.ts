/**
 * Carries out what a person decided about a device: yes makes a grant with its receipt, no makes none. Each is one verb of the store that works once, so a second click,
 * tab or node changes nothing.
 */
import type { SignedIn } from '../account/session.ts';
import { auditEvent } from '../audit/event.ts';
import { type AllowedAccesses, approvalOf } from '../authorize/approval.ts';
import { accessesOf } from '../authorize/asked-for.ts';
import { lasting } from '../authorize/duration.ts';
import { consentReceipt, type Decided, receiptsFor } from '../authorize/receipt.ts';
import { narrowedAccesses } from '../authorize/scopes.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import type { DeviceCode } from '../storage/store.ts';
import { deviceConfirmPage } from '../views/device-page.ts';
import type { Duration } from '../views/duration-choice.ts';
import { describeDevice } from '../views/redirect-target.ts';
import { type AskingDevice, confirmValues } from './question.ts';

export type Place = { signedIn: SignedIn; exchange: Exchange; context: Context };

/** The boxes that were ticked, and for how long. */
export type Chosen = { ticked: readonly string[]; duration: Duration };

/** Grants what was asked for, without the optional scopes that were left empty. Every approval makes a grant of its own (decision 5). */
export async function approve(asking: AskingDevice, chosen: Chosen, place: Place): Promise<'approved' | 'answered'> {
  const { device, shown } = asking;
  const { context, signedIn } = place;
  const now = context.now();
  const lasts = lasting(chosen.duration, { now, limit: asking.limit });
  const granted = narrowedAccesses(accessesOf(device.request), asking.optional, chosen.ticked);
  const allowed = withReceipts(asking, granted, { duration: chosen.duration, lasting: lasts }, place);
  const common = { clientId: device.clientId, clientDigest: asking.clientDigest, createdAt: now, ...lasts };
  const who = { user: signedIn.user, client: shown.client };
  const { event, ...made } = await approvalOf({ allowed, common, who, detail: { device: device.address } }, place);
  const { authTime, amr, idHash: sessionHash } = signedIn.session;
  return context.store.approveDevice({ codeHash: device.codeHash, ...made, authTime, amr, now, sessionHash }, event);
}

/** Nothing is shared; the device hears access_denied. */
export async function deny(device: DeviceCode, place: Place): Promise<'denied' | 'answered'> {
  const { context, signedIn } = place;
  const detail = { code: 'access_denied', device: device.address };
  const event = auditEvent('grant.denied', context.now(), `user:${signedIn.user.id}`, { ...about(device, place), detail });
  return context.store.denyDevice({ codeHash: device.codeHash, now: context.now() }, event);
}

/** The code is not kept: it was compared, and is over. */
function withReceipts(
  asking: AskingDevice,
  accesses: ReturnType<typeof accessesOf>,
  decided: Pick<Decided, 'duration' | 'lasting'>,
  { exchange, context }: Place,
): AllowedAccesses {
  const { device, sameNetwork } = asking;
  const { clientId, createdAt: requestedAt, address } = device;
  const frame = pageFrame(exchange, context);
  const html = deviceConfirmPage(frame, { ...confirmValues(asking), userCode: '', csrf: '' });
  const about = { clientId, returnsTo: describeDevice(frame), device: { requestedAt, address, sameNetwork } };
  const at = context.now();
  return receiptsFor(asking.shown, accesses, (part, granted) =>
    consentReceipt(frame, { ...part, ...about }, html, { ...decided, ...granted, asked: true, at }),
  );
}

function about({ clientId, request }: DeviceCode, { signedIn, exchange }: Place) {
  return { userId: signedIn.user.id, clientId, serverId: request.serverId, address: exchange.address, requestId: exchange.requestId };
}
