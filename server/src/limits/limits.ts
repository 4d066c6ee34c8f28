/**
 * Counts by the limits of policies.ts: guessable and costly things in the database for all nodes, hot paths in the memory of this one. A bucket that is empty is
 * remembered here, so that a flood against it costs no statement. The headers are those of draft-ietf-httpapi-ratelimit-headers-11.
 */
import { type OAuthError, tooManyRequests } from '../errors.ts';
import type { Allowance, Store } from '../storage/store.ts';
import { type NodeBuckets, nodeBuckets } from './node-buckets.ts';
import { type LimitChanges, type LimitName, type NodeLimit, nodePolicies, type Policy, type SharedLimit, sharedPolicies } from './policies.ts';

export type Limits = {
  /** Takes one from a bucket that all nodes share. `key` is who is counted: never a secret, and short. */
  take(name: SharedLimit, key?: string): Promise<Allowance>;
  /** The same. @throws {OAuthError} too_many_requests */
  check(name: SharedLimit, key?: string, description?: string): Promise<void>;
  /** The same, beside what the request does meanwhile, so that both share a commit. A bucket known to be empty is refused before that. @throws {OAuthError} too_many_requests, at once or later */
  begin(name: SharedLimit, key?: string): Promise<void>;
  /** Takes the count of what turned out well back, so that only failures count. */
  giveBack(name: SharedLimit, key?: string): Promise<void>;
  /** Takes one from a bucket of this node, without a statement. @throws {OAuthError} too_many_requests */
  checkHere(name: NodeLimit, key: string): void;
};

type Settings = { store: Pick<Store, 'takeFrom' | 'giveBackTo'>; changes: LimitChanges; now: () => number };

/** Empty buckets that are remembered at most. */
const mostEmpty = 10_000;

/** Makes the limits of a tenant. `changes` win over the table; `now` in seconds. */
export function limitsOf({ store, changes, now }: Settings): Limits {
  const emptyUntil = new Map<string, number>();
  const buckets = Object.fromEntries(
    Object.entries(nodePolicies).map(([name, policy]) => {
      const changed = changes[name as NodeLimit] ?? policy;
      return [name, changed === 'off' ? undefined : nodeBuckets(changed)];
    }),
  ) as Record<NodeLimit, NodeBuckets | undefined>;

  const policyOf = (name: SharedLimit) => changes[name] ?? sharedPolicies[name];

  async function take(name: SharedLimit, key?: string): Promise<Allowance> {
    const policy = policyOf(name);
    if (policy === 'off') return { allowed: true };
    const bucket = bucketOf(name, key);
    const wait = emptyFor(bucket);
    const allowance: Allowance = wait > 0 ? { allowed: false, retryAfter: wait } : await store.takeFrom(bucket, policy, now() * 1000);
    if (allowance.allowed) {
      emptyUntil.delete(bucket);
      return allowance;
    }
    if (wait <= 0) remember(bucket, now() + allowance.retryAfter);
    return { ...allowance, headers: rateLimitHeaders(name, policy, allowance.retryAfter) };
  }

  async function check(name: SharedLimit, key?: string, description?: string): Promise<void> {
    const allowance = await take(name, key);
    if (!allowance.allowed) throw tooManyRequests(allowance.retryAfter, description, allowance.headers);
  }

  const emptyFor = (bucket: string): number => (emptyUntil.get(bucket) ?? 0) - now();

  function remember(bucket: string, until: number): void {
    const [oldest] = emptyUntil.keys();
    if (emptyUntil.size >= mostEmpty && oldest !== undefined) emptyUntil.delete(oldest);
    emptyUntil.set(bucket, until);
  }

  return {
    take,
    check,
    begin(name, key) {
      const policy = policyOf(name);
      const wait = emptyFor(bucketOf(name, key));
      if (policy !== 'off' && wait > 0) throw tooManyRequests(wait, undefined, rateLimitHeaders(name, policy, wait));
      return check(name, key);
    },
    async giveBack(name, key) {
      const policy = policyOf(name);
      if (policy === 'off') return;
      const bucket = bucketOf(name, key);
      emptyUntil.delete(bucket);
      await store.giveBackTo(bucket, policy);
    },
    checkHere(name, key) {
      const wait = buckets[name]?.take(key, now() * 1000) ?? 0;
      if (wait > 0) throw refusedHere(name, changes[name] ?? nodePolicies[name], wait);
    },
  };
}

const bucketOf = (name: LimitName, key?: string): string => (key === undefined ? name : `${name} ${key}`);

function refusedHere(name: NodeLimit, policy: Policy | 'off', waitMs: number): OAuthError {
  const retryAfter = Math.ceil(waitMs / 1000);
  return tooManyRequests(retryAfter, undefined, policy === 'off' ? {} : rateLimitHeaders(name, policy, retryAfter));
}

/** §3 and §4: `"authorize.address";q=600;w=900` is the policy, `"authorize.address";r=0;t=2` what is left of it and until when. No partition key: it could tell who. */
function rateLimitHeaders(name: LimitName, { limit, periodSeconds }: Policy, retryAfter: number): Record<string, string> {
  return { 'RateLimit-Policy': `"${name}";q=${limit};w=${periodSeconds}`, RateLimit: `"${name}";r=0;t=${Math.max(1, retryAfter)}` };
}
