/**
 * The values in a request that could be somebody's: parameters of path, query and body, cookies, credentials. Each can be read and replaced, and for each there is
 * one of the same form that never was anybody's.
 */
import { newKey } from '../../src/servers/key-value.ts';
import { patternOf, type Recorded } from './recorder.ts';

/** `form:tx`, `cookie:session`, `bearer:`, `path:grant`, `json:actions.0.token` */
export type Slots = Map<string, string>;
export type Sent = { path: string; init: RequestInit };

/** The values of a request that was sent to a tenant. */
export function slotsOf({ route, path, query, headers, body }: Recorded, slug: string): Slots {
  const slots: Slots = new Map();
  for (const [name, value] of Object.entries(patternOf(route.path).exec(path)?.groups ?? {})) slots.set(`path:${name}`, decodeURIComponent(value));
  for (const [name, value] of new URLSearchParams(query)) slots.set(`query:${name}`, value);
  if (isForm(headers)) for (const [name, value] of new URLSearchParams(body)) slots.set(`form:${name}`, value);
  if (isJson(headers)) for (const [name, value] of leaves(JSON.parse(body ?? '{}'))) slots.set(`json:${name}`, value);
  for (const pair of (headers.cookie ?? '').split('; ').filter(Boolean)) {
    const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    slots.set(`cookie:${name.replace(new RegExp(`_${slug}$`), '')}`, value);
  }
  const [scheme, credentials = ''] = (headers.authorization ?? '').split(' ');
  if (scheme === 'Bearer') slots.set('bearer:', credentials);
  if (scheme === 'Basic') {
    const [id = '', secret = ''] = Buffer.from(credentials, 'base64').toString().split(':');
    slots.set('basic:id', id).set('basic:secret', secret);
  }
  return slots;
}

/** The same request with these values, for a tenant. */
export function requestWith({ method, route, query, headers, body }: Recorded, slots: Slots, slug: string): Sent {
  const value = (slot: string, own: string): string => slots.get(slot) ?? own;
  const pairs = (place: string, text: string | undefined) =>
    new URLSearchParams([...new URLSearchParams(text)].map(([name, own]) => [name, value(`${place}:${name}`, own)])).toString();
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(value(`path:${name}`, '')));
  const cookies = [...slots].filter(([slot]) => slot.startsWith('cookie:')).map(([slot, text]) => `${slot.slice('cookie:'.length)}_${slug}=${text}`);
  const authorization = slots.has('bearer:')
    ? `Bearer ${slots.get('bearer:')}`
    : slots.has('basic:id') && `Basic ${Buffer.from(`${slots.get('basic:id')}:${slots.get('basic:secret')}`).toString('base64')}`;
  const { cookie: _, authorization: __, ...others } = headers;
  const search = pairs('query', query);
  return {
    path: `${path}${search && `?${search}`}`,
    init: {
      method,
      headers: { ...others, ...(cookies.length > 0 ? { cookie: cookies.join('; ') } : {}), ...(authorization ? { authorization } : {}) },
      body: isForm(headers) ? pairs('form', body) : isJson(headers) ? JSON.stringify(replaced(JSON.parse(body ?? '{}'), slots)) : body,
    },
  };
}

const isForm = (headers: Record<string, string>) => headers['content-type']?.includes('urlencoded') === true;
const isJson = (headers: Record<string, string>) => headers['content-type']?.includes('json') === true;

function leaves(value: unknown, path: string[] = []): [string, string][] {
  if (typeof value === 'string') return [[path.join('.'), value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

function replaced(value: unknown, slots: Slots, path: string[] = []): unknown {
  if (typeof value === 'string') return slots.get(`json:${path.join('.')}`) ?? value;
  if (Array.isArray(value)) return value.map((inner, index) => replaced(inner, slots, [...path, String(index)]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replaced(inner, slots, [...path, name])]));
}

/** A value of the same form that is nobody's. */
export function unknownLike(value: string): string {
  if (/^sk_[A-Za-z0-9]{12}_/.test(value)) return newKey().secret;
  if (value.startsWith('{')) {
    const credential = JSON.parse(value) as { id: string; rawId: string };
    const id = unknownLike(credential.id);
    return JSON.stringify({ ...credential, id, rawId: id });
  }
  if (/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/.test(value)) return value.split('').reverse().join('');
  // The last character may hold bits that nobody reads; the first ones say what kind of value it is.
  const fixed = /^(urn:ietf:params:oauth:request_uri:|[a-z]{2,8}_)?/.exec(value)?.[0].length ?? 0;
  const end = value.length > 20 ? value.length - 2 : value.length;
  const start = Math.max(fixed, end - 14);
  return value.slice(0, start) + value.slice(start, end).replace(/[A-Za-z0-9]/g, another) + value.slice(end);
}

function another(character: string): string {
  const next = String.fromCharCode(character.charCodeAt(0) + 1);
  return /[A-Za-z0-9]/.test(next) ? next : /\d/.test(character) ? '0' : /[a-z]/.test(character) ? 'a' : 'A';
}
