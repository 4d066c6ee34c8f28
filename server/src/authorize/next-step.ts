/**
 * The only place that decides what a request still needs: a sign-in, a fresh sign-in, consent, or an answer without asking (D13, CON-03, AZ-21 … AZ-23).
 */
import { guardedScopes, isFresh } from '../account/fresh-sign-in.ts';
import type { SignedIn } from '../account/session.ts';
import { metadataDigest } from '../clients/metadata.ts';
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { meetsAcr } from '../rules/acr.ts';
import { redirectClass } from '../rules/redirect-uri.ts';
import { isSubset } from '../rules/scope.ts';
import type { Target } from '../servers/resource.ts';
import type { AgentPause, AllowedScope, AuthorizationRequest, Client } from '../storage/store.ts';
import { accessesOf } from './asked-for.ts';
import { isMeant } from './chosen-account.ts';

export type NextStep =
  | { step: 'sign-in' }
  /** Somebody is signed in, but not recently enough for this request. */
  | { step: 'confirm' }
  /** Whoever paused the agent says first whether it may ask. */
  | { step: 'paused'; pause: AgentPause; resource: string }
  | ({ step: 'consent' } & ConsentSoFar)
  /** Allowed before, to a place that only this client can receive at. */
  | ({ step: 'answer' } & ConsentSoFar);

/**
 * `allowed`: what this person already lets this client do there. `reconnect`: nothing new is asked, only presence. `asBefore`: when what is repeated or added to ends, in
 * epoch seconds, if it has an end.
 */
export type ConsentSoFar = { allowed: AllowedScope[]; reconnect: boolean; asBefore?: number };

export type Situation = {
  request: AuthorizationRequest;
  client: Client;
  signedIn: SignedIn | undefined;
  /** When the request was parked, in seconds; undefined while it has only just arrived. */
  parkedAt?: number;
  /** What is asked for, in its order; without it a fresh sign-in for heavy scopes is left to the page that asks. */
  targets?: readonly Target[];
};

/**
 * @throws {OAuthError} login_required, consent_required or interaction_required when the request forbids asking (OIDC Core §3.1.2.6);
 * unmet_authentication_requirements when the person has just shown all they can.
 */
export async function nextStep({ request, client, signedIn, parkedAt, targets = [] }: Situation, context: Context): Promise<NextStep> {
  const silent = request.prompt.includes('none');
  if (!signedIn || !isRecent(request, signedIn, parkedAt, context.now())) {
    if (silent) throw new OAuthError('login_required', 'Nobody is signed in, or not recently enough');
    if (signedIn) await mustReach(request, signedIn, parkedAt, context);
    return { step: signedIn ? 'confirm' : 'sign-in' };
  }
  if (silent && isMeant(signedIn.user, request, client, context) === false && request.hintedSubject !== undefined)
    throw new OAuthError('login_required', 'The person whom the id_token_hint names is not the one signed in');
  const paused = await pausedAt(request, signedIn, context);
  if (paused && silent) throw new OAuthError('interaction_required', 'The agent is paused');
  if (paused) return { step: 'paused', ...paused };
  const { allowed, remembered, until } = await consentSoFar(request, client, signedIn, context);
  const forced = request.prompt.includes('consent') || request.prompt.includes('select_account');
  if (remembered && !forced && isSafeToRepeat(request.redirectUri, context)) return { step: 'answer', allowed, reconnect: true, asBefore: until };
  if (silent && remembered) throw new OAuthError('interaction_required', 'The person must confirm that they started this');
  if (silent) throw new OAuthError('consent_required', 'The person has not allowed this');
  if (asksGuarded(request, targets, allowed, context) && !isFresh(signedIn, context, parkedAt)) return { step: 'confirm' };
  const reconnect = remembered && !forced;
  return { step: 'consent', allowed, reconnect, asBefore: reconnect ? until : endOfAllowed(request, allowed) };
}

/** An agent is paused at one server, or everywhere. */
async function pausedAt(
  request: AuthorizationRequest,
  { user }: SignedIn,
  { store, now }: Context,
): Promise<{ pause: AgentPause; resource: string } | undefined> {
  for (const { resource } of accessesOf(request)) {
    const pause = await store.agentPause({ userId: user.id, clientId: request.clientId, resource }, now());
    if (pause) return { pause, resource };
  }
  return undefined;
}

