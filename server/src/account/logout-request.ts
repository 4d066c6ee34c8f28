/**
 * What a client says when it sends a browser to /logout (OIDC RP-Initiated Logout §2): whose session, and where the browser may go afterwards. An ID token of
 * ours proves both; a bare client_id proves nothing, so a page comes between. Not here: ending the session (sign-out.ts).
 */
import { findClientForToken } from '../clients/find.ts';
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { type Parameters, refuseRepeated } from '../rules/parameters.ts';
import type { Client } from '../storage/store.ts';
import { readIdTokenHint } from './id-token-hint.ts';

export type LogoutRequest = {
  client?: Client;
  /** From a genuine ID token: the session that is meant. */
  sid?: string;
  /** Whether an ID token of ours names the client. */
  proven: boolean;
  /** Registered for this client, with the state. */
  returnTo?: string;
};

/** @throws {OAuthError} invalid_request when a parameter is repeated, or ID token and client_id name two clients (LO-02). */
export async function readLogout(given: Parameters, context: Context): Promise<LogoutRequest> {
  refuseRepeated(given);
  const hint = await readIdTokenHint(given.get('id_token_hint'), context);
  const clientId = given.get('client_id') ?? hint?.clientId;
  if (hint && clientId !== hint.clientId) throw new OAuthError('invalid_request', 'client_id is not that of the id_token_hint');

  const found = clientId === undefined ? undefined : await findClientForToken(clientId, context);
  const client = found?.state === 'active' ? found.client : undefined;
  return { client, sid: hint?.sid, proven: hint !== undefined && client !== undefined, returnTo: returnAddress(given, client) };
}

/** LO-02: compared as a string, nothing normalised; whatever else was asked for, the browser stays here. */
function returnAddress(given: Parameters, client: Client | undefined): string | undefined {
  const uri = given.get('post_logout_redirect_uri');
  if (uri === undefined || !client?.metadata.postLogoutRedirectUris?.includes(uri)) return undefined;
  const state = given.get('state');
  if (state === undefined) return uri;
  return `${uri}${!uri.includes('?') ? '?' : /[?&]$/.test(uri) ? '' : '&'}${new URLSearchParams({ state })}`;
}
