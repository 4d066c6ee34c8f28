/**
 * From the `resource` a client names to the server we guard. The authorization server itself is a resource too: its id is the issuer, its scopes are
 * those of OpenID Connect. Other rooms ask here and nowhere else. Not here: registering servers (register.ts).
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { differenceOf } from '../rules/difference.ts';
import { canonicalResource, oneTokenOneResource, otherSpellings } from '../rules/resource.ts';
import { identityScopes } from '../rules/scope.ts';
import type { Client, McpServer, ServerScope } from '../storage/store.ts';

/** What a token can be for. `server` is absent for the authorization server itself. */
export type Target = { resource: string; server?: McpServer; scopes: ServerScope[]; defaultScopes: string[] };

/**
 * RFC 8707 §2.1: finds the one resource that the values name; several spellings of one are one. Without a value: the client's default, else the authorization server.
 *
 * @throws {OAuthError} invalid_target when a value is no absolute URI, is unknown, or when the values name several resources.
 */
export async function findTarget(values: readonly string[], client: Client, context: Context): Promise<Target> {
  const [resource, ...more] = namedResources(values, client, context);
  if (more.length > 0) throw new OAuthError('invalid_target', oneTokenOneResource);
  return knownTarget(resource, context);
}

/** RFC 8707 §2: "Multiple resource parameters MAY be used". More than a handful no person reads. */
const maxResources = 5;

/**
 * The same for a request that a person answers, which may name several: in the order in which they are named.
 *
 * @throws {OAuthError} invalid_target for all of them when one is no absolute URI or is unknown, or when there are more than five.
 */
export async function findTargets(values: readonly string[], client: Client, context: Context): Promise<[Target, ...Target[]]> {
  const [first, ...more] = namedResources(values, client, context);
  if (more.length >= maxResources) throw new OAuthError('invalid_target', `A request may name ${maxResources} resources at most`);
  const targets: [Target, ...Target[]] = [await knownTarget(first, context)];
  for (const resource of more) targets.push(await knownTarget(resource, context));
  return targets;
}

/** Canonical, each once. */
function namedResources(values: readonly string[], client: Client, context: Context): [string, ...string[]] {
  const wanted = values.length > 0 ? values : [client.defaultResource ?? context.issuer];
  const canonical = [...new Set(wanted.map(canonicalResource))];
  const [first, ...more] = canonical.filter((resource) => resource !== undefined);
  if (first === undefined || canonical.includes(undefined)) throw new OAuthError('invalid_target', 'resource must be an absolute URI without a fragment');
  return [first, ...more];
}

async function knownTarget(resource: string, context: Context): Promise<Target> {
  const target = await targetOf(resource, context);
  if (!target) throw await unknownResource(resource, context);
  return target;
}

/** Names the registered server that was probably meant: reached by a few spellings, each asked for by itself, so that nobody reads a list of our servers out of this. */
async function unknownResource(resource: string, context: Context): Promise<OAuthError> {
  const error = new OAuthError('invalid_target', 'The resource is not registered here');
  for (const { spelling, said } of otherSpellings(resource)) {
    if (!(await targetOf(spelling, context))) continue;
    return error.onPage({
      forDeveloper: `${said} Resources are compared character by character, apart from the case of scheme and host, the default port and a lone slash at the root.`,
      difference: differenceOf(resource, spelling),
      details: [
        ['resource', resource],
        ['registered', spelling],
      ],
    });
  }
  return error.onPage({ details: [['resource', resource]] });
}

/** The target of a canonical resource, if it is registered. */
export async function targetOf(resource: string, context: Context): Promise<Target | undefined> {
  if (resource === context.issuer) return ownTarget(context.issuer);
  const server = await context.store.findServerByResource(resource);
  return server && { resource: server.resource, server, scopes: server.scopes, defaultScopes: defaultScopes(server) };
}

function ownTarget(issuer: string): Target {
  return { resource: issuer, scopes: identityScopes.map((name) => ({ name })), defaultScopes: ['openid', 'profile', 'email'] };
}

/** contracts §7.4: the owner's default scopes; unset, those that only see; or all when there is none. */
function defaultScopes(server: McpServer): string[] {
  if (server.defaultScopes) return server.defaultScopes;
  const seeing = server.scopes.filter((scope) => (scope.group ? scope.group === 'see' : /(^|[:._-])(read|list|search|view|get)$/.test(scope.name)));
  return (seeing.length > 0 ? seeing : server.scopes).map((scope) => scope.name);
}
