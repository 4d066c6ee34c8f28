/**
 * Whether a request wants its person to say which account is meant before anything is asked (OIDC Core §3.1.2.1: `prompt=select_account`, `login_hint`,
 * `id_token_hint`). A hint never switches by itself: it leads to the page where the person does. Not here: that page (account/choose-account.ts).
 */
import type { Browser } from '../account/browser-cookie.ts';
import { chosenForm } from '../account/choose-account.ts';
import { formToken } from '../account/form-token.ts';
import { heldSessions, holdsOthers } from '../account/held-sessions.ts';
import type { SignedIn } from '../account/session.ts';
import { subjectFor } from '../clients/sector.ts';
import type { Context, Exchange } from '../context.ts';
import { equalSecrets } from '../crypto/hash.ts';
import type { AuthorizationRequest, Client, ParkedRequest, User } from '../storage/store.ts';

type Asking = { tx: string; parked: ParkedRequest; client: Client; signedIn: SignedIn };
type Place = { browser: Browser; exchange: Exchange; context: Context };

/** Whether the person must choose. `given` is the proof that they did; a sign-in after the request arrived is a choice too. */
export async function wantsChoice({ tx, parked, client, signedIn }: Asking, given: string | undefined, place: Place): Promise<boolean> {
  const { session, user } = signedIn;
  if (session.authTime >= parked.createdAt) return false;
  if (given !== undefined && equalSecrets(given, formToken(chosenForm(tx, session.idHash), place.browser, place.context))) return false;
  return parked.request.prompt.includes('select_account') || (await meansAnother({ request: parked.request, client, user }, place));
}

type Meant = { request: AuthorizationRequest; client: Client; user: User };

/** Whether the hints of a request name somebody else who is signed in in this browser. */
export async function meansAnother({ request, client, user }: Meant, place: Omit<Place, 'browser'>): Promise<boolean> {
  if (isMeant(user, request, client, place.context) !== false || !holdsOthers(place)) return false;
  const held = await heldSessions(place);
  return held.some((one) => isMeant(one.user, request, client, place.context) === true);
}

/** Undefined when nothing is hinted. A subject is what this client knows the person by. */
export function isMeant(user: User, { hintedSubject, loginHint }: AuthorizationRequest, client: Client, context: Context): boolean | undefined {
  if (hintedSubject !== undefined) return subjectFor(client, user.id, context) === hintedSubject;
  if (loginHint === undefined) return undefined;
  const hint = loginHint.toLowerCase();
  return user.username.toLowerCase() === hint || user.email?.toLowerCase() === hint;
}
