/**
 * Owns: the one switch for all agents.
 */
import { html } from 'hono/html';
import type { Markup, PageFrame } from './layout.ts';

/** Renders the form that posts `csrf` to `{base}/account/agents/pause-all` or `…/resume-all`. */
export function pauseAllForm({ base, t }: PageFrame, { csrf, paused }: { csrf: string; paused: boolean }): Markup {
  return html`<form method="post" action="${base}/account/agents/${paused ? 'resume-all' : 'pause-all'}"><input type="hidden" name="csrf" value="${csrf}">
<button type="submit" class="button ${paused ? 'main' : 'alarm'}" data-busy>${t(paused ? 'agents.resumeAll' : 'agents.pauseAll')}</button></form>`;
}
