/**
 * Errors on their way to the client, and the page that stops some of them (AZ-31, D12; RFC 9700 §4.11.2): a stranger's client must not turn our address into
 * a redirect to its own without anybody having signed in or clicked. Pre-registered clients are redirected at once.
 */
import type { SignedIn } from '../account/session.ts';
import type { Context, Exchange } from '../context.ts';
import type { OAuthError } from '../errors.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, pageFace } from '../route.ts';
import { isByOperator } from '../rules/registered-by.ts';
import { describeRedirect } from '../views/redirect-target.ts';
import { errorAnswer } from './answer.ts';
import type { Asking } from './parameters.ts';
import { policyFor, sendBack } from './return-page.ts';

/** A page that names the destination when nobody is signed in and the client is not one that an operator registered; else the way back. */
export function errorBack(
  error: OAuthError,
  asking: Asking,
  { signedIn, exchange, context }: { signedIn?: SignedIn; exchange: Exchange; context: Context },
): Answer | Promise<Answer> {
  const answer = errorAnswer(asking, error, { issuer: context.issuer, root: context.options.issuer });
  if (!isTrusted(asking) && !signedIn) {
    const { place: host } = describeRedirect(asking.redirectUri, pageFrame(exchange, context));
    const face = pageFace(error.onPage({ ...error.page, continueTo: { ...answer, host } }), exchange, context);
    return { ...face, headers: { ...face.headers, ...policyFor(answer) } };
  }
  context.log.info('authorize.refused', { request_id: exchange.requestId, client_id: asking.client.id, code: error.code, reason: error.message });
  return sendBack({ ...answer, denied: true }, asking.client.id, { exchange, context });
}

function isTrusted({ client, gone }: Asking): boolean {
  return !gone && isByOperator(client);
}
