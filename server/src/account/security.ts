/**
 * GET /account/security: how a person signs in, and where they are signed in. Each section makes its own part and answers its own forms (security/); a new one is
 * a file there and a line here.
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import { securityPage } from '../views/security-page.ts';
import { browserOf } from './browser-cookie.ts';
import { isFresh, mayAddWay } from './fresh-sign-in.ts';
import { emailCodeSection } from './security/email-code.ts';
import { passkeysSection } from './security/passkeys.ts';
import { passwordSection } from './security/password.ts';
import { noticeIn, type Section } from './security/section.ts';
import { sessionsSection } from './security/sessions.ts';
import { twoStepSection } from './security/two-step.ts';
import { upstreamsSection } from './security/upstreams.ts';
import { currentSession } from './session.ts';

/** In the order of the page. */
const sections: readonly Section[] = [passkeysSection, passwordSection, emailCodeSection, twoStepSection, upstreamsSection, sessionsSection];

/** GET /account/security. */
export async function security(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?to=security`);
  const browser = browserOf(exchange, context);
  const frame = pageFrame(exchange, context);
  const visit = { exchange, context, signedIn, browser, frame, recent: isFresh(signedIn, context), mayAdd: await mayAddWay(signedIn, context) };
  const shown = await Promise.all(sections.map((section) => section(visit)));

  const { username, name, email } = signedIn.user;
  const html = securityPage(frame, {
    user: { name: name ?? username, email },
    recent: visit.mayAdd,
    notice: noticeIn(parametersFromForm(new URL(exchange.request.url).search), signedIn, context),
    sections: shown.filter((section) => section !== undefined),
  });
  return page(html, 200, browser.cookies);
}
