/**
 * Requests of ours that wait for hosts of strangers. Concurrent questions for one address are one fetch, and only so many requests wait for one fetch, and for all of
 * them: else a host that answers slowly would hold all that this node can have in hand. Not here: how often a host is asked (limits/), for how long (runtimes/pinned-fetch.ts).
 */
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';

/** Requests that wait for one fetch, and for the upstreams of one tenant, at most. */
const mostForOne = 50;
/** Requests that wait altogether, at most, for new hosts, for known ones and for upstreams: each a quarter of what a node begins to shed at by default. */
const mostInAll = 100;

/** Known hosts have given us something before. Those who make up new ones cannot take their places. An operator chose an upstream, which may stand still all the same. */
export type Host = 'new' | 'known' | 'upstream';

/** Of this process, whatever the tenant. */
const waiting: Record<Host, number> = { new: 0, known: 0, upstream: 0 };
const waitingOfTenant = new WeakMap<Context, number>();

type Flight<Value> = { landing: Promise<Value>; waiting: number };
type Destination = { url: string; host: Host };

/** Does what waits for a stranger's host. @throws {OAuthError} temporarily_unavailable at once, while too many requests do. */
export async function waitForStranger<Value>(host: Host, work: () => Promise<Value>): Promise<Value> {
  if (waiting[host] >= mostInAll) throw busy();
  waiting[host] += 1;
  try {
    return await work();
  } finally {
    waiting[host] -= 1;
  }
}

/** The same, where one tenant's upstreams cannot take the places of all others. @throws {OAuthError} temporarily_unavailable at once, while too many requests do. */
export async function waitForUpstream<Value>(context: Context, work: () => Promise<Value>): Promise<Value> {
  const before = waitingOfTenant.get(context) ?? 0;
  if (before >= mostForOne) throw busy();
  waitingOfTenant.set(context, before + 1);
  try {
    return await waitForStranger('upstream', work);
  } finally {
    waitingOfTenant.set(context, (waitingOfTenant.get(context) ?? 1) - 1);
  }
}

/** Makes a function that fetches an address once for all who ask for it meanwhile. @throws {OAuthError} temporarily_unavailable as {@link waitForStranger}. */
export function flightsOf<Value>(): (context: Context, destination: Destination, fly: () => Promise<Value>) => Promise<Value> {
  const skies = new WeakMap<Context, Map<string, Flight<Value>>>();

  function begin(sky: Map<string, Flight<Value>>, url: string, fly: () => Promise<Value>): Flight<Value> {
    const flight = { landing: fly().finally(() => sky.delete(url)), waiting: 0 };
    sky.set(url, flight);
    return flight;
  }

  return async (context, { url, host }, fly) => {
    const sky = skies.get(context) ?? new Map<string, Flight<Value>>();
    skies.set(context, sky);
    const joined = sky.get(url);
    if (joined && joined.waiting >= mostForOne) throw busy();
    return waitForStranger(host, () => {
      const flight = joined ?? begin(sky, url, fly);
      flight.waiting += 1;
      return flight.landing;
    });
  };
}

function busy(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'Too many requests wait for other hosts, try again shortly', { headers: { 'Retry-After': '5' } });
}
