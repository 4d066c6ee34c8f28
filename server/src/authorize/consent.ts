/**
 * GET /authorize/consent and POST /consent: the person decides (CON-01 … CON-06). The page is made from the parked request and from nothing in the browser, and
 * the form can only say yes or no and leave optional scopes out. Not here: what is needed (next-step.ts), carrying it out (decision.ts), HTML (views/).
 */
import { browserOf } from '../account/browser-cookie.ts';
import { accountsPlace } from '../account/choose-account.ts';
import { readCookie } from '../account/cookies.ts';
import { checkForm, type Form, formToken } from '../account/form-token.ts';
import { parkedRequest } from '../account/parked-request.ts';
import { currentSession, type SignedIn } from '../account/session.ts';
import { findClient } from '../clients/find.ts';
import { metadataDigest } from '../clients/metadata.ts';
import type { Context, Exchange } from '../context.ts';
import { equalSecrets } from '../crypto/hash.ts';
import { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { noteLanguage } from '../page-language.ts';
import { type Answer, page, redirect } from '../route.ts';
import { type Parameters, parametersFromForm } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { matchesRegistered } from '../rules/redirect-uri.ts';
import type { AgentPause, Client, MaxDuration, McpServer, ParkedRequest } from '../storage/store.ts';
import { type ConsentPageValues, consentPage } from '../views/consent-page.ts';
import type { Duration } from '../views/duration-choice.ts';
import type { AllowedAccesses } from './approval.ts';
import { accessesOf } from './asked-for.ts';
import { wantsChoice } from './chosen-account.ts';
import { alreadyDecided, approve, type Outcome, type Place, refuse } from './decision.ts';
import { chosenDuration, durationMark, lasting } from './duration.ts';
import { handOffOffer } from './hand-off.ts';
import { stillThereFor } from './may-use.ts';
import { type ConsentSoFar, type NextStep, nextStep } from './next-step.ts';
import { pausedAnswer, resumeFor } from './paused.ts';
import { questionOf, type Targets } from './question.ts';
import { consentReceipt, type Decided, receiptsFor, returnsTo } from './receipt.ts';
import { narrowedAccesses } from './scopes.ts';
import { checkTogether, strictestLimit } from './together.ts';

/** A request whose person is here. `through`: the server that the client speaks for, and through whose agents alone it acts. */
type Waiting = { tx: string; parked: ParkedRequest; client: Client; targets: Targets; through?: McpServer; signedIn: SignedIn };
/** What the page says, apart from its form. */
type Shown = Omit<ConsentPageValues, 'tx' | 'csrf'>;
type Question = { shown: Shown; optional: string[]; limit?: MaxDuration };

/** An older refusal is not why the agent asks now. */
const REASON_SECONDS = 600;

/** GET /authorize/consent?tx=…: the page, or what must come before it. */
export async function consentForm(exchange: Exchange, context: Context): Promise<Answer> {
  const place: Place = { browser: browserOf(exchange, context), exchange, context };
  const query = parametersFromForm(new URL(exchange.request.url).search);
  const waiting = await waitingRequest(query.get('tx'), place);
  if ('status' in waiting) return waiting;
  if (await wantsChoice(waiting, query.get('chosen'), place)) return redirect(accountsPlace({ tx: waiting.tx }, context));

  const next = await stepOf(waiting, place);
  if ('status' in next) return next;
  if (next.step === 'sign-in' || next.step === 'confirm') return redirect(`${context.base}/login?tx=${waiting.tx}&reason=confirm`);
  if (next.step === 'paused') return pausedAnswer({ ...waiting, ...next, form: consentFormOf(waiting) }, place);
  if (next.step === 'answer') {
    await answerUnasked(waiting, next, place);
    return goBack(waiting.tx, context);
  }
  const question = await ask(waiting, next, context);
  const csrf = `${formToken(consentFormOf(waiting), place.browser, context)}.${formToken(pageOf(waiting, question), place.browser, context)}`;
  return page(consentPage(pageFrame(exchange, context), { ...question.shown, tx: waiting.tx, csrf }));
}

/** POST /consent. */
export async function consent(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  if (form.repeated.some((name) => name !== 'scope')) throw new OAuthError('invalid_request', 'A parameter is repeated');
  const place: Place = { browser: browserOf(exchange, context), exchange, context };
  const waiting = await waitingRequest(form.get('tx'), place);
  if ('status' in waiting) return waiting;

  const { parked, signedIn, client } = waiting;
  const next = await stepOf(waiting, place);
  if ('status' in next) return next;
  if (next.step === 'sign-in' || next.step === 'confirm') return redirect(`${context.base}/login?tx=${waiting.tx}&reason=confirm`);
  if (next.step === 'paused') return decidePaused(form, { waiting, pause: next.pause }, place);
  const question = await ask(waiting, next, context);
  const { shown, optional } = question;
  const [proof, page] = (form.get('csrf') ?? '').split('.');
  checkForm(consentFormOf(waiting), proof, { exchange, context });
  const decision = form.get('decision');
  // Resumed in another tab meanwhile: on to the question.
  if (decision === 'resume') return redirect(`${context.base}/authorize/consent?tx=${waiting.tx}`);
  if (decision !== 'allow' && decision !== 'deny') throw new OAuthError('invalid_request', 'decision must be allow or deny');

  // The same agent may have been allowed elsewhere while this page was open: then there is another question to read. No stays no.
  if (decision === 'allow' && !equalSecrets(page ?? '', formToken(pageOf(waiting, question), place.browser, context)))
    return redirect(`${context.base}/authorize/consent?tx=${waiting.tx}`);
  if (decision === 'deny') await refuse(parked, new OAuthError('access_denied', 'The person said no'), signedIn, place);
  else {
    const granted = narrowedAccesses(accessesOf(parked.request), optional, form.all('scope'));
    const decided = decidedBy(chosenDuration(form.get('duration'), shown.durations), question, context);
    const allowed = withReceipts(shown, granted, { ...decided, asked: true }, { exchange, context });
    const handOff = form.get('hand_off') === '1' && shown.handOff !== undefined;
    if (handOff && !shown.handOff?.fresh) return redirect(`${context.base}/login?tx=${waiting.tx}&reason=confirm`);
    await approve({ parked, client, signedIn, allowed, lasting: decided.lasting, handOff }, place);
  }
  return goBack(waiting.tx, context);
}

/** Yes to what was asked before the pause is asked again after it. */
async function decidePaused(form: Parameters, { waiting, pause }: { waiting: Waiting; pause: AgentPause }, place: Place): Promise<Answer> {
  const { exchange, context } = place;
  checkForm(consentFormOf(waiting), form.get('csrf')?.split('.')[0], { exchange, context });
  const decision = form.get('decision');
  if (decision !== 'resume' && decision !== 'allow' && decision !== 'deny') throw new OAuthError('invalid_request', 'decision must be resume or deny');
  if (decision === 'deny') {
    await refuse(waiting.parked, new OAuthError('access_denied', 'The agent is paused'), waiting.signedIn, place);
    return goBack(waiting.tx, context);
  }
  if (decision === 'resume') await resumeFor(waiting.signedIn, pause, place);
  return redirect(`${context.base}/authorize/consent?tx=${waiting.tx}`);
}

/** Answers from remembered consent, without a page; next-step.ts has said that this is safe. */
export async function answerUnasked(known: Omit<Waiting, 'targets' | 'through'>, before: ConsentSoFar, place: Place): Promise<Outcome> {
  const { context, exchange } = place;
  const targets = await targetsOf(known, context);
  const through = await serverSpokenFor(known.client, context);
  const question = await ask({ ...known, targets, through }, before, context);
  const decided = decidedBy(chosenDuration(undefined, question.shown.durations), question, context);
  const allowed = withReceipts(question.shown, accessesOf(known.parked.request), { ...decided, asked: false }, { exchange, context });
  const outcome = await approve({ ...known, allowed, lasting: decided.lasting }, place);
  exchange.decision = 'remembered';
  return outcome;
}

function decidedBy(duration: Duration, { shown, limit }: Question, context: Context) {
  return { duration, lasting: lasting(duration, { now: context.now(), limit, asBefore: shown.durations?.asBefore }) };
}

type Decision = Omit<Decided, 'at' | 'granted' | 'boxes'>;

/** What was shown is one page, whatever number of resources it is about. */
function withReceipts(
  shown: Shown,
  accesses: ReturnType<typeof accessesOf>,
  decision: Decision,
  { exchange, context }: Omit<Place, 'browser'>,
): AllowedAccesses {
  const frame = pageFrame(exchange, context);
  const html = consentPage(frame, { ...shown, tx: '', csrf: '' });
  const at = context.now();
  return receiptsFor(shown, accesses, (part, decided) => {
    const seen = { ...part, clientId: shown.technical.clientId, returnsTo: returnsTo(shown.redirectUri, shown.client, frame) };
    return consentReceipt(frame, seen, html, { ...decided, ...decision, at });
  });
}

/** Always through a page of ours: Chromium holds a form's whole chain of redirects to `form-action 'self'` (decision 12, CON-08). */
function goBack(tx: string, context: Context): Answer {
  return redirect(`${context.base}/authorize/return?tx=${tx}`);
}

/** @throws {OAuthError} request_expired when there is no such request here or it was answered. Otherwise the request with its person, or the answer that must come first. */
async function waitingRequest(given: string | undefined, place: Place): Promise<Waiting | Answer> {
  const { browser, exchange, context } = place;
  const parked = await parkedRequest(given, browser, context);
  const tx = given as string; // parkedRequest has found it
  noteLanguage(exchange, { asked: parked.request.language });
  if (parked.answeredAt !== undefined) throw alreadyDecided();
  const signedIn = await currentSession(exchange, context);
  // A session cookie without its session: they were signed in when the request began.
  const reason = readCookie('session', exchange.request, context) === undefined ? '' : '&reason=signed-out';
  if (!signedIn) return redirect(`${context.base}/login?tx=${tx}${reason}`);
  try {
    return { tx, parked, signedIn, ...(await stillThere(parked, signedIn, place)) };
  } catch (error) {
    if (!(error instanceof OAuthError) || !tellable.includes(error.code)) throw error;
    await refuse(parked, error, signedIn, place);
    return goBack(tx, context);
  }
}

/** What is needed, or the way back with what can never be. */
async function stepOf(waiting: Waiting, place: Place): Promise<NextStep | Answer> {
  const { tx, parked, signedIn } = waiting;
  try {
    return await nextStep({ ...waiting, request: parked.request, parkedAt: parked.createdAt }, place.context);
  } catch (error) {
    if (!(error instanceof OAuthError) || error.code !== 'unmet_authentication_requirements') throw error;
    await refuse(parked, error, signedIn, place);
    return goBack(tx, place.context);
  }
}

/** What the client may hear of a request that cannot be decided. */
const tellable: readonly OAuthError['code'][] = ['unauthorized_client', 'invalid_target', 'access_denied'];

/** The client or the server may have gone while the person was reading. @throws {OAuthError} unauthorized_client, invalid_target, access_denied */
async function stillThere(parked: ParkedRequest, signedIn: SignedIn, { exchange, context }: Place): Promise<Pick<Waiting, 'client' | 'targets' | 'through'>> {
  const { request } = parked;
  const found = await findClient(request.clientId, context, exchange.address);
  if (found.state === 'unavailable') throw found.error;
  const registered = found.client?.metadata.redirectUris.some((uri) => matchesRegistered(request.redirectUri, uri));
  if (found.state === 'gone' || !registered) throw new OAuthError('unauthorized_client', 'The registration of this client is gone or has changed');
  const targets = await targetsOf({ parked, client: found.client, signedIn }, context);
  return { client: found.client, targets, through: await serverSpokenFor(found.client, context) };
}

/** @throws {OAuthError} invalid_target, access_denied */
async function targetsOf({ parked: { request }, client, signedIn }: Pick<Waiting, 'parked' | 'client' | 'signedIn'>, context: Context): Promise<Targets> {
  const targets = await stillThereFor(request, signedIn, context);
  checkTogether({ scope: request.scope, client, targets }, context);
  return targets;
}

async function serverSpokenFor({ serverId }: Client, { store }: Context): Promise<McpServer | undefined> {
  const server = serverId === undefined ? undefined : await store.findServer(serverId);
  if (serverId !== undefined && !server) throw new OAuthError('unauthorized_client', 'The server that this client speaks for is gone');
  return server;
}

/** What the server refused to the agent a moment ago for want of what is asked now, if it told us. */
async function whyNow({ parked, signedIn }: Omit<Waiting, 'tx'>, fresh: readonly string[], context: Context): Promise<Shown['lastRefusal']> {
  const { clientId, resource } = parked.request;
  const { store, activity, now } = context;
  // An agent asks for more as soon as it was refused, and the report of that is written with the next batch.
  await activity.flush();
  const refusal = await store.lastRefusal({ userId: signedIn.user.id, clientId, resource }, now() - REASON_SECONDS);
  const missing = refusal?.missing.filter((scope) => fresh.includes(scope)) ?? [];
  return refusal && missing.length > 0 ? { ...refusal, missing } : undefined;
}

/** `before`: what was allowed so far; where everything was, nothing but presence is asked. */
async function ask(waiting: Omit<Waiting, 'tx'>, before: ConsentSoFar, context: Context): Promise<Question> {
  const { request } = waiting.parked;
  const { shown, optional } = await questionOf({ ...waiting, request }, before, context);
  const { allowed, reconnect } = before;
  const fresh = request.scope.filter((name) => !allowed.some((one) => one.name === name));
  const asked: Shown = {
    ...shown,
    redirectUri: request.redirectUri,
    newScopes: allowed.length > 0 ? fresh : undefined,
    allowedSince: allowed.length > 0 ? Math.min(...allowed.map(({ since }) => since)) : undefined,
    lastRefusal: allowed.length > 0 && fresh.length > 0 ? await whyNow(waiting, fresh, context) : undefined,
    reconnect,
    through: waiting.through?.name,
    handOff: handOffOffer(waiting.parked, { client: waiting.client, session: waiting.signedIn.session }, context),
    technical: {
      clientId: waiting.client.id,
      redirectUri: request.redirectUri,
      scope: [...new Set(accessesOf(request).flatMap(({ scope }) => scope))].join(' '),
      resource: accessesOf(request)
        .map(({ resource }) => resource)
        .join(' '),
      codeChallengeMethod: 'S256',
      responseMode: request.responseMode ?? 'query',
      prompt: request.prompt.length > 0 ? request.prompt.join(' ') : undefined,
    },
  };
  return { shown: asked, optional, limit: strictestLimit(waiting.targets) };
}

/** The form belongs to this request and to this person's session. */
function consentFormOf({ tx, signedIn }: Waiting): Form {
  return { purpose: 'consent', subject: [tx, signedIn.session.idHash] };
}

/** What stood on the page: another description of the client, other durations or other boxes are another question. */
function pageOf({ tx, client, signedIn }: Waiting, { shown: { durations }, optional }: Question): Form {
  return { purpose: 'consent', subject: [tx, signedIn.session.idHash, metadataDigest(client.metadata), durationMark(durations), ...optional] };
}
