/**
 * GET and POST /authorize (OAuth 2.1 §4.1.1): checks the request, parks it for the browser that brought it, and shows what comes first. A request without a
 * signed-in person is answered with the sign-in page itself. Not here: the checks (parameters.ts, request.ts), what is needed (next-step.ts).
 */
import { browserOf, knownBrowser } from '../account/browser-cookie.ts';
import { accountsPlace } from '../account/choose-account.ts';
import { holdsOthers } from '../account/held-sessions.ts';
import { currentSession, type SignedIn } from '../account/session.ts';
import { isSetUp } from '../account/set-up.ts';
import { signInAnswer } from '../account/sign-in.ts';
import { addressBucket } from '../clients/address-bucket.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256At } from '../crypto/hash.ts';
import { randomIdAt } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import { noteLanguage } from '../page-language.ts';
import { type Answer, redirect } from '../route.ts';
import { type Parameters, parametersFromForm } from '../rules/parameters.ts';
import type { AuthorizationRequest, Client, ParkedRequest } from '../storage/store.ts';
import { meansAnother } from './chosen-account.ts';
import { answerUnasked } from './consent.ts';
import type { Place } from './decision.ts';
import { errorBack } from './interstitial.ts';
import { type NextStep, nextStep } from './next-step.ts';
import { identify, readAuthorization } from './parameters.ts';
import { type Arrival, byReference, isByReference } from './pushed-request.ts';
import { checkRequest } from './request.ts';
import { sendBack } from './return-page.ts';

/** A little less than the longest address we read. */
const maxLocation = 8000;

/** GET and POST /authorize. */
export async function authorize(exchange: Exchange, context: Context): Promise<Answer> {
  const text = await readAuthorization(exchange.request);
  const asGet = crossSitePost(text, exchange, context);
  if (asGet) return asGet;
  const given = parametersFromForm(text);
  const signedIn = await currentSession(exchange, context);
  if (signedIn) {
    // What they allow is kept for as long as it lasts.
    context.limits.checkHere('authorize.person', signedIn.user.id);
    return answered(given, signedIn, exchange, context);
  }
  // Together they are one durable commit. The one who finds the limit reached leaves a request behind that nobody ever has the name of.
  const counted = context.limits.begin('authorize.address', addressBucket(exchange.address));
  const [limit, answer] = await Promise.allSettled([counted, answered(given, undefined, exchange, context)]);
  if (limit.status === 'rejected') throw limit.reason;
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}

async function answered(given: Parameters, signedIn: SignedIn | undefined, exchange: Exchange, context: Context): Promise<Answer> {
  const { asking, read } = isByReference(given) ? await byReference(given, exchange, context) : await byParameters(given, exchange, context);

  try {
    const request = await read();
    const next = await nextStep({ request, client: asking.client, signedIn }, context);
    return await begin({ request, next, client: asking.client, signedIn }, { browser: browserOf(exchange, context), exchange, context });
  } catch (error) {
    if (error instanceof OAuthError) return errorBack(error, asking, { signedIn, exchange, context });
    throw error;
  }
}

async function byParameters(given: Parameters, exchange: Exchange, context: Context): Promise<Arrival> {
  const asking = await identify(given, exchange, context);
  const read = async () => {
    const request = await checkRequest(given, asking, context);
    if (context.options.requirePushedRequests || asking.client.metadata.requirePushedRequests)
      throw new OAuthError('invalid_request', 'The request must be pushed first (RFC 9126)');
    return request;
  };
  return { asking, read };
}

type Begun = { request: AuthorizationRequest; next: NextStep; client: Client; signedIn: SignedIn | undefined };

async function begin({ request, next, client, signedIn }: Begun, place: Place): Promise<Answer> {
  const { browser, exchange, context } = place;
  noteLanguage(exchange, { asked: request.language });
  const { tx, parked } = await park(request, place);
  if (next.step === 'sign-in' && holdsOthers(place)) return redirect(accountsPlace({ tx }, context), browser.cookies);
  // That page says what is missing; the client could do nothing about it.
  if (!signedIn && !(await isSetUp(context))) return redirect(`${context.base}/login?tx=${tx}`, browser.cookies);
  if (next.step === 'sign-in' || !signedIn) return signInAnswer({ tx }, place, { parked, client });
  if (next.step === 'confirm') return redirect(`${context.base}/login?tx=${tx}&reason=confirm`, browser.cookies);
  // A hint at somebody else who is here is not answered by whoever acts: the page of consent asks.
  const another = next.step === 'answer' && !request.prompt.includes('none') && (await meansAnother({ request, client, user: signedIn.user }, place));
  if (next.step !== 'answer' || another) return redirect(`${context.base}/authorize/consent?tx=${tx}`, browser.cookies);
  const outcome = await answerUnasked({ tx, parked, client, signedIn }, next, place);
  return sendBack(outcome, client.id, place, browser.cookies);
}

async function park(request: AuthorizationRequest, { browser, context }: Place): Promise<{ tx: string; parked: ParkedRequest }> {
  const { requestSeconds, codeSeconds } = context.options;
  const now = context.now();
  const tx = randomIdAt('tx_', now, 24);
  const parked: ParkedRequest = { idHash: sha256At(tx), browserHash: browser.hash, request, createdAt: now, expiresAt: now + requestSeconds + codeSeconds };
  await context.store.parkRequest(parked);
  return { tx, parked };
}

/** A form posted by another site comes without our Lax cookies: a person who is signed in would look like a stranger, and a new cookie would lose what their other tabs wait for. */
function crossSitePost(text: string, exchange: Exchange, context: Context): Answer | undefined {
  if (exchange.request.method !== 'POST' || knownBrowser(exchange, context)) return undefined;
  const location = `${context.base}/authorize?${new URLSearchParams(text)}`;
  return location.length < maxLocation ? redirect(location) : undefined;
}
