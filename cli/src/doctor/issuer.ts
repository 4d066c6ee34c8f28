/**
 * The authorization server as clients meet it: at its issuer, through whatever stands in front of it.
 */
import { guardedFetch } from '../client/guarded-fetch.ts';
import { safe } from '../terminal.ts';
import { type Finding, fail, failed, type Look, ok, warn } from './finding.ts';

/** Beyond this a clock is worth a word, in seconds; beyond the other tokens are refused. */
const clockWarns = 5;
const clockBreaks = 60;

/** Asks for the metadata of an issuer. `now` in seconds. */
export async function* lookAtIssuer(issuer: string, now: () => number): Look {
  const { origin, pathname } = new URL(issuer);
  const address = `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`;
  const fetch = guardedFetch({ home: new URL(issuer), allowPrivate: true });
  let response: Response;
  try {
    response = await fetch(address, { redirect: 'manual', headers: { Accept: 'application/json' } });
  } catch (error) {
    yield { ...failed(error), fix: `Does the server run, with its proxy in front? curl -v ${address}` };
    return;
  }
  yield await metadata(response, { issuer, address });
  const clock = clockOf(response.headers.get('date'), now());
  if (clock) yield clock;
}

async function metadata(response: Response, { issuer, address }: { issuer: string; address: string }): Promise<Finding> {
  const { status } = response;
  if (status >= 300 && status <= 399)
    return fail(`${address} redirects`, { why: 'Clients read the metadata where the issuer says it is.', fix: 'Make the address that it leads to the issuer' });
  if (status !== 200) return fail(`${address} answers ${status}`, { fix: 'The proxy must hand on every path, /.well-known too' });
  const document = (await response.json().catch(() => undefined)) as { issuer?: unknown } | undefined;
  if (document?.issuer === issuer) return ok(`${issuer} answers and names itself`);
  const named = document?.issuer === undefined ? 'is none of an authorization server' : `names ${safe(String(document.issuer))}`;
  return fail(`The metadata at ${address} ${named}`, {
    why: 'Clients compare the issuer byte for byte.',
    fix: `AUTH_AGENT_ISSUER=${issuer} where the server runs, or hand this address on to it`,
  });
}

function clockOf(date: string | null, now: number): Finding | undefined {
  const there = Date.parse(date ?? '') / 1000;
  if (Number.isNaN(there)) return undefined;
  // The header has whole seconds.
  const apart = Math.floor(Math.abs(there - now));
  if (apart <= clockWarns) return ok('Its clock and the one here agree');
  const text = `Its clock and the one here are ${apart} s apart`;
  if (apart > clockBreaks) return fail(text, { why: 'Tokens are refused when clocks differ by more than a minute.', fix: 'Let both follow NTP' });
  return warn(text, 'Let both follow NTP');
}
