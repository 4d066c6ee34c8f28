/**
 * The section of codes by mail, which is a way in for whoever has proven their address. Not here: signing in with one (../email-code.ts), another address
 * (../change-email.ts).
 */
import { emailCodeView } from '../../views/security/email-code.ts';
import { emailCodeOn } from '../methods/email-code.ts';
import type { Section } from './section.ts';

export const emailCodeSection: Section = async ({ context, signedIn, frame }) => {
  const { email, emailProvenAt } = signedIn.user;
  if (!emailCodeOn(context.options) || email === undefined) return undefined;
  return emailCodeView(frame, { email, proven: emailProvenAt !== undefined });
};
