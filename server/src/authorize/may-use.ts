/**
 * Whether a person may give access to a server at all (AZ-37): its owner may keep it to the people on a list. Said only to who has signed in. Not here: the list (api/,
 * the command line), what happens to earlier grants (storage).
 */
import type { SignedIn } from '../account/session.ts';
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { type Target, targetOf } from '../servers/resource.ts';
import type { AskedAccess, DeviceRequest } from '../storage/store.ts';
import { accessesOf } from './asked-for.ts';
import type { Targets } from './question.ts';

const notListed = 'not on the list of the server';

/** @throws {OAuthError} access_denied */
async function checkPerson({ user }: SignedIn, { server }: Target, { store, base }: Context): Promise<void> {
  if (server?.people === undefined || (await store.mayUseServer({ serverId: server.id, userId: user.id }))) return;
  throw new OAuthError('access_denied', 'This person may not use the resource', { cause: `${notListed} ${server.id}` }).onPage({
    case: 'notListed',
    goTo: { href: `${base}/account/ask?server=${encodeURIComponent(server.id)}`, place: 'ask' },
  });
}

/** What a request was about, as it is now, and open to this person. @throws {OAuthError} invalid_target, access_denied */
export async function stillThereFor(request: DeviceRequest, signedIn: SignedIn, context: Context): Promise<Targets> {
  const [first, ...more] = accessesOf(request);
  const find = async ({ resource }: AskedAccess): Promise<Target> => {
    const target = await targetOf(resource, context);
    if (!target) throw new OAuthError('invalid_target', 'The resource is not registered here');
    await checkPerson(signedIn, target, context);
    return target;
  };
  return [await find(first), ...(await Promise.all(more.map(find)))];
}

/** The server whose list said no; undefined when it was not this rule. */
export function unlistedAt({ cause }: OAuthError): string | undefined {
  return typeof cause === 'string' && cause.startsWith(`${notListed} `) ? cause.slice(notListed.length + 1) : undefined;
}
