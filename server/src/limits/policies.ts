/**
 * Every rate limit of this server as data, and how an operator changes one: `authorize.address=1200/15m`, `token.client=off`. Limits by address count only what a
 * person's browser begins or what failed, because hosted agents share addresses. Not here: counting (limits.ts), waits that grow with each guess (storage/tables/attempts.ts).
 */

/** `limit` at once, refilled evenly over `periodSeconds`. */
export type Policy = { limit: number; periodSeconds: number };

const minute = 60;
const quarter = 900;
const hour = 3600;

type Row = Policy & { about: string };

/** Counted in the database, by one statement, exactly, for all nodes together. */
export const sharedPolicies = {
  'authorize.address': { limit: 600, periodSeconds: quarter, about: 'authorization requests of people who are not signed in, by address' },
  'par.client': { limit: 6000, periodSeconds: quarter, about: 'pushed requests of one client; of a public one, from one address' },
  'device.client': { limit: 600, periodSeconds: quarter, about: 'devices that one client begins to connect; for a public one, from one address' },
  'register.address': { limit: 20, periodSeconds: hour, about: 'registrations from one address (registrationsPerHourAndAddress)' },
  register: { limit: 600, periodSeconds: hour, about: 'registrations of everybody (registrationsPerHour)' },
  'replace.client': { limit: 20, periodSeconds: hour, about: 'replacements of one registration by its client' },
  'replace.address': { limit: 100, periodSeconds: hour, about: 'the same, from one address' },
  'sector.host': { limit: 10, periodSeconds: minute, about: 'sector documents of pairwise clients, fetched from one host' },
  sector: { limit: 120, periodSeconds: minute, about: 'the same, altogether' },
  'document.address': { limit: 20, periodSeconds: minute, about: 'client metadata documents never seen before, asked for from one address' },
  'document.host': { limit: 10, periodSeconds: minute, about: 'the same, fetched from one host' },
  'document.known': { limit: 10, periodSeconds: minute, about: 'fetches of one known document' },
  document: { limit: 120, periodSeconds: minute, about: 'documents never seen before, altogether' },
  'keys.host': { limit: 30, periodSeconds: minute, about: 'key sets of clients that registered themselves, fetched from one host that never gave one' },
  keys: { limit: 120, periodSeconds: minute, about: 'the same, altogether' },
  'sign-in.address': { limit: 100, periodSeconds: quarter, about: 'failed sign-ins from one address, whoever was meant' },
  'second-step.address': { limit: 100, periodSeconds: quarter, about: 'wrong codes of second steps from one address' },
  'upstream.address': { limit: 600, periodSeconds: quarter, about: 'departures to upstream issuers from one address' },
  'mail.address': { limit: 100, periodSeconds: hour, about: 'mails with a code or link asked for from one address' },
  'mail.account': { limit: 10, periodSeconds: hour, about: 'the same, for one name or account' },
  mail: { limit: 1000, periodSeconds: hour, about: 'the same, altogether' },
  'ask.person': { limit: 5, periodSeconds: 24 * hour, about: 'questions of one person for access to servers that are for those on a list' },
  'mail.recipient': { limit: 30, periodSeconds: hour, about: 'mails with a code or link to one account or mailbox, asked for from anywhere' },
  'mail.known': { limit: 10, periodSeconds: hour, about: 'the same, asked for where the person signed in before; not counted with the others' },
} as const satisfies Record<string, Row>;

/** Counted in the memory of each node, for routes that must not pay a statement for it: n nodes allow at most n times as much. */
export const nodePolicies = {
  'authorize.person': { limit: 600, periodSeconds: quarter, about: 'authorization requests of one person who is signed in' },
  'introspect.caller': { limit: 120_000, periodSeconds: minute, about: 'introspections by one API key or client' },
  'introspect.unseen': { limit: 10_000, periodSeconds: 1, about: 'tokens that one caller shows a node for the first time' },
  'token.client': { limit: 12_000, periodSeconds: minute, about: 'tokens that one client gets for itself (client_credentials, workloads)' },
  'refresh.grant': { limit: 120, periodSeconds: minute, about: 'refreshes of one connected agent' },
  'api.owner': { limit: 6000, periodSeconds: minute, about: 'calls of the management API by one owner token' },
} as const satisfies Record<string, Row>;

export type SharedLimit = keyof typeof sharedPolicies;
export type NodeLimit = keyof typeof nodePolicies;
export type LimitName = SharedLimit | NodeLimit;
/** What an operator changed; `off` never refuses. */
export type LimitChanges = Readonly<Partial<Record<LimitName, Policy | 'off'>>>;

export const limitNames = [...Object.keys(sharedPolicies), ...Object.keys(nodePolicies)] as LimitName[];

const units = { s: 1, m: minute, h: hour, d: 86_400 } as const;
const longestPeriod = 7 * 86_400;

/** Reads `name=limit/period` and `name=off`. @throws {TypeError} naming the entry and what it must be. */
export function readLimitChanges(entries: readonly string[]): LimitChanges {
  const changes: Partial<Record<LimitName, Policy | 'off'>> = {};
  for (const entry of entries) {
    const [name = '', ...rest] = entry.split('=').map((part) => part.trim());
    const value = rest.join('=');
    if (!limitNames.includes(name as LimitName)) throw new TypeError(`knows no limit "${name}"; there are ${limitNames.join(', ')}`);
    changes[name as LimitName] = value === 'off' ? 'off' : readPolicy(name, value);
  }
  return changes;
}

function readPolicy(name: string, value: string): Policy {
  const [, limit = '', count = '1', unit = 's'] = /^([1-9]\d{0,8})\/(\d{1,6})?([smhd])$/.exec(value) ?? [];
  const periodSeconds = Number(count) * units[unit as keyof typeof units];
  if (limit === '' || periodSeconds < 1 || periodSeconds > longestPeriod)
    throw new TypeError(`must say how many in which time, up to 7d, such as ${name}=600/15m, or ${name}=off`);
  return { limit: Number(limit), periodSeconds };
}
