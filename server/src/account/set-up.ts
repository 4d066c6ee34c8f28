/**
 * Whether anybody can sign in at all: before the first account exists, people read that this service is not set up yet, and what its operator does. The setup link itself
 * is never shown: whoever opens it becomes the operator. Not here: that link (setup.ts). Machines are told nothing of this.
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { offeredUpstreams } from './methods/upstream.ts';
import { signUpIsOpen } from './sign-up-open.ts';

/** Once there is somebody there always is: the last operator cannot leave. */
const known = new WeakSet<Context>();

/** Whether somebody has an account here, or anybody may make one. */
export async function isSetUp(context: Context): Promise<boolean> {
  const { options, store } = context;
  if (known.has(context) || signUpIsOpen(options)) return true;
  // Whoever comes from an upstream needs no mail to make an account.
  if (!(await store.hasPeople())) return options.signIn.signUp === 'open' && (await offeredUpstreams({}, context)).length > 0;
  known.add(context);
  return true;
}

/** @throws {OAuthError} not_set_up, for a page: 503, because it is about the service and not the address, and passes. */
export async function checkSetUp(context: Context): Promise<void> {
  if (await isSetUp(context)) return;
  const command = `auth-agent setup-link${context.base === '' ? '' : ` --tenant ${context.store.tenant}`}`;
  throw new OAuthError('not_set_up', 'Nobody has an account here yet').onPage({ case: 'notSetUp', values: { command } });
}
