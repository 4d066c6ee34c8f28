/**
 * Links that an operator hands out without mail: an invitation, and a new password for somebody who cannot get in. The secret is in the answer, once, and nowhere else.
 * Not here: what they open (new-account.ts, reset.ts).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context } from '../context.ts';
import type { Role, User } from '../storage/store.ts';
import { mustBeOn } from './methods/email-code.ts';
import { linkPath, newLink } from './one-time-link.ts';

export const invitationSeconds = 7 * 86_400;
export const operatorResetSeconds = 86_400;

/** Makes an invitation, good for 7 days and one person. Earlier ones to the same address end. */
export async function makeInvitation({ email, role }: { email: string; role: Role }, context: Context): Promise<string> {
  const { link, token } = newLink({ purpose: 'invitation', email, role, lifetimeSeconds: invitationSeconds }, context);
  const event = auditEvent('user.invited', context.now(), 'cli', { detail: { link: link.id, role } });
  await context.store.addLink(link, { replaces: true }, event);
  return context.issuer + linkPath('/invite', token);
}

/**
 * Makes a link with which this person chooses a new password, good for 24 hours, once. Earlier ones end, and the person is told that somebody has one.
 *
 * @throws {OAuthError} not_found where passwords are off.
 */
export async function makeResetLink(user: User, context: Context): Promise<string> {
  mustBeOn(context.options.signIn.password);
  const { link, token } = newLink({ purpose: 'reset', userId: user.id, lifetimeSeconds: operatorResetSeconds }, context);
  const event = auditEvent('user.reset_link_created', context.now(), 'cli', { userId: user.id, detail: { link: link.id } });
  await context.store.addLink(link, { replaces: true }, context.mail.notify(event, { kind: 'reset-link-made', user }));
  return context.issuer + linkPath('/reset', token);
}
