/**
 * OAuth parameters: flat strings, each at most once, empty meaning absent (OAuth 2.1 §3.1, §3.2). Read once per request, from a query, a form or a JSON
 * object with string members; handlers never see the wire form.
 */
import { OAuthError } from '../errors.ts';
import { parseStrictJson } from './strict-json.ts';

export type Parameters = {
  /** The value, or undefined when absent or empty. Of a repeated parameter the first. */
  get(name: string): string | undefined;
  /** Every non-empty value; only `resource` may have several (RFC 8707 §2). */
  all(name: string): string[];
  /** Names that occur more than once, `resource` excepted. */
  readonly repeated: readonly string[];
};

const maxParameters = 100;
const repeatable = new Set(['resource']);

/** Reads a query string or form body. `prose` names what a person may write in several lines. @throws {OAuthError} invalid_request on more than 100 parameters or a control character. */
export function parametersFromForm(text: string, prose?: string): Parameters {
  return parameters([...new URLSearchParams(text)], prose);
}

/** Reads a JSON object: string members, `null` absent, `resource` may be an array of strings (contracts §7.7). A duplicate member is a repeated parameter. */
export function parametersFromJson(text: string): Parameters {
  const parsed = parseStrictJson(text);
  if (!parsed || typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value))
    throw new OAuthError('invalid_request', 'The body must be a JSON object');
  const pairs: [string, string][] = parsed.duplicates.map((name) => [name, ' ']);
  for (const [name, value] of Object.entries(parsed.value)) {
    if (value === null) continue;
    const values: unknown[] = Array.isArray(value) && repeatable.has(name) ? value : [value];
    for (const one of values) {
      if (typeof one !== 'string') throw new OAuthError('invalid_request', 'Members of the body must be strings');
      pairs.push([name, one]);
    }
  }
  return parameters(pairs);
}

/** @throws {OAuthError} invalid_request when any parameter is repeated. Back-channel endpoints call this at once; /authorize later (AZ-09). */
export function refuseRepeated(given: Parameters): void {
  if (given.repeated.length > 0) throw new OAuthError('invalid_request', 'A parameter is repeated');
}

function parameters(pairs: [string, string][], prose?: string): Parameters {
  if (pairs.length > maxParameters) throw new OAuthError('invalid_request', 'Too many parameters');
  const values = new Map<string, string[]>();
  const seen = new Set<string>();
  const repeated: string[] = [];
  for (const [name, value] of pairs) {
    const refused = name === prose ? /\0/ : /[\0\r\n]/;
    if (refused.test(value) || /[\0\r\n]/.test(name)) throw new OAuthError('invalid_request', 'A parameter contains a control character');
    if (seen.has(name) && !repeatable.has(name)) repeated.push(name);
    seen.add(name);
    if (value === '') continue;
    const list = values.get(name);
    if (list) list.push(value);
    else values.set(name, [value]);
  }
  return { get: (name) => values.get(name)?.[0], all: (name) => values.get(name) ?? [], repeated };
}
