/**
 * What a request to /authorize brings: its parameters, and the client with the redirect URI it may be answered at. Errors here are pages, because no redirect
 * URI is known to be the client's yet (OAuth 2.1 §4.1.2.1, AZ-03, AZ-04). Not here: every other parameter (request.ts).
 */

import { findClient } from '../clients/find.ts';
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import type { Parameters } from '../rules/parameters.ts';
import { mediaType, readText } from '../rules/read-body.ts';
import { concreteRedirect, matchesRegistered, redirectClass } from '../rules/redirect-uri.ts';
import type { Client } from '../storage/store.ts';
import { copiedCode, isOutOfBand, redirectMismatch, unknownClient } from './refusal-page.ts';

/** Who asks, and where every answer from here on may go. */
export type Asking = { client: Client; redirectUri: string; redirectUriSent: boolean; state?: string; responseMode?: 'form_post'; gone?: boolean };

/** The form text of the parameters: the query of a GET, the body of a POST. */
export async function readAuthorization(request: HttpRequest): Promise<string> {
  if (request.method !== 'POST') return new URL(request.url).search;
  if (mediaType(request) !== 'application/x-www-form-urlencoded') throw new OAuthError('invalid_request', 'The body must be application/x-www-form-urlencoded');
  return readText(request);
}

/** @throws {OAuthError} invalid_request, invalid_client or invalid_redirect_uri, for a page. */
export async function identify(given: Parameters, exchange: Exchange, context: Context): Promise<Asking> {
  if (given.repeated.includes('client_id') || given.repeated.includes('redirect_uri'))
    throw new OAuthError('invalid_request', 'client_id or redirect_uri is repeated');
  const clientId = given.get('client_id');
  if (clientId === undefined) throw new OAuthError('invalid_request', 'client_id is required');

  const found = await findClient(clientId, context, exchange.address);
  if (found.state === 'unavailable') throw found.error;
  const sent = given.get('redirect_uri');
  const { client } = found;
  // Decision 11: a forgotten client is sent its error if the tombstone knows the place; a disabled one is not, an operator meant it.
  const gone = found.state === 'gone';
  const tellable = client && sent !== undefined && found.state === 'gone' && found.reason === 'removed' && isRegistered(sent, client);
  if (!client || (gone && !tellable)) throw unknownClient({ clientId, redirectUri: sent, found, request: exchange.request });
  if (sent !== undefined && isOutOfBand(sent) && !isRegistered(sent, client)) throw copiedCode(client, context);
  return { ...askingOf(given, client), gone };
}

/** Where a known client may be answered. @throws {OAuthError} invalid_request, invalid_redirect_uri */
export function askingOf(given: Parameters, client: Client): Asking {
  const sent = given.get('redirect_uri');
  const redirectUri = redirectUriOf(sent, client);
  return { client, redirectUri, redirectUriSent: sent !== undefined, state: stateOf(given), responseMode: responseModeOf(given, redirectUri) };
}

/** AZ-05: without a parameter only a sole registered URI that names one place will do. */
function redirectUriOf(sent: string | undefined, client: Client): string {
  const uri = sent ?? concreteRedirect(client.metadata.redirectUris);
  if (uri === undefined) throw new OAuthError('invalid_request', 'redirect_uri is required');
  if (sent !== undefined && !isRegistered(sent, client)) throw redirectMismatch(sent, client);
  return uri;
}

function isRegistered(uri: string, client: Client): boolean {
  return client.metadata.redirectUris.some((registered) => matchesRegistered(uri, registered));
}

/** RFC 6749 Appendix A.5: state = 1*VSCHAR. One that is repeated or that we would refuse is not sent back (AZ-09, AZ-14). */
function stateOf(given: Parameters): string | undefined {
  const state = given.get('state');
  return state === undefined || given.repeated.includes('state') || !isState(state) ? undefined : state;
}

/** An error of a request travels as the request asked, if it asked for something that is offered there; else in the query (AZ-26). */
function responseModeOf(given: Parameters, redirectUri: string): 'form_post' | undefined {
  return given.get('response_mode') === 'form_post' && !given.repeated.includes('response_mode') && takesForms(redirectUri) ? 'form_post' : undefined;
}

/** Apps' own schemes take no forms, and no content policy can name the host `[::1]`. */
export function takesForms(redirectUri: string): boolean {
  return redirectClass(redirectUri) !== 'custom-scheme' && !redirectUri.startsWith('http://[');
}

const maxStateLength = 4096;
export function isState(state: string): boolean {
  return state.length <= maxStateLength && /^[\x20-\x7e]+$/.test(state);
}
