/**
 * Fetches a document where the network has no private side, as on Workers: an address that is written as a number must be public, no redirect is followed, size and
 * time are bounded. Where there is a private side: pinned-fetch.ts.
 */
import { FetchFailure } from '../clients/fetch-failure.ts';
import type { DocumentFetcher, FormPoster, UpstreamFetch } from '../options.ts';
import { isPublicAddress } from './pinned-fetch.ts';

const TIMEOUT_MS = 5000;
const UPSTREAM_TIMEOUT_MS = 10_000;
const MAX_BYTES = 5 * 1024;
const MOST_BYTES = 64 * 1024;

export function publicFetcher(): DocumentFetcher {
  return async (address, limits = {}) => {
    const answer = await ask(address, { headers: { accept: 'application/json' } });
    if (answer.status !== 200) throw new FetchFailure('status', 'not 200', { status: answer.status });
    const body = await bodyOf(answer, Math.min(limits.maxBytes ?? MAX_BYTES, MOST_BYTES));
    return { status: 200, headers: Object.fromEntries(answer.headers), body };
  };
}

export function publicPoster(): FormPoster {
  return async (address, form) => {
    const answer = await ask(address, { method: 'POST', body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    await answer.body?.cancel();
    return { status: answer.status };
  };
}

/** An upstream on a private network cannot be reached from here: it is refused like any other address that is not public. */
export function publicUpstreamFetch(): UpstreamFetch {
  return async (address, { method, headers, body }) => {
    const answer = await ask(address, { method, headers, body, timeoutMs: UPSTREAM_TIMEOUT_MS });
    const whole = await bodyOf(answer, MOST_BYTES);
    const kept = new Headers(answer.headers);
    // The bytes are no longer what these two say of them.
    for (const name of ['content-encoding', 'content-length']) kept.delete(name);
    return new Response([204, 205, 304].includes(answer.status) ? null : whole.slice(), { status: answer.status, headers: kept });
  };
}

async function ask(address: string, { timeoutMs = TIMEOUT_MS, ...init }: RequestInit & { timeoutMs?: number }): Promise<Response> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'https:' || url.username || url.password) throw new FetchFailure('refused', 'not a plain https URL');
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const numeric = host.includes(':') || /^[\d.]+$/.test(host);
  if ((numeric && !isPublicAddress(host)) || /(^|\.)(localhost|local|internal|home\.arpa)$/.test(host))
    throw new FetchFailure('refused', 'the host is not public');
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'TimeoutError') throw new FetchFailure('timeout', 'no complete answer in time', { cause });
    throw new FetchFailure('transport', 'the connection failed', { cause });
  }
}

async function bodyOf(answer: Response, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body ?? []) {
      size += chunk.length;
      if (size > most) throw new FetchFailure('too-large', 'sent more than allowed');
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof FetchFailure ? cause : new FetchFailure('transport', 'the answer was cut off', { cause });
  }
  return new Uint8Array(Buffer.concat(chunks));
}
