/**
 * The checks of an authorization request after client and redirect URI, in the order in which errors win: repeated parameters, request objects, response type
 * and mode, PKCE, resource, scope, then what it asks of the person (requirements §5). Every error here may travel to the client. Not here: the person (next-step.ts).
 */
import { readIdTokenHint } from '../account/id-token-hint.ts';
import { offeredAcrs } from '../account/methods/index.ts';
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { askedLanguage } from '../page-language.ts';
import { checkThumbprint } from '../rules/dpop.ts';
import { type Parameters, refuseRepeated } from '../rules/parameters.ts';
import { checkChallenge } from '../rules/pkce.ts';
import type { AuthorizationRequest, Client } from '../storage/store.ts';
import { askedFor } from './asked-for.ts';
import { type Asking, isState, takesForms } from './parameters.ts';

/** @throws {OAuthError} for the client. */
export async function checkRequest(given: Parameters, asking: Asking, context: Context): Promise<AuthorizationRequest> {
  const { client, redirectUri, redirectUriSent, state, responseMode } = asking;
  refuseRepeated(given);
  refuseRequestObjects(given);
  if (asking.gone) throw new OAuthError('unauthorized_client', 'The registration of this client is gone, register again');
  if (!client.metadata.grantTypes.includes('authorization_code') && client.serverId === undefined)
    throw new OAuthError('unauthorized_client', 'The client may not use the authorization code flow');
  checkState(given.get('state'));
  checkResponse(given, redirectUri);
  const codeChallenge = checkChallenge(given.get('code_challenge'), given.get('code_challenge_method'));
  const asked = await askedFor(given, client, context);

  return {
    clientId: client.id,
    redirectUri,
    redirectUriSent,
    state,
    responseMode,
    ...asked,
    codeChallenge,
    nonce: nonceOf(given.get('nonce')),
    dpopJkt: checkThumbprint(given.get('dpop_jkt')),
    prompt: promptOf(given.get('prompt')),
    maxAge: maxAgeOf(given.get('max_age')),
    acrValues: acrValuesOf(given.get('acr_values'), context),
    loginHint: loginHintOf(given.get('login_hint')),
    language: askedLanguage(given.get('ui_locales'), context.options),
    hintedSubject: await hintedSubjectOf(given.get('id_token_hint'), client, context),
  };
}

/** RFC 9101 §6: request objects are not offered, references only to what was pushed here, and no URL of a request is ever fetched (AZ-24). */
function refuseRequestObjects(given: Parameters): void {
  const [object, reference] = [given.get('request'), given.get('request_uri')];
  if (object !== undefined && reference !== undefined) throw new OAuthError('invalid_request', 'request and request_uri exclude each other');
  if (object !== undefined) throw new OAuthError('request_not_supported', 'Request objects are not offered');
  if (reference !== undefined) throw new OAuthError('request_uri_not_supported', 'A request_uri must come from this server');
}

/** OAuth 2.1 §4.1.1: response_type is `code`. Everything else would put tokens into the address bar. */
function checkResponse(given: Parameters, redirectUri: string): void {
  const type = given.get('response_type');
  if (type === undefined) throw new OAuthError('invalid_request', 'response_type is required');
  if (type !== 'code') throw new OAuthError('unsupported_response_type', 'response_type must be code');
  const mode = given.get('response_mode');
  if (mode !== undefined && mode !== 'query' && mode !== 'form_post') throw new OAuthError('invalid_request', 'response_mode must be query or form_post');
  if (mode === 'form_post' && !takesForms(redirectUri)) throw new OAuthError('invalid_request', 'response_mode form_post needs https or localhost');
}

function checkState(state: string | undefined): void {
  if (state !== undefined && !isState(state)) throw new OAuthError('invalid_request', 'state must be printable ASCII of at most 4096 characters');
}

const maxNonceLength = 512;
function nonceOf(nonce: string | undefined): string | undefined {
  if (nonce !== undefined && nonce.length > maxNonceLength) throw new OAuthError('invalid_request', 'nonce is longer than 512 characters');
  return nonce;
}

const prompts = ['none', 'login', 'consent', 'select_account'];
/** OIDC Core §3.1.2.1: "If this parameter contains none with any other value, an error is returned." Accepted without openid too: MCP clients send it (AZ-21). */
function promptOf(value: string | undefined): string[] {
  const asked = (value ?? '').split(' ').filter((one) => one !== '');
  if (asked.some((one) => !prompts.includes(one))) throw new OAuthError('invalid_request', 'prompt has an unknown value');
  if (asked.includes('none') && asked.length > 1) throw new OAuthError('invalid_request', 'prompt none excludes every other value');
  return asked;
}

function maxAgeOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw new OAuthError('invalid_request', 'max_age must be a number of seconds');
  return Number(value);
}

/** RFC 9470 §5: what cannot be met is said, and nobody is asked to sign in for nothing. Of several values any will do. @throws {OAuthError} */
function acrValuesOf(value: string | undefined, { options }: Context): string[] | undefined {
  const asked = (value ?? '').split(' ').filter((one) => one !== '');
  if (asked.length === 0) return undefined;
  const offered = asked.filter((one) => offeredAcrs(options).includes(one));
  if (offered.length === 0) throw new OAuthError('unmet_authentication_requirements', 'None of the acr_values is offered');
  return offered;
}

/** Only a token that this client got: another's would name a person it has never seen. */
async function hintedSubjectOf(token: string | undefined, client: Client, context: Context): Promise<string | undefined> {
  const hint = token === undefined ? undefined : await readIdTokenHint(token, context);
  return hint?.clientId === client.id ? hint.subject : undefined;
}

/** The hint fills in the form, or points out one of the accounts that are signed in. */
function loginHintOf(hint: string | undefined): string | undefined {
  return hint !== undefined && /^[\w.%+@-]{1,254}$/.test(hint) ? hint : undefined;
}
