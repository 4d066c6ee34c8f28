/**
 * Whether a person may give access to a server at all (AZ-37): its owner may keep it to the people on a list. Said only to who has signed in. Not here: the list (api/,
 * the command line), what happens to earlier grants (storage).
 */
import type { SignedIn } from '../account/session.ts';
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import type { Target } from '../servers/resource.ts';

const notListed = 'not on the list of the server';

/** @throws {OAuthError} access_denied */
export async function checkPerson({ user }: SignedIn, { server }: Target, { store }: Context): Promise<void> {
  if (server?.people === undefined || (await store.mayUseServer({ serverId: server.id, userId: user.id }))) return;
  throw new OAuthError('access_denied', 'This person may not use the resource', { cause: notListed }).onPage({ case: 'notListed' });
}

/** Whether it was this rule that said no, and not the person. */
export function isNotListed({ cause }: OAuthError): boolean {
  return cause === notListed;
}
