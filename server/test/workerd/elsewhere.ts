/**
 * Says whether the server of a story can stand in workerd, and makes it: its options must be plain, or functions that can be called from there. The others stand in
 * this process, on the same database, and are counted with the reason.
 */
import { after } from 'node:test';
import { randomWord } from '../../src/crypto/random.ts';
import type { ServerOptions } from '../../src/options.ts';
import type { Elsewhere } from '../front.ts';
import type { Told } from './entry.ts';
import { wantsWorkerd, workerd } from './start.ts';
import { type Callable, callable } from './wire.ts';

type Place = { name: string; ownRoutes: boolean; logged: string[]; now: () => number };

const counted = new Map<string, number>();
if (wantsWorkerd) {
  after(() => {
    for (const [reason, times] of counted) console.log(`${reason}: ${times}`);
  });
}

export async function inWorkerd(overrides: Partial<ServerOptions>, { name, ownRoutes, logged, now }: Place): Promise<Elsewhere | undefined> {
  const reason = reasonAgainst(overrides, { name, ownRoutes });
  counted.set(reason ?? 'servers in workerd', (counted.get(reason ?? 'servers in workerd') ?? 0) + 1);
  if (reason !== undefined) return undefined;

  const { driver: _, ...options } = overrides;
  const functions = callable.filter((one) => typeof overrides[one] === 'function');
  const plain = Object.fromEntries(Object.entries(options).filter(([one]) => !functions.includes(one as Callable)));
  const server = randomWord(12);
  const there = await workerd();
  there.offer(server, Object.fromEntries(functions.map((one) => [one, overrides[one]])));
  const told = (more: Pick<Told, 'address' | 'act'>): Told => ({
    server,
    database: name.includes('?') ? name.slice(name.indexOf('?') + 1) : name,
    now: now(),
    options: { issuer: 'https://auth.example.com', secret: 'a test secret that is long enough to pass', ...plain },
    functions,
    ...more,
  });
  const act = async (what: Told['act']) => {
    const { status } = await there.ask(new Request('https://auth.example.com/'), told({ address: '', act: what }), logged);
    if (status !== 200) throw new Error(`${what} failed with ${status}`);
  };
  return {
    fetch: (request, { address }) => there.ask(request, told({ address }), logged),
    flush: () => act('settle'),
    maintain: () => act('maintain'),
  };
}

function reasonAgainst(overrides: Partial<ServerOptions>, { name, ownRoutes }: Pick<Place, 'name' | 'ownRoutes'>): string | undefined {
  const functions = Object.entries(overrides).flatMap(([one, value]) => (typeof value === 'function' && !callable.includes(one as Callable) ? [one] : []));
  if (functions.length > 0) return `servers in this process, for a function is handed to them that must answer at once (${functions.join(', ')})`;
  if (ownRoutes) return 'servers in this process, for they have routes of their own';
  if (name === '') return 'servers in this process, for their database is wrapped';
  return undefined;
}