function asksGuarded(request: AuthorizationRequest, targets: readonly Target[], allowed: readonly AllowedScope[], context: Context): boolean {
  return accessesOf(request).some(({ scope }, index) => {
    const asked = scope.filter((name) => !allowed.some((one) => one.name === name));
    return guardedScopes(asked, targets[index]?.scopes ?? [], context).length > 0;
  });
}

/** OIDC Core §3.1.2.1: `login` and an exceeded max_age want credentials again, as does a level that was not reached; a sign-in after the request was parked is one. */
function isRecent({ prompt, maxAge, acrValues }: AuthorizationRequest, { session }: SignedIn, parkedAt: number | undefined, now: number): boolean {
  if (!meetsAcr(session.amr, acrValues)) return false;
  if (!prompt.includes('login') && maxAge === undefined) return true;
  if (session.unproven) return false;
  if (parkedAt !== undefined && session.authTime >= parkedAt) return true;
  if (prompt.includes('login') || maxAge === 0) return false;
  return maxAge === undefined || now - session.authTime <= maxAge;
}

/** RFC 9470 §5: who has signed in for this request and has nothing that reaches the level would be asked for ever. */
async function mustReach({ acrValues }: AuthorizationRequest, { user, session }: SignedIn, parkedAt: number | undefined, { store }: Context): Promise<void> {
  const tried = parkedAt !== undefined && session.authTime >= parkedAt && !meetsAcr(session.amr, acrValues);
  if (!tried || (await store.findSecondFactor(user.id)) || (await store.listPasskeys(user.id)).length > 0) return;
  throw new OAuthError('unmet_authentication_requirements', 'The person has no way to sign in this strongly');
}

type SoFar = { allowed: AllowedScope[]; remembered: boolean; until?: number };

/** Several resources are remembered when each of them is; otherwise the whole is a question that was never asked. */
async function consentSoFar(request: AuthorizationRequest, client: Client, signedIn: SignedIn, context: Context): Promise<SoFar> {
  const [first, ...companions] = await Promise.all(accessesOf(request).map((access) => consentFor({ ...request, ...access }, client, signedIn, context)));
  if (first === undefined || companions.length === 0) return first ?? { allowed: [], remembered: false };
  const all = [first, ...companions];
  if (!all.every(({ remembered }) => remembered)) return { allowed: [], remembered: false };
  const ends = all.flatMap(({ until }) => until ?? []);
  return { allowed: all.flatMap(({ allowed }) => allowed), remembered: true, until: ends.length > 0 ? Math.min(...ends) : undefined };
}

/** Remembered only for the same person, client, description of the client, resource and place of return, and for no more than was granted. */
async function consentFor(request: AuthorizationRequest, client: Client, { user }: SignedIn, context: Context): Promise<SoFar> {
  const now = context.now();
  const place = { resource: request.resource, redirectUri: consentRedirect(request.redirectUri) };
  const same = { ...place, userId: user.id, clientId: client.id, clientDigest: metadataDigest(client.metadata) };
  const [allowed, earlier] = await Promise.all([context.store.allowedScopesSame(same, now), context.store.rememberedConsent(same, now)]);
  // What another description of the client, or another place of return, was allowed does not soften the question.
  if (!earlier) return { allowed: [], remembered: false };
  return { allowed, remembered: isSubset(request.scope, earlier.scope), until: earlier.expiresAt };
}

/** An addition must not make longer what was allowed for a while. Where everything is asked again there is no addition, and the person decides anew. */
function endOfAllowed({ scope, companions }: AuthorizationRequest, allowed: readonly AllowedScope[]): number | undefined {
  if (companions !== undefined) return undefined;
  const repeated = allowed.filter(({ name }) => scope.includes(name));
  const ends = repeated.flatMap(({ until }) => until ?? []);
  return repeated.length === scope.length || ends.length === 0 ? undefined : Math.min(...ends);
}

/** OAuth 2.1 §7.3.1: never without asking where any program on the machine could receive the code. Only https on a host that the operator trusts will do. */
function isSafeToRepeat(redirectUri: string, context: Context): boolean {
  return redirectClass(redirectUri) === 'https' && context.options.clients.trustedHosts.includes(new URL(redirectUri).host);
}

/** The redirect URI as consent is remembered by: on loopback the port is another at every start, and says nothing. */
export function consentRedirect(redirectUri: string): string {
  return redirectClass(redirectUri) === 'loopback' ? redirectUri.replace(/^(http:\/\/(?:\[::1\]|[^:/?]+)):\d+/, '$1') : redirectUri;
}
