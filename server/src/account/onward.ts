/**
 * What waits behind a sign-in, and where a person goes once they are in (LOG-04). Nothing here can hold an address: a place is a transaction id or a name from
 * a list, so there is nowhere else to send a person to.
 */
import type { Context } from '../context.ts';
import { readUserCode, shownUserCode } from '../rules/device-grant.ts';
import type { Parameters } from '../rules/parameters.ts';
import { isTransaction } from './parked-request.ts';
import { isHandle } from './upstream-visit.ts';

/**
 * A parked authorization request, a device with the code its person brought, the page of passkeys and sessions or that of one's data, somebody who came back from an upstream and wants to link
 * what they are there, the grant that a notice warned of, or none: then the person wants to their own account.
 */
export type Onward = { tx?: string; device?: { userCode?: string }; security?: boolean; profile?: boolean; arrival?: string; pause?: string };

/** Reads `arrival`, `tx`, `to=device` with `user_code`, `to=security`, `to=profile`, or `to=pause` with `grant`, from a query or a form. */
export function onwardOf(given: Parameters): Onward {
  const arrival = given.get('arrival');
  if (isHandle(arrival)) return { arrival };
  const tx = given.get('tx');
  if (tx === undefined && given.get('to') === 'security') return { security: true };
  if (tx === undefined && given.get('to') === 'profile') return { profile: true };
  if (tx === undefined && given.get('to') === 'pause') return { pause: grantOf(given.get('grant')) };
  if (tx !== undefined || given.get('to') !== 'device') return { tx };
  const userCode = readUserCode(given.get('user_code'));
  return { device: { userCode: userCode && shownUserCode(userCode) } };
}

/** Where a person goes after signing in: on with the request or the device that waits, else to their agents. */
export function nextPlace({ tx, device, security, profile, arrival, pause }: Onward, context: Context): string {
  if (isHandle(arrival)) return `${context.base}/account/link?arrival=${arrival}`;
  if (device) return `${context.base}/device${device.userCode === undefined ? '' : `?user_code=${device.userCode}`}`;
  if (security) return `${context.base}/account/security`;
  if (profile) return `${context.base}/account/profile`;
  if (pause !== undefined) return `${context.base}/account/agents/pause?grant=${pause}`;
  return isTransaction(tx) ? `${context.base}/authorize/consent?tx=${tx}` : `${context.base}/account/agents`;
}

/** The same as query or hidden fields, to be read by {@link onwardOf} on the next page. */
export function onwardFields({ tx, device, security, profile, arrival, pause }: Onward): Record<string, string> {
  if (isHandle(arrival)) return { arrival };
  if (security) return { to: 'security' };
  if (profile) return { to: 'profile' };
  if (pause !== undefined) return { to: 'pause', grant: pause };
  if (device) return { to: 'device', ...(device.userCode === undefined ? {} : { user_code: device.userCode }) };
  return isTransaction(tx) ? { tx } : {};
}

/** The same behind an address: `?tx=…`, or nothing. */
export function queryOf(onward: Onward): string {
  const query = new URLSearchParams(onwardFields(onward)).toString();
  return query === '' ? '' : `?${query}`;
}

/** The sign-in page with what waits behind it. `confirm`: for somebody who is signed in and shows once more who they are. */
export function signInPlace(onward: Onward, context: Context, confirm = false): string {
  const query = new URLSearchParams({ ...onwardFields(onward), ...(confirm && { reason: 'confirm' }) });
  return `${context.base}/login${query.size === 0 ? '' : `?${query}`}`;
}

/** Whose it is, and whether there is one, the page it leads to finds out. */
function grantOf(given: string | undefined): string | undefined {
  return given !== undefined && /^grant_[A-Za-z0-9_-]{16}$/.test(given) ? given : undefined;
}
