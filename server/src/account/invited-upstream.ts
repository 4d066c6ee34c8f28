/**
 * POST /invite/upstream: whoever is invited goes to an upstream, to accept with who they are there. Not here: the way there and back (upstream-sign-in.ts), the account
 * that is made then (first-time.ts).
 */
import type { Context, Exchange } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { Answer } from '../route.ts';
import { refuseRepeated } from '../rules/parameters.ts';
import { readParameters } from '../rules/read-body.ts';
import { checkForm } from './form-token.ts';
import { offeredUpstreams } from './methods/upstream.ts';
import { newAccountFormOf } from './new-account.ts';
import { invitationOf } from './one-time-link.ts';
import { onwardOf } from './onward.ts';
import { depart } from './upstream-sign-in.ts';

/** POST /invite/upstream. */
export async function goInvited(exchange: Exchange, context: Context): Promise<Answer> {
  const form = await readParameters(exchange.request, 'form');
  refuseRepeated(form);
  const token = form.get('token') ?? '';
  const browser = checkForm(newAccountFormOf('/invite', token), form.get('csrf'), { exchange, context });
  await invitationOf(token, context);
  const upstream = (await offeredUpstreams({}, context)).find(({ id }) => id === form.get('upstream'));
  if (!upstream) throw new OAuthError('not_found', 'Nobody signs in there any more');

  return depart(upstream, { purpose: { for: 'invitation', token }, onward: onwardOf(form) }, { browser, exchange, context });
}
