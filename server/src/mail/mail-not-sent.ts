/**
 * How a sender says that a mail could not be handed over, but may be later. The message is for the log: a few words, never an address, a code or a secret.
 */
export class MailNotSent extends Error {
  override name = 'MailNotSent';
}
