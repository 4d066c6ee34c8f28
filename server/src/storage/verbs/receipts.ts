/**
 * Verbs and values of consent receipts: what a person saw when they allowed something, and where they sat.
 */

/** Kept with a grant. `text` is JSON whose `v` says its shape (authorize/receipt.ts); address and user agent are those of the person's browser. */
export type ConsentRecord = { text: string; address?: string; userAgent?: string };

export type ReceiptVerbs = {
  /** The receipt of a grant of this person, living or not. */
  findReceipt(userId: string, grantId: string): Promise<string | undefined>;
};
