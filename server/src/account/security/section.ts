/**
 * What the sections of /account/security have in common: who looks at the page, the tokens of their forms, and the way back to it with word of what was done.
 */
import type { Context, Exchange } from '../../context.ts';
import { equalSecrets } from '../../crypto/hash.ts';
import { type Answer, redirect } from '../../route.ts';
import type { Parameters } from '../../rules/parameters.ts';
import { readParameters } from '../../rules/read-body.ts';
import type { PageFrame } from '../../views/layout.ts';
import type { SecurityNotice, SecuritySection } from '../../views/security-page.ts';
import { type Browser, browserOf } from '../browser-cookie.ts';
import { checkForm, type Form, formToken } from '../form-token.ts';
import { isFresh } from '../fresh-sign-in.ts';
import { currentSession, type SignedIn } from '../session.ts';

/** What a section is made from. */
export type Visit = {
  exchange: Exchange;
  context: Context;
  signedIn: SignedIn;
  browser: Browser;
  frame: PageFrame;
  /** Whether the sign-in is recent enough to change how somebody signs in. */
  recent: boolean;
  /** Whether it is enough to add a way: less is asked of whoever has none that could confirm them. */
  mayAdd: boolean;
};

/** A part of the page; undefined where there is nothing to show. */
export type Section = (visit: Visit) => Promise<SecuritySection | undefined>;

/** A form of the page that was sent by the person and browser it was made for. */
export type Sent = { form: Parameters; signedIn: SignedIn; browser: Browser };

/** Who looks at a page behind this one. */
export type OwnPage = Pick<Visit, 'signedIn' | 'browser' | 'exchange' | 'context'>;

/** How recent a sign-in must be: `isFresh`, or `mayAddWay` for what adds a way. */
type Enough = (signedIn: SignedIn, context: Context) => boolean | Promise<boolean>;

/** For a page on which somebody changes how they sign in. An answer instead: nobody is signed in, or not recently enough. */
export async function ownPage(exchange: Exchange, context: Context, enough: Enough = isFresh): Promise<OwnPage | Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?to=security`);
  if (!(await enough(signedIn, context))) return redirect(confirmPath(context));
  return { signedIn, browser: browserOf(exchange, context), exchange, context };
}

function confirmPath({ base }: Context): string {
  return `${base}/login?reason=confirm&to=security`;
}

/** The token of one form of the page; `action` is what it does, so that it does nothing else. */
export function tokenFor(action: string, { signedIn, browser, context }: Pick<Visit, 'signedIn' | 'browser' | 'context'>): string {
  return formToken(formOf(action, signedIn), browser, context);
}

/** Reads a form of the page. An answer instead: nobody is signed in, or not recently enough where `recent` asks for that, or for what it names. `prose` names a field of several lines. @throws {OAuthError} invalid_form */
export async function readSent(
  action: string,
  { exchange, context }: { exchange: Exchange; context: Context },
  { recent = false, prose }: { recent?: boolean | Enough; prose?: string } = {},
): Promise<Sent | Answer> {
  const form = await readParameters(exchange.request, 'form', prose);
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?reason=signed-out&to=security`);
  const browser = checkForm(formOf(action, signedIn), form.get('csrf'), { exchange, context });
  if (recent && !(await (recent === true ? isFresh : recent)(signedIn, context))) return redirect(confirmPath(context));
  return { form, signedIn, browser };
}

/** Back to the page, which then says what happened. The word is signed for this session: an address that a stranger made says nothing. */
export function backWith(notice: SecurityNotice, signedIn: SignedIn, context: Context): Answer {
  return redirect(`${context.base}/account/security?notice=${notice}.${noticeProof(notice, signedIn, context)}`);
}

/** What an address made by {@link backWith} has to say to this session. */
export function noticeIn(query: Parameters, signedIn: SignedIn, context: Context): SecurityNotice | undefined {
  const [notice = '', proof = ''] = (query.get('notice') ?? '').split('.');
  return equalSecrets(proof, noticeProof(notice, signedIn, context)) ? (notice as SecurityNotice) : undefined;
}

function noticeProof(notice: string, { session }: SignedIn, context: Context): string {
  return context.instance.mac('security notice', context.issuer, session.idHash, notice).slice(0, 22);
}

function formOf(action: string, { session }: SignedIn): Form {
  return { purpose: 'security', subject: [action, session.idHash] };
}
