/**
 * /account/profile: what a person is called here, and the ways to take their data or themselves away. The language is chosen by the menu that every page has
 * (language.ts). Not here: the data (export.ts), the end (delete-account.ts).
 */
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page, redirect } from '../route.ts';
import { parametersFromForm } from '../rules/parameters.ts';
import { isDisplayName } from '../rules/person.ts';
import { profilePage } from '../views/profile-page.ts';
import { type Browser, browserOf } from './browser-cookie.ts';
import { isFresh } from './fresh-sign-in.ts';
import { readSent, tokenFor } from './security/section.ts';
import { currentSession, type SignedIn } from './session.ts';

type Place = { signedIn: SignedIn; browser: Browser; exchange: Exchange; context: Context };

/** GET /account/profile. */
export async function profile(exchange: Exchange, context: Context): Promise<Answer> {
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) return redirect(`${context.base}/login?to=profile`);
  const saved = parametersFromForm(new URL(exchange.request.url).search).get('saved') === '1';
  return formAnswer({ saved }, { signedIn, browser: browserOf(exchange, context), exchange, context });
}

/** POST /account/profile. An empty name is none: then the username stands in its place. */
export async function changeProfile(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('profile', { exchange, context });
  if ('status' in sent) return sent;
  const name = (sent.form.get('name') ?? '').normalize('NFC').trim();
  if (!isDisplayName(name)) return { ...(await formAnswer({ wrongName: name }, { ...sent, exchange, context })), status: 400 };

  const { id } = sent.signedIn.user;
  const about = { userId: id, address: exchange.address, requestId: exchange.requestId };
  await context.store.renameUser(id, name === '' ? undefined : name, auditEvent('user.renamed', context.now(), `user:${id}`, about));
  return redirect(`${context.base}/account/profile?saved=1`);
}

async function formAnswer(shown: { saved?: boolean; wrongName?: string }, { signedIn, browser, exchange, context }: Place): Promise<Answer> {
  const { username, name, email } = signedIn.user;
  const html = profilePage(pageFrame(exchange, context, exchange.request.method === 'GET' ? undefined : `${context.base}/account/profile`), {
    csrf: tokenFor('profile', { signedIn, browser, context }),
    user: { username, name, email },
    recent: isFresh(signedIn, context),
    ...shown,
  });
  return page(html, 200, browser.cookies);
}
