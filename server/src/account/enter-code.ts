/**
 * GET and POST /code, and GET /code/link: a code from a mail comes back. It counts only in the browser that asked for it. The link fills it in there; anywhere else it
 * only shows the code, so that neither a scanner of mail nor a stranger's link signs anybody in (LOG-02). A GET changes nothing.
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { readCode, shownCode } from '../rules/one-time-code.ts';
import { type Parameters, parametersFromForm, refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import type { OneTimeLink } from '../storage/store.ts';
import { type CodeProblem, codeElsewherePage, codePage } from '../views/mail-code-page.ts';
import { type Browser, browserOf, knownBrowser } from './browser-cookie.ts';
import { finishSignIn } from './finish-sign-in.ts';
import { checkForm, type Form, formToken } from './form-token.ts';
import { emailCodeAmr } from './methods/email-code.ts';
import { codeHash, codeOf, linkClosed, openLink } from './one-time-link.ts';
import { onwardFields, onwardOf, signInPlace } from './onward.ts';
import { isConfirming } from './sign-in.ts';

/** How long somebody may take to choose a password after their address was proven. */
const provenSeconds = 1800;

type Place = { exchange: Exchange; context: Context };
type CodeLink = OneTimeLink & { purpose: 'sign-in' | 'sign-up' };

/** GET /code?flow=…: where the code is entered. */
export async function codeForm(exchange: Exchange, context: Context): Promise<Answer> {
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const browser = browserOf(exchange, context);
  const link = await ownLink(query, browser, context);
  return codeAnswer(link, {}, { query, browser, exchange, context });
}

/** GET /code/link?token=…: what the link in the mail opens. */
export async function codeLink(exchange: Exchange, context: Context): Promise<Answer> {
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const token = query.get('token');
  const link = await codeLinkOf(token, context);
  const code = codeOf(token ?? '', context);
  const browser = knownBrowser(exchange, context);
  if (browser?.hash === link.browserHash) return codeAnswer(link, { code }, { query, browser: browserOf(exchange, context), exchange, context });
  return page(codeElsewherePage(pageFrame(exchange, context), { purpose: link.purpose, code: shownCode(code) }));
}

/** POST /code. */
export async function enterCode(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const flow = form.get('flow');
  const browser = checkForm(formOf(flow), form.get('csrf'), { exchange, context });
  const link = await ownLink(form, browser, context);
  const again = (problem: CodeProblem) => codeAnswer(link, { problem }, { query: form, browser, exchange, context });

  const code = readCode(form.get('code'));
  if (code === undefined) return again('malformed');
  const now = context.now();
  const hash = codeHash(link.id, code, context);
  const tried = await context.store.tryLink({ id: link.id, browserHash: browser.hash, codeHash: hash, now, provenUntil: now + provenSeconds });
  if (tried === 'right') return onceProven(link, form, { exchange, context });
  // Tries of a dead code are not recorded: their number is up to whoever makes them.
  if (tried === 'wrong') await context.store.recordEvent(failure(link, { exchange, context }));
  return again(tried);
}

async function onceProven(link: CodeLink, form: Parameters, { exchange, context }: Place): Promise<Answer> {
  const onward = onwardOf(form);
  if (link.purpose === 'sign-up') return redirect(`${context.base}/signup/account?${new URLSearchParams({ flow: link.id, ...onwardFields(onward) })}`);
  const user = link.userId === undefined ? undefined : await context.store.findUser(link.userId);
  if (!user || user.disabledAt !== undefined) throw linkClosed(link.purpose);
  return finishSignIn({ user, amr: emailCodeAmr, keep: form.get('keep') === '1', onward }, { exchange, context });
}

/** @throws {OAuthError} request_expired unless this browser asked for it; what waits behind it can go on with another. */
async function ownLink(given: Parameters, browser: Browser, context: Context): Promise<CodeLink> {
  const flow = given.get('flow');
  const link = flow === undefined ? undefined : await context.store.findOwnLink(flow, browser.hash, context.now());
  if (link && isCodeLink(link) && link.provenAt === undefined) return link;
  throw linkClosed('sign-in').onPage({ case: 'codeClosed', goTo: { href: signInPlace(onwardOf(given), context), place: 'signIn' } });
}

async function codeLinkOf(token: string | undefined, context: Context): Promise<CodeLink> {
  const link = await openLink(token, ['sign-in', 'sign-up'], context);
  // A row that answers nobody has a secret, too, which was sent to nobody.
  if (!isCodeLink(link) || link.codeHash === undefined || link.provenAt !== undefined) throw linkClosed('sign-in');
  return link;
}

const isCodeLink = (link: OneTimeLink): link is CodeLink => link.purpose === 'sign-in' || link.purpose === 'sign-up';

function formOf(flow: string | undefined): Form {
  return { purpose: 'code', subject: [flow ?? ''] };
}

type Shown = { problem?: CodeProblem; code?: string };

function codeAnswer(link: CodeLink, { problem, code }: Shown, place: Place & { query: Parameters; browser: Browser }): Answer {
  const { query, browser, exchange, context } = place;
  const keep: Record<string, string> = query.get('keep') === '1' ? { keep: '1' } : {};
  const reason: Record<string, string> = isConfirming(query) ? { reason: 'confirm' } : {};
  const onward = onwardFields(onwardOf(query));
  const html = codePage(pageFrame(exchange, context), {
    purpose: link.purpose,
    hidden: { flow: link.id, ...onward, ...keep, ...reason, csrf: formToken(formOf(link.id), browser, context) },
    again: `${link.purpose === 'sign-up' ? '/signup' : '/login'}?${new URLSearchParams({ ...onward, ...reason, ...(link.purpose === 'sign-in' ? { switch: '1' } : {}) })}`,
    email: link.email,
    code: code && shownCode(code),
    problem,
  });
  return page(html, problem === undefined ? 200 : 400, browser.cookies);
}

function failure({ userId, purpose }: CodeLink, { exchange, context }: Place) {
  const about = { userId, address: exchange.address, requestId: exchange.requestId, detail: { code: purpose } };
  return auditEvent('user.sign_in_failed', context.now(), 'anonymous', about);
}
