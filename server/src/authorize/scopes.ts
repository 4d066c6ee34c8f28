/**
 * Which scopes a request is about (AZ-19, D4), and which of them the person may leave out (CON-05). Pure: values in, values out.
 */
import { OAuthError } from '../errors.ts';
import { askedScope, identityScopes } from '../rules/scope.ts';
import type { Target } from '../servers/resource.ts';
import type { AskedAccess, Client } from '../storage/store.ts';

/** The scopes wanted of each resource, in their order, and those that none of them offers. */
export type WantedScopes = { scopes: string[][]; ignored: string[] };

/**
 * Of several resources each gets the scopes that it offers, or its default when none of a server is asked for. Who the person is, and for how long, is asked of the
 * authorization as a whole, which the first stands for.
 *
 * @throws {OAuthError} invalid_scope when one of several is named without a scope of its own.
 */
export function wantedScopes(value: string | undefined, client: Client, targets: readonly [Target, ...Target[]]): WantedScopes {
  const [first, ...more] = targets;
  if (more.length === 0) {
    const { scope, ignored } = wantedScope(value, client, first);
    return { scopes: [scope], ignored };
  }
  const asked = askedScope(value);
  const identity = asked.filter((scope) => identityScopes.includes(scope));
  const own = targets.map((target) => ownScope(asked, client, target));
  const ignored = asked.filter((scope) => !identity.includes(scope) && !own.some((scopes) => scopes.includes(scope)));
  return { scopes: own.map((scopes, index) => (index === 0 ? [...new Set([...identity, ...scopes])] : scopes)), ignored };
}

function ownScope(asked: readonly string[], client: Client, target: Target): string[] {
  const offered = new Set(target.scopes.map(({ name }) => name));
  if (asked.every((scope) => scope === 'offline_access')) return defaultScope(client, target, offered);
  const scope = asked.filter((name) => offered.has(name));
  if (scope.length === 0) throw new OAuthError('invalid_scope', 'None of the requested scopes is offered by one of the resources');
  return scope;
}

export type WantedScope = { scope: string[]; ignored: string[] };

/**
 * RFC 6749 §3.3: "the authorization server MUST either process the request using a pre-defined default value or fail". Unknown scopes
 * are dropped while something remains; the consent page lists them as ignored. Those of other resources are refused in request.ts.
 *
 * @throws {OAuthError} invalid_scope when none of the requested scopes is offered.
 */
export function wantedScope(value: string | undefined, client: Client, target: Target): WantedScope {
  const offered = new Set([...target.scopes.map((scope) => scope.name), ...identityScopes]);
  const asked = askedScope(value);
  const kept = asked.filter((scope) => offered.has(scope));
  const ignored = asked.filter((scope) => !offered.has(scope));
  if (asked.length > 0 && kept.length === 0) throw new OAuthError('invalid_scope', 'None of the requested scopes is offered by this resource');
  // offline_access says for how long, not what: alone it asks for the default.
  if (kept.some((scope) => scope !== 'offline_access')) return { scope: kept, ignored };
  return { scope: [...new Set([...defaultScope(client, target, offered), ...kept])], ignored };
}

/** contracts §7.4 and §7.6: what the client registered as its default, as far as this resource offers it, else the resource's own default. */
function defaultScope(client: Client, target: Target, offered: ReadonlySet<string>): string[] {
  const registered = (client.metadata.scope ?? '').split(' ').filter((scope) => offered.has(scope));
  return registered.length > 0 ? registered : target.defaultScopes;
}

/** The scopes with a box: new ones that are optional in the owner's eyes. When every new one is, they are no choice but the request itself: Allow means them. */
export function choices(scope: readonly string[], target: Target, allowed: readonly string[]): string[] {
  const fresh = scope.filter((name) => name !== 'offline_access' && !allowed.includes(name));
  const optional = fresh.filter((name) => target.scopes.some((offered) => offered.name === name && offered.optional));
  return optional.length === fresh.length ? [] : optional;
}

/** What the box of a scope sends. Two servers may have a scope of one name, so those of a further resource say which they mean; no scope has a space in it. */
export function boxOf(name: string, companion?: string): string {
  return companion === undefined ? name : `${name} ${companion}`;
}

/** What is granted: everything requested that is no choice, and of the choices those whose box was ticked. Never more than was requested. */
export function narrowed(scope: readonly string[], optional: readonly string[], ticked: readonly string[], companion?: string): string[] {
  return scope.filter((name) => !optional.includes(boxOf(name, companion)) || ticked.includes(boxOf(name, companion)));
}

/** The same for everything that was asked, resource by resource. */
export function narrowedAccesses([first, ...companions]: readonly [AskedAccess, ...AskedAccess[]], optional: readonly string[], ticked: readonly string[]) {
  const narrowedTo = (access: AskedAccess, companion?: string): AskedAccess => ({ ...access, scope: narrowed(access.scope, optional, ticked, companion) });
  const all: [AskedAccess, ...AskedAccess[]] = [narrowedTo(first), ...companions.map((access) => narrowedTo(access, access.resource))];
  return all;
}
