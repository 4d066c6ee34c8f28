/**
 * What a token request may ask of a grant: never more than was granted. Pure rules.
 */
import { OAuthError } from '../../errors.ts';
import { canonicalResource, oneTokenOneResource } from '../../rules/resource.ts';
import { askedScope, isSubset } from '../../rules/scope.ts';

/** RFC 8707 §2.2: every `resource` of a token request is the one the grant is for; none means that one. @throws {OAuthError} invalid_target */
export function checkResource(values: readonly string[], granted: string): void {
  if (!namesOnly(values, granted)) throw new OAuthError('invalid_target', 'The resource is not the one that was granted');
}

/** Whether nothing else is named; no value names it too. */
export function namesOnly(values: readonly string[], granted: string): boolean {
  return values.every((value) => value === granted || canonicalResource(value) === granted);
}

/** The one resource that the values name. @throws {OAuthError} invalid_target */
export function oneResource(values: readonly string[]): string {
  const [resource, ...more] = new Set(values.map(canonicalResource));
  if (more.length > 0) throw new OAuthError('invalid_target', oneTokenOneResource);
  if (resource === undefined) throw new OAuthError('invalid_target', 'resource must be an absolute URI without a fragment');
  return resource;
}

/**
 * OAuth 2.1 §4.3.1: a refresh may ask for less, never for more; nothing asked means all. What the person has taken back since (`removed`) was granted once, so asking for it is
 * no error while something else is left.
 *
 * @throws {OAuthError} invalid_scope
 */
export function narrowScope(asked: string | undefined, granted: readonly string[], removed: readonly string[] = []): readonly string[] {
  const scope = askedScope(asked);
  if (scope.length === 0) return granted;
  const left = scope.filter((name) => !removed.includes(name));
  if (left.length === 0 || !isSubset(left, granted)) throw new OAuthError('invalid_scope', 'The scope exceeds what was granted');
  return left;
}
