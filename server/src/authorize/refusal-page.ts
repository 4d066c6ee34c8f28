/**
 * The pages that stand where a redirect must not: a client we no longer know, with how to make its program register anew (experience: stale clients), and a
 * redirect URI that is not registered, with what differs. All values may be hostile; the page escapes them.
 */

import type { FoundClient } from '../clients/find.ts';
import type { Context } from '../context.ts';
import { type ErrorDetail, OAuthError } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import { deviceCodeGrant } from '../rules/device-grant.ts';
import { likelyMistake } from '../rules/difference.ts';
import type { Client } from '../storage/store.ts';

type Stale = { clientId: string; redirectUri: string | undefined; found: FoundClient; request: HttpRequest };

/** invalid_client with status 400: to a browser this is a page, and the client hears 401 at the token endpoint (D18). */
export function unknownClient({ clientId, redirectUri, found, request }: Stale): OAuthError {
  const disabled = found.state === 'gone' && found.reason === 'disabled';
  const error = new OAuthError('invalid_client', disabled ? 'The client is disabled here' : 'The client is not registered here', { status: 400 });
  const details: ErrorDetail[] = [['client_id', clip(clientId)]];
  if (disabled) return error.onPage({ case: 'clientDisabled', details });
  const registered = found.state === 'gone' ? found.client : undefined;
  const since: ErrorDetail[] = registered?.removedAt === undefined ? [] : [['removed', new Date(registered.removedAt * 1000).toISOString()]];
  return error.onPage({
    case: 'clientGone',
    forDeveloper: 'The token endpoint answers 401 invalid_client, so that clients can register again by themselves.',
    staleClient: {
      names: [registered?.metadata.clientName ?? '', clientId],
      places: [redirectUri ?? '', request.headers.get('user-agent') ?? ''],
    },
    details: [...details, ...since],
  });
}

/** The client would have people copy its code from a page. */
export function isOutOfBand(redirectUri: string): boolean {
  return /^urn:ietf:wg:oauth:2\.0:oob(:auto)?$/.test(redirectUri);
}

/** A code that people copy is one that they can be talked into giving away. Devices without a browser have a grant of their own. */
export function copiedCode(client: Client, context: Context): OAuthError {
  const page = `${context.issuer}/device`;
  const mayUse = client.metadata.grantTypes.includes(deviceCodeGrant);
  return new OAuthError('invalid_redirect_uri', 'Codes to copy are not offered, use the device authorization grant').onPage({
    case: 'copiedCode',
    values: { page },
    forDeveloper: `Ask ${context.issuer}/device_authorization for a code (RFC 8628)${mayUse ? '' : ', after registering this client for that grant'}. grant_type is ${deviceCodeGrant}.`,
    fixes: [{ label: 'auth-agent', text: 'auth-agent login <address of the MCP server> --device' }],
    goTo: { href: `${context.base}/device`, place: 'device' },
  });
}

/** What was asked for beside what is registered, and the one rule that most often explains the difference. */
export function redirectMismatch(sent: string, client: Client): OAuthError {
  const registered = client.metadata.redirectUris;
  const shown = registered.slice(0, 10).map((uri): ErrorDetail => ['registered', clip(uri)]);
  const more: ErrorDetail[] = registered.length > shown.length ? [['registered', registered.length - shown.length]] : [];
  const alike = registered.map((uri) => withPortOf(uri, sent));
  return new OAuthError('invalid_redirect_uri', 'The redirect_uri is not registered for this client').onPage({
    case: 'redirectMismatch',
    forDeveloper: `${reasonOf(sent, alike)} Redirect URIs are compared character by character. Only on http loopback may the port differ.`,
    difference: likelyMistake(sent, alike),
    details: [['requested', clip(sent)], ...shown, ...more],
  });
}

/** Names the likeliest mistake, in constant sentences only. */
function reasonOf(sent: string, registered: readonly string[]): string {
  if (registered.length === 0) return 'The client has no redirect URI registered.';
  if (registered.some((uri) => withoutLoopbackName(uri) === withoutLoopbackName(sent)))
    return 'localhost, 127.0.0.1 and [::1] are three different hosts: register each that you use.';
  if (registered.some((uri) => uri.replace(/\/$/, '') === sent.replace(/\/$/, ''))) return 'A slash at the end makes another address.';
  if (registered.some((uri) => uri.toLowerCase() === sent.toLowerCase())) return 'Upper and lower case make another address.';
  if (registered.some((uri) => uri.split('?')[0] === sent.split('?')[0])) return 'The query is part of the address.';
  return 'None of the registered addresses is this one.';
}

const loopbackOrigin = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(:\d+)?(?=[/?]|$)/;

/** On loopback the port is no difference: a registered address with that of the one which was sent. */
function withPortOf(registered: string, sent: string): string {
  const port = loopbackOrigin.exec(sent)?.[2];
  return port === undefined ? registered : registered.replace(loopbackOrigin, (_, host: string) => host + port);
}

function withoutLoopbackName(uri: string): string {
  return uri.replace(/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(?=[/?]|$)/, 'http://loopback');
}

function clip(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
