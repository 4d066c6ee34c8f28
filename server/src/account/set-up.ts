/**
 * Whether anybody can sign in at all: before the first account exists, people read that this service is not set up yet, and what its operator does. The setup link itself
 * is never shown: whoever opens it becomes the operator. Not here: that link (setup.ts). Machines are told nothing of this.
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';

/** Once there is somebody there always is: the last operator cannot leave. */
const known = new WeakSet<Context>();

/** Whether somebody has an account here, or anybody may make one. */
export async function isSetUp(context: Context): Promise<boolean> {
  if (known.has(context) || context.options.signIn.signUp === 'open') return true;
  if (!(await context.store.hasPeople())) return false;
  known.add(context);
  return true;
}

/** @throws {OAuthError} not_set_up, for a page: 503, because it is about the service and not the address, and passes. */
export async function checkSetUp(context: Context): Promise<void> {
  if (await isSetUp(context)) return;
  const command = `auth-agent setup-link${context.base === '' ? '' : ` --tenant ${context.store.tenant}`}`;
  throw new OAuthError('not_set_up', 'Nobody has an account here yet').onPage({ case: 'notSetUp', values: { command } });
}
