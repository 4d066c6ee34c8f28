/**
 * The page for whoever came back from an upstream in vain: what happened in words of ours, and the way back to where they came from. Nothing that the upstream
 * said is shown, and nobody is sent anywhere.
 */
import type { Context, Exchange } from '../context.ts';
import { pageFrame } from '../page-frame.ts';
import { type Answer, page } from '../route.ts';
import type { Upstream } from '../storage/store.ts';
import type { UpstreamFailureKind } from '../upstream/failure.ts';
import { type LeftFrom, type UpstreamProblem, upstreamProblemPage } from '../views/upstream-problem-page.ts';
import { linkPath } from './one-time-link.ts';
import { type Onward, onwardFields, signInPlace } from './onward.ts';
import type { Purpose } from './upstream-visit.ts';

export type Trouble = UpstreamFailureKind | UpstreamProblem;

/** `email`: whom the invitation is for. */
type Trip = { upstream: Upstream; purpose: Purpose; onward: Onward; email?: string };

export function problemAnswer(
  problem: Trouble,
  { upstream, purpose, onward, email }: Trip,
  { exchange, context }: { exchange: Exchange; context: Context },
): Answer {
  const html = upstreamProblemPage(pageFrame(exchange, context), { problem, name: upstream.name, email, ...backFrom(purpose, onward, context) });
  return page(html, problem === 'unavailable' ? 502 : 400);
}

function backFrom(purpose: Purpose, onward: Onward, context: Context): { back: string; from: LeftFrom } {
  if (purpose.for === 'link') return { back: `${context.base}/account/security`, from: 'account' };
  if (purpose.for === 'invitation') return { back: context.base + linkPath('/invite', purpose.token, onwardFields(onward)), from: 'invitation' };
  return { back: signInPlace(onward, context, purpose.for === 'confirm'), from: 'sign-in' };
}
