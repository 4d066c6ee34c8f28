/**
 * Owns: the buttons that lead to an upstream, on the sign-in page and its "Confirm it's you" variant. One form with a button for each; where it leads is the
 * handler's to know.
 */
import { html } from 'hono/html';
import { visibleText } from './display-text.ts';
import type { Markup, PageFrame } from './layout.ts';

export type UpstreamButton = { id: string; name: string };
/** What the form carries besides the button: the same names as the sign-in form beside it. */
export type UpstreamButtonsValues = {
  upstreams: readonly UpstreamButton[];
  csrf: string;
  tx?: string;
  device?: { userCode?: string };
  security?: boolean;
  profile?: boolean;
  arrival?: string;
  pause?: string;
  confirming: boolean;
  /** Nothing stands above that one could do instead. */
  alone?: boolean;
};

/** Nothing where there is no upstream. */
export function upstreamButtons(page: PageFrame, values: UpstreamButtonsValues): Markup | undefined {
  const hidden: Record<string, string | undefined> = {
    csrf: values.csrf,
    tx: values.tx,
    arrival: values.arrival,
    ...(values.security && { to: 'security' }),
    ...(values.pause !== undefined && { to: 'pause', grant: values.pause }),
    ...(values.profile && { to: 'profile' }),
    ...(values.device && { to: 'device', user_code: values.device.userCode ?? '' }),
    reason: values.confirming ? 'confirm' : undefined,
  };
  return upstreamForm(page, { ...values, path: '/login/upstream', hidden });
}

type UpstreamFormValues = Pick<UpstreamButtonsValues, 'upstreams' | 'alone'> & {
  path: string;
  hidden: Readonly<Record<string, string | undefined>>;
  confirming?: boolean;
};

/** The form itself, below another one; nothing where there is no upstream. */
export function upstreamForm(page: PageFrame, values: UpstreamFormValues): Markup | undefined {
  const { t, rich } = page;
  if (values.upstreams.length === 0) return undefined;
  const label = values.confirming ? 'signIn.confirmWith' : 'signIn.with';
  return html`${!values.alone && html`<p class="center muted">${t('signIn.or')}</p>`}
<form method="post" action="${page.base}${values.path}">
${Object.entries(values.hidden).map(([name, value]) => value !== undefined && html`<input type="hidden" name="${name}" value="${value}">\n`)}
${values.upstreams.map(({ id, name }) => html`<button type="submit" class="button quiet" name="upstream" value="${id}"><span>${rich(label, { name: html`<bdi>${visibleText(name)}</bdi>` })}</span></button>\n`)}
</form>`;
}
