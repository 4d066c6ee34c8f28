/**
 * Sends a code and a link by mail and sends the browser to the page where the code is entered. Whether there is an account makes no difference to the answer nor to
 * the work: the row, the event and the mail's row are written either way, and the code is right for nobody where there is nobody. Not here: what a right code does.
 */
import { type AuditEvent, auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, redirect } from '../route.ts';
import { shownCode } from '../rules/one-time-code.ts';
import type { OneTimeLink } from '../storage/store.ts';
import type { Browser } from './browser-cookie.ts';
import { linkPath, type NewLink, newLink } from './one-time-link.ts';
import { type Onward, onwardFields } from './onward.ts';

const codeSeconds = 600;

export type CodeRequest = Pick<OneTimeLink, 'userId' | 'email'> & {
  purpose: 'sign-in' | 'sign-up';
  /** The address of the person it goes to. */
  sentTo?: string;
  /** Whether its code opens anything. */
  answerable: boolean;
  onward: Onward;
  /** "Keep me signed in on this device". */
  keep?: boolean;
  /** Somebody who is signed in confirms who they are. */
  confirming?: boolean;
};

type Place = { browser: Browser; exchange: Exchange; context: Context };
/** Gives the event the mail that tells the code and the path of the link. To nobody the mail is written like any other, with a recipient of `''`. */
export type CodeMail = (event: AuditEvent, values: { code: string; path: string }, locale: string) => AuditEvent;

export async function sendCode(asked: CodeRequest, withMail: CodeMail, place: Place): Promise<Answer> {
  const { browser, exchange, context } = place;
  const { onward, keep, confirming, sentTo, ...about } = asked;
  const made = newLink({ ...about, lifetimeSeconds: codeSeconds, browserHash: browser.hash }, context);
  const fields = { ...onwardFields(onward), ...(keep ? { keep: '1' } : {}), ...(confirming ? { reason: 'confirm' } : {}) };
  const event = auditEvent('user.code_requested', context.now(), 'anonymous', {
    userId: asked.userId,
    address: exchange.address,
    requestId: exchange.requestId,
    detail: { purpose: asked.purpose },
  });
  const values = { code: shownCode(made.code), path: linkPath('/code/link', made.token, fields) };
  // In the language of the page: who asks reads it, and it tells nothing about the account.
  const { language } = pageFrame(exchange, context);
  await context.store.addLink(made.link, { replaces: false, sentTo }, withMail(event, values, language));
  return redirect(codePage(made, fields, context), browser.cookies);
}

function codePage({ link }: NewLink, fields: Record<string, string>, { base }: Context): string {
  return `${base}/code?${new URLSearchParams({ flow: link.id, ...fields })}`;
}
