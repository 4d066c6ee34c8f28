/**
 * The section of the second step: setting up an authenticator app, its recovery codes, taking both away. The secret travels sealed in the form until a first code
 * has shown that an app has it; only then is it stored. Not here: the second step of a sign-in (../second-step.ts).
 */
import type { Context, Exchange } from '../../context.ts';
import { randomId } from '../../crypto/random.ts';
import { base32, keyUri, stepOfCode } from '../../crypto/totp.ts';
import { OAuthError } from '../../errors.ts';
import { pageFrame } from '../../page-frame.ts';
import { type Answer, page, redirect } from '../../route.ts';
import type { User } from '../../storage/store.ts';
import { recoveryCodesPage } from '../../views/recovery-codes-page.ts';
import { twoStepView } from '../../views/security/two-step.ts';
import { twoStepPage } from '../../views/two-step-page.ts';
import { strengthen } from '../finish-sign-in.ts';
import { newRecoveryCodes, sealSecret, secondStepAmr, secondStepEvent } from '../second-factor.ts';
import { backWith, type OwnPage, ownPage, readSent, type Section, tokenFor } from './section.ts';

type Place = { exchange: Exchange; context: Context };

/** RFC 4226 §4: 160 bits. */
const secretBytes = 20;
/** How long somebody may take to set their app up, in seconds. */
const setUpSeconds = 900;

export const twoStepSection: Section = async (visit) => {
  const { context, signedIn, recent, frame } = visit;
  const factor = await context.store.findSecondFactor(signedIn.user.id);
  // Whoever has one keeps it, and is asked for it, when setting up is switched off.
  if (!factor && !context.options.signIn.totp) return undefined;
  return twoStepView(frame, { csrf: { codes: tokenFor('two-step/codes', visit), remove: tokenFor('two-step/remove', visit) }, recent, factor });
};

/** GET /account/security/two-step shows a new secret. */
export async function twoStepForm(exchange: Exchange, context: Context): Promise<Answer> {
  mayBeSetUp(context);
  const visit = await ownPage(exchange, context);
  if ('status' in visit) return visit;
  if (await context.store.findSecondFactor(visit.signedIn.user.id)) return redirect(`${context.base}/account/security`);
  return setUpAnswer(randomId('', secretBytes), {}, visit);
}

/** POST /account/security/two-step turns the second step on. */
export async function turnOnTwoStep(exchange: Exchange, context: Context): Promise<Answer> {
  mayBeSetUp(context);
  const sent = await readSent('two-step', { exchange, context }, { recent: true });
  if ('status' in sent) return sent;
  const { form, signedIn } = sent;
  const { user } = signedIn;
  const secret = openSetUp(form.get('sealed') ?? '', user, context);
  if (secret === undefined) return redirect(`${context.base}/account/security/two-step`);
  const bytes = Buffer.from(secret, 'base64url');
  const step = stepOfCode((form.get('code') ?? '').normalize('NFKC').replaceAll(/\s/g, ''), bytes, context.now());
  if (step === undefined) return { ...setUpAnswer(secret, { wrong: true }, { ...sent, exchange, context }), status: 400 };

  const { shown, hashes } = newRecoveryCodes(user.id, context);
  const factor = { userId: user.id, secretSealed: sealSecret(bytes, user.id, context), step, recoveryHashes: hashes };
  const added = secondStepEvent('second_factor.added', user.id, { exchange, context });
  const outcome = await context.store.addSecondFactor(factor, context.mail.notify(added, { kind: 'factor-added', user }, exchange));
  if (outcome === 'taken') return redirect(`${context.base}/account/security`);
  return codesAnswer(shown, { user, fresh: true }, { exchange, context }, await strengthen(signedIn, secondStepAmr.app, { exchange, context }));
}

/** POST /account/security/two-step/codes replaces the recovery codes. */
export async function newCodes(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('two-step/codes', { exchange, context }, { recent: true });
  if ('status' in sent) return sent;
  const { user } = sent.signedIn;
  const { shown, hashes } = newRecoveryCodes(user.id, context);
  const event = secondStepEvent('recovery_codes.replaced', user.id, { exchange, context });
  const replaced = await context.store.replaceRecoveryCodes({ userId: user.id, codeHashes: hashes }, event);
  return replaced ? codesAnswer(shown, { user, fresh: false }, { exchange, context }) : redirect(`${context.base}/account/security`);
}

/** POST /account/security/two-step/remove. */
export async function turnOffTwoStep(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('two-step/remove', { exchange, context }, { recent: true });
  if ('status' in sent) return sent;
  const { user } = sent.signedIn;
  const removed = secondStepEvent('second_factor.removed', user.id, { exchange, context });
  await context.store.removeSecondFactor(user.id, context.mail.notify(removed, { kind: 'factor-removed', user }, exchange));
  return backWith('two-step-off', sent.signedIn, context);
}

/** @throws {OAuthError} not_found: what is switched off is not there (META-15). */
function mayBeSetUp({ options }: Context): void {
  if (!options.signIn.totp) throw new OAuthError('not_found', 'Authenticator apps are switched off here');
}

/** Good for this person and a quarter of an hour, so that no page found later sets up an app of somebody else. */
function setUpAnswer(secret: string, { wrong }: { wrong?: boolean }, { signedIn, browser, exchange, context }: OwnPage): Answer {
  const { user } = signedIn;
  const bytes = Buffer.from(secret, 'base64url');
  const sealed = context.instance.seal(setUpPurpose(user, context), JSON.stringify({ secret, until: context.now() + setUpSeconds }));
  const html = twoStepPage(pageFrame(exchange, context), {
    csrf: tokenFor('two-step', { signedIn, browser, context }),
    sealed,
    key: base32(bytes),
    keyUri: keyUri(bytes, { service: context.options.serviceName, account: user.email ?? user.username }),
    wrong,
  });
  return page(html, 200, browser.cookies);
}

function openSetUp(sealed: string, user: User, context: Context): string | undefined {
  try {
    const { secret, until } = JSON.parse(context.instance.open(setUpPurpose(user, context), sealed)) as { secret: string; until: number };
    return context.now() < until ? secret : undefined;
  } catch {
    return undefined;
  }
}

const setUpPurpose = ({ id }: User, { issuer }: Context): string => `totp set-up ${issuer} ${id}`;

function codesAnswer(codes: string[], { user, fresh }: { user: User; fresh: boolean }, { exchange, context }: Place, cookies?: string[]): Answer {
  return page(recoveryCodesPage(pageFrame(exchange, context), { codes, user: user.email ?? user.username, fresh }), 200, cookies);
}
