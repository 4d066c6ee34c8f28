/**
 * Which browser and network somebody signs in from, coarsely: the family of the browser and its system, and the network around the address. Updates and new leases
 * do not make a stranger of anybody; that a thief may sit in the same network with the same browser, this cannot see.
 */
import type { AuditEvent } from '../audit/event.ts';
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context, Exchange } from '../context.ts';
import type { User } from '../storage/store.ts';
import { deviceText } from '../views/device-name.ts';
import { wordsFor } from '../views/words.ts';

/** By what a person's browser is known. Another person's same browser has another hash. */
export function deviceHashOf({ id }: Pick<User, 'id'>, { request, address }: Exchange, context: Context): string {
  const browser = deviceText(request.headers.get('user-agent') ?? undefined, wordsFor('en'));
  return context.instance.mac('device', id, browser, networkOf(address));
}

/** The event of a sign-in, with a warning when it comes from where this person has never signed in; the very first sign-in warns nobody. */
export async function withDeviceNotice(
  event: AuditEvent,
  { user, deviceHash }: { user: User; deviceHash: string },
  { exchange, context }: { exchange: Exchange; context: Context },
): Promise<AuditEvent> {
  if (!context.mail.on || user.email === undefined) return event;
  const standing = await context.store.knowsDevice({ userId: user.id, deviceHash }, context.now());
  return standing === 'new' ? context.mail.notify(event, { kind: 'new-device', user }, exchange) : event;
}

/** The first 24 bits of an IPv4 address, 48 of an IPv6 one. */
function networkOf(address: string): string {
  const bucket = addressBucket(address);
  return bucket.includes(':') ? bucket.split(':').slice(0, 3).join(':') : bucket.split('.').slice(0, 3).join('.');
}
