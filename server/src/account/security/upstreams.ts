/**
 * The section of accounts elsewhere: which of them open this account, ending a link, beginning another. Both need a recent sign-in; a link is made by an explicit step
 * after the way back (../link-upstream.ts), and the last way into an account stays.
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context, Exchange } from '../../context.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import type { UpstreamIdentity } from '../../storage/store.ts';
import { upstreamsView } from '../../views/security/upstreams.ts';
import { offeredUpstreams } from '../methods/upstream.ts';
import { depart } from '../upstream-sign-in.ts';
import { waysOn } from '../ways-in.ts';
import { backWith, readSent, type Section, tokenFor } from './section.ts';

export const upstreamsSection: Section = async (visit) => {
  const { context, signedIn, frame } = visit;
  const { id: userId } = signedIn.user;
  const [upstreams, identities] = await Promise.all([offeredUpstreams({}, context), context.store.listUpstreamIdentities(userId)]);
  if (upstreams.length === 0) return undefined;
  return upstreamsView(frame, {
    csrf: { link: tokenFor('upstreams/link', visit), unlink: tokenFor('upstreams/unlink', visit) },
    recent: visit.recent,
    upstreams: upstreams.map(({ id, name }) => ({ id, name })),
    onlyWayIn: (await context.store.countWaysIn(userId, waysOn(context))) <= 1,
    links: identities.map((identity) => ({
      id: nameOf(identity, context),
      upstream: upstreams.find(({ id }) => id === identity.upstreamId)?.name ?? identity.upstreamId,
      label: identity.label,
      since: identity.createdAt,
    })),
  });
};

/** POST /account/security/upstreams/link begins the way there. */
export async function linkAnother(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('upstreams/link', { exchange, context }, { recent: true });
  if ('status' in sent) return sent;
  const { form, signedIn, browser } = sent;
  const upstream = (await offeredUpstreams({}, context)).find(({ id }) => id === form.get('upstream'));
  if (!upstream) throw new OAuthError('not_found', 'Nobody signs in there any more');
  const trip = { purpose: { for: 'link' as const, session: signedIn.session.idHash }, onward: { security: true } };
  return depart(upstream, trip, { browser, exchange, context });
}

/** POST /account/security/upstreams/unlink. */
export async function unlinkUpstream(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('upstreams/unlink', { exchange, context }, { recent: true });
  if ('status' in sent) return sent;
  const { form, signedIn } = sent;
  const { user } = signedIn;
  const { id: userId } = user;
  const meant = (await context.store.listUpstreamIdentities(userId)).find((identity) => nameOf(identity, context) === form.get('link'));
  if (!meant) return backWith('upstream-gone', signedIn, context);

  const about = { userId, address: exchange.address, requestId: exchange.requestId, detail: { upstream: meant.upstreamId } };
  const event = auditEvent('upstream.unlinked', context.now(), `user:${userId}`, about);
  const { issuer, subject } = meant;
  const outcome = await context.store.unlinkUpstream(
    { issuer, subject, userId, ways: waysOn(context) },
    context.mail.notify(event, { kind: 'sign-in-unlinked', user }, exchange),
  );
  return backWith(({ unlinked: 'upstream-unlinked', last: 'upstream-last', gone: 'upstream-gone' } as const)[outcome], signedIn, context);
}

/** What a form calls a link: the subject is nobody's business. */
function nameOf({ issuer, subject }: UpstreamIdentity, { instance }: Context): string {
  return instance.mac('upstream link', issuer, subject).slice(0, 22);
}
