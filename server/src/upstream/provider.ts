/**
 * An upstream as the rest of the house sees it: send a browser there, take it back. Which protocol lies behind is its recipe's.
 */
import type { Context } from '../context.ts';
import type { Upstream } from '../storage/store.ts';
import { githubProvider } from './github.ts';
import { openidProvider } from './openid.ts';
import type { UpstreamPerson } from './person.ts';

/** What must be the same when the browser leaves and when it comes back. */
export type Passage = {
  state: string;
  nonce: string;
  /** PKCE (RFC 7636). */
  verifier: string;
  /** One for each upstream, so that an answer of one can never be taken for another's (RFC 9700 §4.4.2). */
  redirectUri: string;
  /** Ask for credentials now, or for a sign-in at most `maxAge` seconds old. */
  again?: { maxAge: number };
};

export type Provider = {
  /** Where to send the browser. @throws {UpstreamFailure} */
  begin(passage: Passage): Promise<URL>;
  /** Who came back. `answer` is our redirect URI with the parameters of the response. @throws {UpstreamFailure} */
  finish(answer: URL, passage: Passage): Promise<UpstreamPerson>;
};

export function providerOf(upstream: Upstream, context: Context): Provider {
  return upstream.recipe === 'github' ? githubProvider(upstream, context) : openidProvider(upstream, context);
}
