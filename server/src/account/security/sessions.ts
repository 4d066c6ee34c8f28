/**
 * The section of browser sessions: where the person is signed in, ending one, ending all. Neither needs a fresh sign-in: whoever fears for their account must be
 * able to. Agents go on unless the person says otherwise (architecture, decision 5).
 */
import { auditEvent } from '../../audit/event.ts';
import type { Context, Exchange } from '../../context.ts';
import { type Answer, redirect } from '../../route.ts';
import type { Session } from '../../storage/store.ts';
import { sessionsView } from '../../views/security/sessions.ts';
import { writeCookie } from '../cookies.ts';
import { backWith, readSent, type Section, tokenFor } from './section.ts';

export const sessionsSection: Section = async (visit) => {
  const { context, signedIn, exchange, frame } = visit;
  const sessions = await context.store.listSessions(signedIn.user.id, context.now());
  return sessionsView(frame, {
    csrf: { end: tokenFor('sessions/end', visit), endAll: tokenFor('sessions/end-all', visit) },
    sessions: sessions.map((session) => ({
      name: nameOf(session, context),
      userAgent: session.userAgent,
      address: session.address,
      sameAddress: session.address === exchange.address,
      startedAt: session.createdAt,
      seenAt: session.seenAt,
      current: session.idHash === signedIn.session.idHash,
    })),
  });
};

/** POST /account/security/sessions/end ends another session of the person. */
export async function endOtherSession(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('sessions/end', { exchange, context });
  if ('status' in sent) return sent;
  const { form, signedIn } = sent;
  const sessions = await context.store.listSessions(signedIn.user.id, context.now());
  const meant = sessions.find((session) => nameOf(session, context) === form.get('session'));
  if (!meant) return backWith('session-gone', signedIn, context);
  if (meant.idHash === signedIn.session.idHash) return redirect(`${context.base}/logout`);

  await context.store.endSession(meant.idHash, event('user.signed_out', signedIn.user.id, { exchange, context }));
  context.logouts.soon();
  return backWith('session-ended', signedIn, context);
}

/** POST /account/security/sessions/end-all ends every session, this one too, and with `agents=1` the access of all agents. */
export async function endAllSessions(exchange: Exchange, context: Context): Promise<Answer> {
  const sent = await readSent('sessions/end-all', { exchange, context });
  if ('status' in sent) return sent;
  const agents = sent.form.get('agents') === '1';
  const { id: userId } = sent.signedIn.user;
  await context.store.endSessionsOf(userId, { agents }, event('user.signed_out_everywhere', userId, { exchange, context }, { agents }));
  context.logouts.soon();
  return redirect(`${context.base}/logout`, [writeCookie('session', '', context, 0)]);
}

/** What a form calls a session: neither its id nor what is stored of that. */
function nameOf({ idHash }: Session, { instance }: Context): string {
  return instance.mac('session name', idHash).slice(0, 22);
}

function event(type: 'user.signed_out' | 'user.signed_out_everywhere', userId: string, place: { exchange: Exchange; context: Context }, detail = {}) {
  const about = { userId, address: place.exchange.address, requestId: place.exchange.requestId, detail };
  return auditEvent(type, place.context.now(), `user:${userId}`, about);
}
