/**
 * Whether scopes suffice, with hierarchies, and which scopes a challenge names (RFC 6749 §3.3, RFC 6750 §3.1; RS-11, RS-13).
 * Pure. Scopes are compared as whole strings; only the developer's own map makes one include another.
 */

/** `{ 'files:write': ['files:read'], 'admin:all': ['*'] }`: a scope and those it includes. `*` is every scope. Transitive. */
export type ScopeHierarchy = Readonly<Record<string, readonly string[]>>;

/** All of these scopes, or at least one of `anyOf` (put the least powerful first: it is the one a challenge asks for). */
export type ScopeRequirement = readonly string[] | { readonly anyOf: readonly string[] };

/** What each scope includes, itself among it, closed over the hierarchy once at start. */
export type ScopeClosure = ReadonlyMap<string, ReadonlySet<string>>;

/** Splits a scope string (RFC 6749 §3.3); several spaces count as one, repeats are dropped. */
export function parseScope(value: string): string[] {
  return [...new Set(value.split(' ').filter((scope) => scope !== ''))];
}

/** scope-token = 1*( %x21 / %x23-5B / %x5D-7E ): anything else could break out of a challenge header. */
export function isScopeToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(value);
}

/** Follows the hierarchy to its end for every scope it names. Cycles are harmless: such scopes include each other. */
export function closeHierarchy(hierarchy: ScopeHierarchy): ScopeClosure {
  return new Map(Object.keys(hierarchy).map((scope) => [scope, reach(scope, hierarchy)]));
}

function reach(start: string, hierarchy: ScopeHierarchy): Set<string> {
  const reached = new Set([start]);
  for (const scope of reached) {
    for (const included of Object.hasOwn(hierarchy, scope) ? (hierarchy[scope] ?? []) : []) reached.add(included);
  }
  return reached;
}

/** The scopes held, with everything they include. `*` stays as `*`: it cannot be listed. */
export function expandScopes(granted: readonly string[], closure: ScopeClosure): string[] {
  return [...new Set(granted.flatMap((scope) => [...(closure.get(scope) ?? [scope])]))];
}

/** Whether what was granted covers the requirement. */
export function satisfies(granted: readonly string[], requirement: ScopeRequirement, closure: ScopeClosure): boolean {
  const covers = (scope: string) => granted.some((held) => includes(held, scope, closure));
  return 'anyOf' in requirement ? requirement.anyOf.some(covers) : requirement.every(covers);
}

function includes(held: string, wanted: string, closure: ScopeClosure): boolean {
  if (held === wanted) return true;
  const included = closure.get(held);
  return included !== undefined && (included.has(wanted) || included.has('*'));
}

/**
 * RS-13: every scope of the whole operation in one challenge, in the order given, without those that another of them includes. Of `anyOf` the first.
 * Scopes the token already has stay in: a client of the 2025-11-25 protocol asks for exactly this list and would lose them otherwise.
 */
export function challengeScopes(requirements: readonly ScopeRequirement[], closure: ScopeClosure): string[] {
  const wanted = new Set(requirements.flatMap((requirement) => ('anyOf' in requirement ? requirement.anyOf.slice(0, 1) : requirement)));
  for (const scope of [...wanted].reverse()) {
    if ([...wanted].some((other) => other !== scope && includes(other, scope, closure))) wanted.delete(scope);
  }
  return [...wanted];
}
