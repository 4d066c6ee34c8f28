/**
 * Mixed load of agents and machines, each in a loop of its own until told to stop: consent, code (sometimes two redemptions at once), refresh, introspection,
 * revocation, client credentials. What they are told goes into the ledger; what contradicts it is a violation there.
 */
import type { Browser } from '../server/test/browser.ts';
import { type Answer, allowed, browserOf, insist, introspect, machineToken, Refused, redeem, refresh, revoke, type World } from './callers.ts';
import type { Family } from './ledger.ts';

export type Load = { stop(): Promise<void> };

/** `cookies`: one signed-in person for each agent. */
export function startLoad(world: World, cookies: readonly { name: string; value: string }[], machines: number): Load {
  let stopped = false;
  const loop = async (live: () => Promise<void>) => {
    while (!stopped) await live().catch((error: unknown) => bewildered(world, error));
  };
  const browsers = cookies.map((cookie) => browserOf(world, cookie));
  const loops = [
    ...browsers.map((browser) => loop(() => agentLife(world, browser, () => stopped))),
    ...Array.from({ length: machines }, () => loop(() => machineLife(world))),
  ];
  return {
    async stop() {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

/** Writes down what a caller did not understand. */
export function bewildered({ ledger, clocksDiffer }: World, error: unknown): void {
  // A page that began under one clock and ends under another starts again.
  if (error instanceof Error && !(error instanceof Refused) && clocksDiffer()) ledger.count(ledger.refused, 'began again');
  else
    ledger.violated(
      error instanceof Refused ? 'nobody answered for twenty seconds' : `a caller was bewildered: ${error instanceof Error ? error.message : 'unknown'}`,
    );
}

/** A person allows an agent, which works for a while and perhaps ends its access. */
export async function agentLife(world: World, browser: Browser, stopped: () => boolean): Promise<void> {
  const { ledger } = world;
  const { result: code } = await insist(world, () => allowed(browser));
  if (code === undefined) return ledger.violated('consent: the agent came back without a code');
  ledger.count(ledger.done, 'consent');
  if (Math.random() < 0.25) return raceForCode(world, code);

  const { result: redeemed, again } = await insist(world, () => redeem(world, code));
  // The answer was lost and the code redeemed: the second try was a replay, and rightly ended everything (COD-06).
  if (redeemed.status !== 200 && (again || world.clocksDiffer())) return;
  if (redeemed.status !== 200) return ledger.violated(`code: ${described(redeemed)} for a code that nobody used`);
  ledger.count(ledger.done, 'code');
  const family = familyOf(redeemed);
  ledger.living.add(family);
  for (let left = 2 + Math.random() * 6; left > 0 && !stopped(); left--) {
    await checkActive(world, family.accessToken);
    if (!(await refreshOnce(world, family))) return;
  }
  if (Math.random() < 0.5) await endOf(family, world);
}

/** Two redemptions of one code at once, at different nodes where there are several. At most one gets tokens, and they end with the replay. */
async function raceForCode(world: World, code: string): Promise<void> {
  const { ledger, nodes } = world;
  const both = await Promise.all([0, 1].map((index) => insist(world, () => redeem(world, code, nodes[index % nodes.length]))));
  const won = both.filter(({ result }) => result.status === 200).length;
  if (won > 1) ledger.violated('code: redeemed twice');
  ledger.count(ledger.done, 'two redemptions at once');
}

/** Renews a family; false when it is over. What was answered may be lost on the way, so the same token is shown again (RT-04). */
export async function refreshOnce(world: World, family: Family): Promise<boolean> {
  const { ledger } = world;
  const began = Date.now();
  const { result: renewed, again } = await insist(world, () => refresh(world, family.refreshToken));
  if (renewed.status === 200) {
    Object.assign(family, familyOf(renewed));
    ledger.count(ledger.done, 'refresh');
    return true;
  }
  ledger.living.delete(family);
  // Past the grace window a repeated refresh is a copied one.
  const graceOver = again && (Date.now() - began > graceMilliseconds || world.clocksDiffer());
  if (!graceOver) ledger.violated(`refresh: ${described(renewed)} for the newest token of a living family${again ? ', shown again' : ''}`);
  return false;
}

const graceMilliseconds = 25_000;

/** The person's agent gives its access up; from the acknowledgement on, every node says so. */
async function endOf(family: Family, world: World): Promise<void> {
  const { ledger } = world;
  ledger.living.delete(family);
  const { result: revoked } = await insist(world, () => revoke(world, family.refreshToken));
  if (revoked.status !== 200) return ledger.violated(`revoke: ${described(revoked)}`);
  ledger.count(ledger.done, 'revoke');
  ledger.ended.push(family.accessToken);
  const { result } = await insist(world, () => introspect(world, family.accessToken));
  if (result.body.active !== false) ledger.violated('introspect: a revoked token is active');
}

/** A machine gets a token and somebody asks about it. */
export async function machineLife(world: World): Promise<void> {
  const { ledger } = world;
  const { result } = await insist(world, () => machineToken(world));
  if (result.status !== 200) return ledger.violated(`client_credentials: ${described(result)}`);
  ledger.count(ledger.done, 'client_credentials');
  await checkActive(world, String(result.body.access_token));
}

/** What was issued is good at every node, at once. */
export async function checkActive(world: World, accessToken: string): Promise<void> {
  const { ledger } = world;
  const { result } = await insist(world, () => introspect(world, accessToken));
  if (result.body.active !== true) return ledger.violated(`introspect: an issued token is ${described(result)}`);
  ledger.count(ledger.done, 'introspect');
}

const familyOf = ({ body }: Answer): Family => ({ accessToken: String(body.access_token), refreshToken: String(body.refresh_token) });
const described = ({ status, body }: Answer): string => `${status} ${String(body.error ?? (body.active === false ? 'not active' : ''))}`.trim();
