/**
 * Owns: what somebody reads who came back from an upstream in vain. Words of ours for each reason, the way back, and nothing that the upstream said.
 */
import { html } from 'hono/html';
import { visibleText } from './display-text.ts';
import type { PageFrame } from './layout.ts';
import { renderPage } from './layout.ts';

/** What went wrong on our side of the way; the others are failures of the upstream. */
export type UpstreamProblem = 'not-asked-again' | 'other-person' | 'disabled' | 'somebody-elses' | 'not-invited';
/** Where the person was when they left. */
export type LeftFrom = 'sign-in' | 'account' | 'invitation';
export type UpstreamProblemPageValues = {
  problem: UpstreamProblem | 'declined' | 'unavailable' | 'invalid';
  /** The upstream, as on its button. */
  name: string;
  /** A path of ours. */
  back: string;
  from: LeftFrom;
  /** Whom the invitation is for. */
  email?: string;
};

const backs = { account: 'upstream.backToAccount', 'sign-in': 'upstream.backToSignIn', invitation: 'upstream.backToInvitation' } as const;
const whys = { account: 'why.account', 'sign-in': 'why.signIn', invitation: 'why.signUp' } as const;

/** Renders the problem. */
export function upstreamProblemPage(page: PageFrame, values: UpstreamProblemPageValues): string {
  const { t, rich } = page;
  const { problem, from } = values;
  const name = visibleText(values.name);
  const shown = html`<bdi>${name}</bdi>`;
  const main = html`<h1>${rich(`upstream.problem.${problem}.title`, { name: shown })}</h1>
<p class="lead">${rich(`upstream.problem.${problem}.text`, { name: shown, email: html`<bdi>${values.email ?? ''}</bdi>` })}</p>
<p><a class="button main" href="${values.back}"><span>${t(backs[from])}</span></a></p>`;

  return renderPage(page, { title: t(`upstream.problem.${problem}.title`, { name }), why: whys[from], main });
}
