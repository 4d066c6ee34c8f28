/**
 * Carries a decision out: yes makes a grant, a code and an answer; no makes an answer. Each is one verb of the store that works once per request, so a second
 * click, a second tab or a second node changes nothing (CON-06). Not here: asking (consent.ts), the redirect (authorize.ts, return-page.ts).
 */
import type { Browser } from '../account/browser-cookie.ts';
import { clientView } from '../account/client-view.ts';
import type { SignedIn } from '../account/session.ts';
import { auditEvent } from '../audit/event.ts';
import { metadataDigest } from '../clients/metadata.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256At } from '../crypto/hash.ts';
import { openUnder, sealUnder } from '../crypto/instance-keys.ts';
import { randomIdAt } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import type { Client, Code, Grant, ParkedRequest, RequestAnswer, Session, SessionClient } from '../storage/store.ts';
import { type ClientAnswer, codeAnswer, errorAnswer } from './answer.ts';
import { type AllowedAccesses, approvalOf } from './approval.ts';
import type { Lasting } from './duration.ts';
import { unlistedAt } from './may-use.ts';
import { consentRedirect } from './next-step.ts';

export type Place = { browser: Browser; exchange: Exchange; context: Context };
/** The way back, and whether it says no: the person, or a rule about people (`notListed`). `handOff`: the code is shown here, for the person to carry, for the first or the last time. */
export type Outcome = ClientAnswer & { denied: boolean; notListed?: true; serverId?: string; handOff?: 'shown' | 'extended' };

type Approving = { parked: ParkedRequest; client: Client; signedIn: SignedIn; allowed: AllowedAccesses; lasting: Lasting; handOff?: boolean };

/** Grants what is `allowed`. Every approval makes grants of its own: an installation is what people see, pause and revoke (decision 5). */
export async function approve({ parked, client, signedIn, allowed, lasting, handOff }: Approving, place: Place): Promise<Outcome> {
  const { context } = place;
  const { request } = parked;
  const now = context.now();
  const common = {
    clientId: client.id,
    redirectUri: consentRedirect(request.redirectUri),
    clientDigest: metadataDigest(client.metadata),
    createdAt: now,
    ...lasting,
    // A client that speaks for a server has no refresh family to end with.
    expiresAt: lasting.expiresAt ?? (client.serverId === undefined ? undefined : now + context.options.refreshLifetimeSeconds),
  };
  const who = { user: signedIn.user, client: await clientView(client, context) };
  const { event, ...made } = await approvalOf({ allowed, common, who, detail: handOff ? { hand_off: true } : {} }, place);
  const { grant } = made;
  const value = randomIdAt('ac_', now, 32);
  const outcome: Outcome = { ...codeAnswer(request, value, context.issuer), denied: false, ...(handOff ? { handOff: 'shown' } : {}) };
  const code = codeRow(value, parked, { grant, session: signedIn.session, expiresAt: now + context.options.codeSeconds });
  const listener = listenerOf(client, { grant, session: signedIn.session });
  const answered = await context.store.approveRequest(
    { ...answerTo(parked, outcome, place), ...made, code, listener, sessionHash: signedIn.session.idHash },
    event,
  );
  if (answered === 'answered') throw alreadyDecided();
  place.exchange.decision = 'allowed';
  return outcome;
}

/** Answers with an error that the client may hear; nothing is shared (AZ-32). */
export async function refuse(parked: ParkedRequest, error: OAuthError, signedIn: SignedIn, place: Place): Promise<Outcome> {
  const { context } = place;
  const back = errorAnswer(parked.request, error, { issuer: context.issuer, root: context.options.issuer });
  const unlisted = unlistedAt(error);
  const outcome: Outcome = { ...back, denied: true, ...(unlisted === undefined ? {} : { notListed: true, serverId: unlisted }) };
  const event = auditEvent('grant.denied', context.now(), `user:${signedIn.user.id}`, { ...about(parked, signedIn, place), detail: { code: error.code } });
  const answered = await context.store.denyRequest(answerTo(parked, outcome, place), event);
  if (answered === 'answered') throw alreadyDecided();
  place.exchange.decision = 'denied';
  return outcome;
}

/** The outcome of an answered request, for as long as a code lives. Only the browser that began can open it. */
export function outcomeOf(parked: ParkedRequest, { browser, context }: Pick<Place, 'browser' | 'context'>): Outcome | undefined {
  if (parked.answer === undefined || parked.answeredAt === undefined || context.now() >= parked.answeredAt + context.options.codeSeconds) return undefined;
  return JSON.parse(openUnder(browser.id, `answer ${parked.idHash}`, parked.answer)) as Outcome;
}

export function alreadyDecided(): OAuthError {
  return new OAuthError('request_expired', 'The request was answered before').onPage({ case: 'requestDecided' });
}

function answerTo({ idHash, request }: ParkedRequest, outcome: Outcome, { browser, context }: Place): RequestAnswer {
  const answer = sealUnder(browser.id, `answer ${idHash}`, JSON.stringify(outcome));
  return { idHash, answer, now: context.now(), pushedHash: request.pushedHash };
}

/** Clients that registered an address for it hear when this session ends (OIDC Back-Channel Logout §2.5). */
function listenerOf({ id, metadata }: Client, { grant, session }: { grant: Grant; session: Session }): SessionClient | undefined {
  const { sid, userId, expiresAt } = session;
  if (metadata.backchannelLogoutUri === undefined || sid === undefined || !grant.scope.includes('openid')) return undefined;
  return { sid, clientId: id, userId, expiresAt };
}

/** AZ-30: everything that the token endpoint compares is fixed here. */
function codeRow(value: string, { request }: ParkedRequest, { grant, session, expiresAt }: { grant: Grant; session: Session; expiresAt: number }): Code {
  return {
    codeHash: sha256At(value),
    grantId: grant.id,
    clientId: request.clientId,
    redirectUri: request.redirectUri,
    codeChallenge: request.codeChallenge,
    nonce: request.nonce,
    dpopJkt: request.dpopJkt,
    authTime: session.authTime,
    amr: session.amr,
    sid: session.sid,
    createdAt: grant.createdAt,
    expiresAt,
    failures: 0,
  };
}

function about({ request }: ParkedRequest, { user }: SignedIn, { exchange }: Place) {
  return { userId: user.id, clientId: request.clientId, serverId: request.serverId, address: exchange.address, requestId: exchange.requestId };
}
