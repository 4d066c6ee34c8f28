/**
 * Tells clients that a person has signed out (OIDC Back-Channel Logout): a signed logout token, posted to each client that asked to hear of this session, under
 * the guard of every fetch. Never in anybody's way: the sign-out has happened, and what cannot be delivered is tried again a few times.
 */
import { findClientForToken } from '../clients/find.ts';
import { responseAlgorithm } from '../clients/response-algorithm.ts';
import { subjectFor } from '../clients/sector.ts';
import type { Context } from '../context.ts';
import { randomId } from '../crypto/random.ts';
import type { FormPoster } from '../options.ts';
import { drain, type GoesOn, type Relay, relay } from '../relay.ts';
import type { Client, DueLogout } from '../storage/store.ts';

/** At once, so that one slow client does not keep the others waiting, and few enough for one node. */
const batch = 20;
/** §2.4: short, because a client that is slower than that will be asked again. */
const tokenSeconds = 120;
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** The logouts of one tenant. Unlike mail, each sign-out is told at once: a client that is slow to hear of one delays no other. */
export function logoutsOf(context: () => Context): Relay {
  return relay(
    (goesOn) => tellDue(context(), goesOn),
    (cause) => context().log.error('logout.not_told', {}, cause),
    { apart: true, waitUntil: (work) => context().options.waitUntil?.(work) },
  );
}

async function tellDue(context: Context, goesOn: GoesOn): Promise<number> {
  const { postForm } = context.options;
  if (!postForm) return 0;
  return drain({
    batch,
    goesOn,
    claim: (limit) => context.store.claimLogouts(context.now(), limit),
    handOver: (due) => Promise.all(due.map((one) => tell(one, postForm, context))),
  });
}

async function tell(due: DueLogout, postForm: FormPoster, context: Context): Promise<void> {
  const found = await findClientForToken(due.clientId, context);
  const uri = found.state === 'active' ? found.client.metadata.backchannelLogoutUri : undefined;
  if (found.state !== 'active' || uri === undefined) return context.store.settleLogout(due.sid, due.clientId);
  const status = await post(uri, await logoutToken(due, found.client, context), postForm);
  // §2.8: 400 is the client's last word; anything else that is not success may pass.
  const answered = status === 200 || status === 204 || status === 400;
  const settled = answered || due.last;
  if (settled && !answered) context.log.warn('logout.given_up', { client_id: due.clientId, status });
  else context.log.info('logout.told', { client_id: due.clientId, status, settled });
  if (settled) await context.store.settleLogout(due.sid, due.clientId);
}

/** Undefined when there was no answer. */
async function post(uri: string, token: string, postForm: FormPoster): Promise<number | undefined> {
  try {
    return (await postForm(uri, new URLSearchParams({ logout_token: token }).toString())).status;
  } catch {
    return undefined;
  }
}

/** Back-Channel Logout §2.4. Its type keeps it from being taken for an ID token, and it never has a nonce. */
async function logoutToken({ sid, userId }: DueLogout, client: Client, context: Context): Promise<string> {
  const now = context.now();
  const claims = {
    iss: context.issuer,
    aud: client.id,
    iat: now,
    exp: now + tokenSeconds,
    jti: randomId('', 16),
    sub: subjectFor(client, userId, context),
    sid,
    events: { [logoutEvent]: {} },
  };
  return (await context.signing.current()).sign('logout+jwt', claims, responseAlgorithm(client.metadata.idTokenSignedResponseAlg, context.options));
}
