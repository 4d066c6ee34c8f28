/**
 * One request with the token that there is, and what any server may ask of it: to wait once, and to prove the key once more. Not here: what follows from 401 and 403 (session.ts).
 */
import { proofKeyOf } from './proof-key.ts';
import type { KeptTokens } from './store.ts';

const maxRetryAfterSeconds = 30;

/** Milliseconds to wait, epoch seconds of now. */
type Clock = { wait(milliseconds: number): Promise<unknown>; now(): number };
/** Only for the origin the person named: a token never goes to an address that a server named, so no redirect is followed. */
type Send = (url: URL, init: RequestInit, current: KeptTokens | undefined) => Promise<Response>;

/** Makes the sender. Where 429 or 503 names a wait of half a minute or less, it waits and asks a second time. */
export function senderWith({ wait, now }: Clock): Send {
  return async (url, init, current) => {
    const response = await present(url, init, current);
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    if ((response.status !== 429 && response.status !== 503) || !(seconds >= 0 && seconds <= maxRetryAfterSeconds)) return response;
    await response.body?.cancel();
    await wait(seconds * 1000);
    return present(url, init, current);
  };

  async function present(url: URL, init: RequestInit, current: KeptTokens | undefined): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.delete('Authorization');
    if (current?.proofKey) return proven(url, { ...init, headers }, { accessToken: current.accessToken, key: proofKeyOf(current.proofKey) });
    if (current) headers.set('Authorization', `Bearer ${current.accessToken}`);
    return fetch(url, { ...init, headers, redirect: 'manual' });
  }

  /** A bound token goes with a proof for this very request, and once more with the nonce that the server wants (RFC 9449 §7.1, §9). */
  async function proven(
    url: URL,
    init: RequestInit & { headers: Headers },
    bound: { accessToken: string; key: ReturnType<typeof proofKeyOf> },
  ): Promise<Response> {
    const { accessToken, key } = bound;
    init.headers.set('Authorization', `DPoP ${accessToken}`);
    for (let repeated = false; ; repeated = true) {
      const proof = key.prove({ method: init.method ?? 'GET', url, accessToken, now: now() });
      init.headers.set('DPoP', proof.value);
      const response = await fetch(url, { ...init, redirect: 'manual' });
      if (!key.learn(url, proof, response.headers) || repeated) return response;
      await response.body?.cancel();
    }
  }
}
