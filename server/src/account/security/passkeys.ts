/**
 * The section of passkeys: making one (WebAuthn Level 3 §7.1), naming and removing it, and the offer of one to whoever has let their first agent in. Adding and
 * removing need a recent sign-in; the last way into an account stays. Not here: signing in with one (../methods/passkey.ts).
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context, Exchange } from '../../context.ts';
import { randomId } from '../../crypto/random.ts';
import { passkeyAlgorithms, verifyAttestation } from '../../crypto/webauthn.ts';
import { OAuthError } from '../../errors.ts';
import { type Answer, json, redirect } from '../../route.ts';
import { readAttestation } from '../../rules/passkey-credential.ts';
import type { Passkey } from '../../storage/store.ts';
import { displayText } from '../../views/display-text.ts';
import { passkeysView } from '../../views/security/passkeys.ts';
import { mayAddWay } from '../fresh-sign-in.ts';
import { type Ceremony, challengeSeconds, newChallenge, passkeysOn, relyingParty, takeChallenge, userHandle } from '../passkey-challenge.ts';
import type { SignedIn } from '../session.ts';
import { waysOn } from '../ways-in.ts';
import { backWith, readSent, type Section, type Sent, tokenFor } from './section.ts';

const maxNameLength = 60;

type Place = { exchange: Exchange; context: Context };

export const passkeysSection: Section = async (visit) => {
  const { context, signedIn, frame } = visit;
  if (!passkeysOn(context.options)) return undefined;
  const { id: userId } = signedIn.user;
  const [passkeys, ways] = await Promise.all([context.store.listPasskeys(userId), context.store.countWaysIn(userId, waysOn(context))]);
  return passkeysView(frame, {
    csrf: { add: tokenFor('passkeys/add', visit), rename: tokenFor('passkeys/rename', visit), remove: tokenFor('passkeys/remove', visit) },
    recent: visit.mayAdd,
    passkeys,
    onlyWayIn: ways <= 1,
    // §5.1.10.3: the browser may then forget keys that are no longer known here. By handle, so keys of other tenants are not meant.
    accepted: { rpId: relyingParty(context).id, userId: userHandle(userId, context), allAcceptedCredentialIds: passkeys.map((one) => one.credentialId) },
  });
};

/** POST /account/security/passkeys/request: what the script of the page asks an authenticator for a new key with (§5.4). */
export async function passkeyCreation(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readAdding({ exchange, context });
  if ('status' in sent) return sent;
  const { signedIn, browser } = sent;
  const { id, username, name, email } = signedIn.user;
  const { id: rpId, name: rpName } = relyingParty(context);
  const known = await context.store.listPasskeys(id);
  return json({
    rp: { id: rpId, name: rpName },
    user: { id: userHandle(id, context), name: email ?? username, displayName: name ?? username },
    challenge: newChallenge(ceremonyOf(signedIn), browser, context),
    pubKeyCredParams: passkeyAlgorithms.map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: known.map(({ credentialId, transports }) => ({ type: 'public-key', id: credentialId, transports })),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
    timeout: challengeSeconds * 1000,
  });
}

/** POST /account/security/passkeys stores a new one. */
export async function addPasskey(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readAdding({ exchange, context });
  if ('status' in sent) return sent;
  const { signedIn } = sent;
  const made = await newPasskey(sent, context);
  if (!made) return backWith('passkey-refused', signedIn, context);

  const outcome = await context.store.addPasskey(made, event('passkey.added', made.id, signedIn, { exchange, context }));
  return backWith(({ added: 'passkey-added', taken: 'passkey-taken', full: 'passkey-full' } as const)[outcome], signedIn, context);
}

/** POST /account/security/passkeys/rename. An empty name brings back that of its kind. */
export async function renamePasskey(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('passkeys/rename', { exchange, context });
  if ('status' in sent) return sent;
  const { form, signedIn } = sent;
  const id = form.get('passkey') ?? '';
  const name = displayText(form.get('name') ?? '', maxNameLength);
  const renamed = await context.store.renamePasskey({ userId: signedIn.user.id, id, name }, event('passkey.renamed', id, signedIn, { exchange, context }));
  return backWith(renamed ? 'passkey-renamed' : 'passkey-gone', signedIn, context);
}

/** POST /account/security/passkeys/remove. */
export async function removePasskey(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('passkeys/remove', { exchange, context }, { recent: true });
  if ('status' in sent) return sent;
  const { form, signedIn } = sent;
  const id = form.get('passkey') ?? '';
  const removal = { userId: signedIn.user.id, id, ways: waysOn(context) };
  const outcome = await context.store.removePasskey(removal, event('passkey.removed', id, signedIn, { exchange, context }));
  return backWith(({ removed: 'passkey-removed', last: 'passkey-last', gone: 'passkey-gone' } as const)[outcome], signedIn, context);
}

/** Whether to offer a passkey to somebody who has let an agent in: once they have said no, never again. */
export async function offersPasskey({ user }: SignedIn, context: Context): Promise<boolean> {
  if (!passkeysOn(context.options) || (await context.store.hasDismissed(user.id, 'passkey'))) return false;
  return (await context.store.listPasskeys(user.id)).length === 0;
}

/** POST /account/security/passkeys/later. */
export async function dismissPasskeyOffer(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('passkeys/later', { exchange, context });
  if ('status' in sent) return sent;
  await context.store.dismiss(sent.signedIn.user.id, 'passkey', context.now());
  return redirect(`${context.base}/account/agents`);
}

async function readAdding({ exchange, context }: Place): Promise<Sent | Answer> {
  if (!passkeysOn(context.options)) throw new OAuthError('not_found', 'Passkeys are switched off here');
  return readSent('passkeys/add', { exchange, context }, { recent: mayAddWay });
}

async function newPasskey({ form, signedIn, browser }: Sent, context: Context): Promise<Passkey | undefined> {
  const attestation = readAttestation(form.get('credential'));
  const asked = attestation && (await takeChallenge(attestation.clientDataJSON, ceremonyOf(signedIn), browser, context));
  const credential = asked && verifyAttestation(attestation, relyingParty(context).id);
  if (!credential) return undefined;
  const { credentialId, transports } = attestation;
  const { id: userId } = signedIn.user;
  return {
    id: randomId('pk_', 12),
    userId,
    credentialId,
    userHandle: userHandle(userId, context),
    transports,
    ...credential,
    createdAt: context.now(),
  };
}

function ceremonyOf({ session }: SignedIn): Ceremony {
  return { type: 'webauthn.create', sessionHash: session.idHash };
}

const notices = { 'passkey.added': 'passkey-added', 'passkey.removed': 'passkey-removed', 'passkey.renamed': undefined } as const;

/** With the notice that warns of it; another name warns of nothing. */
function event(type: 'passkey.added' | 'passkey.renamed' | 'passkey.removed', passkey: string, { user }: SignedIn, { exchange, context }: Place) {
  const about = { userId: user.id, address: exchange.address, requestId: exchange.requestId, detail: { passkey: passkey.slice(0, 40) } };
  const made = auditEvent(type, context.now(), `user:${user.id}`, about);
  const kind = notices[type];
  return kind ? context.mail.notify(made, { kind, user }, exchange) : made;
}
