/**
 * GET /account/agents/:grant/receipt and receipt.json: what the person saw when they allowed something (ACC-03), also after it has ended. Somebody else's receipt is not
 * there, like one that never was.
 */
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { fromV1, type Receipt, type ReceiptV1, receiptPage } from '../views/receipt-page.ts';
import { currentSession } from './session.ts';

/** GET /account/agents/:grant/receipt. */
export async function receipt(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const { grantId, text } = await receiptOf(signedIn.user.id, exchange, context);
  // Written by us (authorize/receipt.ts, token/jwt-bearer/), so its type is what its version says.
  const kept = JSON.parse(text) as ({ v: 1 } & ReceiptV1) | ({ v: 2 } & Receipt);
  const shown = kept.v === 1 ? fromV1(pageFrame(exchange, context), kept) : kept;
  // In the language of then, whoever reads it now.
  return { ...page(receiptPage(shown, { base: context.base, grantId })), headers: { 'Content-Language': shown.language } };
}

/** GET /account/agents/:grant/receipt.json: the same as it is kept. */
export async function receiptData(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login`);
  const { grantId, text } = await receiptOf(signedIn.user.id, exchange, context);
  return { status: 200, json: text, headers: { 'Content-Disposition': `attachment; filename="${grantId}.json"` } };
}

/** @throws {OAuthError} not_found */
async function receiptOf(userId: string, { params }: Exchange, { store }: Context): Promise<{ grantId: string; text: string }> {
  const grantId = params.grant ?? '';
  const text = await store.findReceipt(userId, grantId);
  if (text === undefined) throw new OAuthError('not_found', 'There is no such receipt');
  return { grantId, text };
}
