/**
 * Sign in with a passkey (WebAuthn Level 3 §7.2): a key that the person's own device unlocks for this site alone. It counts as several factors, because the device
 * has verified its person. Whatever is wrong with an answer, it gets the same reply. Not here: making passkeys (../security/passkeys.ts).
 */
import { auditEvent } from '../../audit/event.ts';
import { verifyAssertion } from '../../crypto/webauthn.ts';
import { readAssertion } from '../../rules/passkey-credential.ts';
import { passkeysOn, relyingParty, takeChallenge } from '../passkey-challenge.ts';
import type { SignInMethod, SignInPlace, Verdict } from './index.ts';

const refused: Verdict = { refused: 'wrong-passkey' };

export const passkey: SignInMethod = {
  amr: ['swk', 'user', 'mfa'],
  isOn: passkeysOn,
  login(form) {
    const given = form.get('credential');
    return given ? `passkey ${readAssertion(given)?.credentialId ?? ''}` : undefined;
  },
  async verify(form, place) {
    const { browser, context } = place;
    const assertion = readAssertion(form.get('credential'));
    const asked = assertion && (await takeChallenge(assertion.clientDataJSON, { type: 'webauthn.get' }, browser, context));
    const found = asked && (await context.store.findPasskey(assertion.credentialId));
    // Step 6: the handle must be there and be the owner's, or somebody could be shown one account and be signed in to another.
    if (!found || assertion.userHandle !== found.passkey.userHandle) return refused;
    const signed = verifyAssertion(assertion, found.passkey.publicKey, relyingParty(context).id);
    // Step 19: whether a key may leave its device is decided when it is made.
    if (!signed || signed.backupEligible !== found.passkey.backupEligible) return refused;
    if (found.user.disabledAt !== undefined) return { refused: 'disabled', user: found.user };

    const { counter, backedUp } = signed;
    const used = await context.store.usePasskey({ credentialId: assertion.credentialId, counter, backedUp, now: context.now() });
    if (!used) return copied(found.passkey.id, found.user.id, place);
    return { user: found.user, amr: [signed.backupEligible ? 'swk' : 'hwk', 'user', 'mfa'] };
  },
};

/** Step 22: a counter that does not grow means that two copies of the key may be about. */
async function copied(passkeyId: string, userId: string, { exchange, context }: SignInPlace): Promise<Verdict> {
  const about = { userId, address: exchange.address, requestId: exchange.requestId, detail: { passkey: passkeyId } };
  await context.store.recordEvent(auditEvent('passkey.counter_went_back', context.now(), 'anonymous', about));
  return refused;
}
