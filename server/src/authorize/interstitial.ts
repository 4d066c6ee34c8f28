/**
 * Errors on their way to the client, and the page that stops some of them (AZ-31, D12; RFC 9700 §4.11.2): a stranger's client must not turn our address into
 * a redirect to its own without anybody having signed in or clicked. Pre-registered clients are redirected at once.
 */
import type { SignedIn } from '../account/session.ts';
import type { Context, Exchange } from '../context.ts';
import type { OAuthError } from '../errors.ts';
import { type Answer, redirect } from '../route.ts';
import { describeRedirect } from '../views/redirect-target.ts';
import { errorAnswer } from './answer.ts';
import type { Asking } from './parameters.ts';

/** @throws {OAuthError} the same, for a page that names the destination, when nobody is signed in and the client is not one that an operator registered. */
export function errorBack(
  error: OAuthError,
  asking: Asking,
  { signedIn, exchange, context }: { signedIn?: SignedIn; exchange: Exchange; context: Context },
): Answer {
  const href = errorAnswer(asking, error, context.issuer);
  if (!isTrusted(asking) && !signedIn) throw error.onPage({ ...error.page, continueTo: { href, host: describeRedirect(asking.redirectUri).place } });
  context.log.info('authorize.refused', { request_id: exchange.requestId, client_id: asking.client.id, code: error.code, reason: error.message });
  return redirect(href);
}

function isTrusted({ client, gone }: Asking): boolean {
  return !gone && (client.registration === 'manual' || client.registration === 'demo');
}
