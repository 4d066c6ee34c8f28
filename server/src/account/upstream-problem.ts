/**
 * The page for whoever came back from an upstream in vain: what happened in words of ours, and the way back to where they came from. Nothing that the upstream
 * said is shown, and nobody is sent anywhere.
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page } from '../route.ts';
import type { Upstream } from '../storage/store.ts';
import type { UpstreamFailureKind } from '../upstream/failure.ts';
import { type UpstreamProblem, upstreamProblemPage } from '../views/upstream-problem-page.ts';
import { type Onward, signInPlace } from './onward.ts';
import type { Purpose } from './upstream-visit.ts';

export type Trouble = UpstreamFailureKind | UpstreamProblem;

type Trip = { upstream: Upstream; purpose: Purpose; onward: Onward };

export function problemAnswer(problem: Trouble, { upstream, purpose, onward }: Trip, { exchange, context }: { exchange: Exchange; context: Context }): Answer {
  const back = purpose.for === 'link' ? `${context.base}/account/security` : signInPlace(onward, context, purpose.for === 'confirm');
  const html = upstreamProblemPage(pageFrame(exchange, context), { problem, name: upstream.name, back, from: purpose.for === 'link' ? 'account' : 'sign-in' });
  return page(html, problem === 'unavailable' ? 502 : 400);
}
