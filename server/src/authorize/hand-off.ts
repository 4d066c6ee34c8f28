/**
 * "My agent runs on another computer": instead of leading this browser to a loopback address where nobody listens, the code is shown, to be carried
 * there by hand. Only where the operator turned it on, right after a sign-in, and with a minute to go, once more on request. Not here: HTML (views/hand-off.ts).
 */
import type { Browser } from '../account/browser-cookie.ts';
import { browserOf } from '../account/browser-cookie.ts';
import { checkForm, type Form } from '../account/form-token.ts';
import { parkedRequest } from '../account/parked-request.ts';
import { currentSession } from '../account/session.ts';
import { auditEvent } from '../audit/event.ts';
import type { Context, Exchange } from '../context.ts';
import { sha256At } from '../crypto/hash.ts';
import { sealUnder } from '../crypto/instance-keys.ts';
import { randomIdAt } from '../crypto/random.ts';
import { OAuthError } from '../errors.ts';
import { type Answer, redirect } from '../route.ts';
import { deviceCodeGrant } from '../rules/device-grant.ts';
import { refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { redirectClass } from '../rules/redirect-uri.ts';
import type { Client, ParkedRequest, Session } from '../storage/store.ts';
import type { HandOffOffer } from '../views/hand-off.ts';
import { codeAnswer } from './answer.ts';
import { alreadyDecided, type Outcome, outcomeOf } from './decision.ts';

/** Undefined where nothing is to be carried: another kind of address, or an operator who does not want it. */
export function handOffOffer({ request, createdAt }: ParkedRequest, { client, session }: { client: Client; session: Session }, context: Context) {
  if (!context.options.handOff || redirectClass(request.redirectUri) !== 'loopback' || request.responseMode !== undefined) return undefined;
  const offer: HandOffOffer = {
    fresh: session.unproven !== true && session.authTime >= createdAt,
    device: client.metadata.grantTypes.includes(deviceCodeGrant),
  };
  return offer;
}

/** POST /authorize/return: one more minute, with a code of its own; the one before is dead from then on. */
export async function extendHandOff(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const tx = form.get('tx');
  const browser = browserOf(exchange, context);
  const parked = await parkedRequest(tx, browser, context);
  checkForm(extensionForm(tx ?? ''), form.get('csrf'), { exchange, context });
  const outcome = outcomeOf(parked, { browser, context });
  if (outcome?.handOff !== 'shown' || parked.answer === undefined) throw alreadyDecided();

  await reissue({ parked, answer: parked.answer, outcome }, { browser, exchange, context });

  return redirect(`${context.base}/authorize/return?tx=${tx}`);
}

type Shown = { parked: ParkedRequest; answer: string; outcome: Outcome };

async function reissue(
  { parked, answer, outcome }: Shown,
  { browser, exchange, context }: { browser: Browser; exchange: Exchange; context: Context },
): Promise<void> {
  const { idHash, request } = parked;
  const signedIn = await currentSession(exchange, context);
  if (!signedIn) throw new OAuthError('request_expired', 'Nobody is signed in any more');
  const now = context.now();
  const code = randomIdAt('ac_', now, 32);
  const next: Outcome = { ...codeAnswer(request, code, context.issuer), denied: false, handOff: 'extended' };
  const event = auditEvent('grant.hand_off_extended', now, `user:${signedIn.user.id}`, {
    userId: signedIn.user.id,
    clientId: request.clientId,
    serverId: request.serverId,
    address: exchange.address,
    requestId: exchange.requestId,
  });
  const to = { answer: sealUnder(browser.id, `answer ${idHash}`, JSON.stringify(next)), codeHash: sha256At(code) };
  const from = { answer, codeHash: sha256At(new URL(outcome.href).searchParams.get('code') ?? '') };
  const done = await context.store.reissueCode({ idHash, from, to, now, expiresAt: now + context.options.codeSeconds }, event);
  if (done === 'over') throw alreadyDecided();
}

/** The form on the page that shows the code. */
export function extensionForm(tx: string): Form {
  return { purpose: 'hand-off', subject: [tx] };
}
