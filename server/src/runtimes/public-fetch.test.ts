import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FetchFailure } from '../clients/fetch-failure.ts';
import { publicFetcher, publicPoster, publicUpstreamFetch } from './public-fetch.ts';

const upstream = { method: 'GET', headers: {}, privateNetwork: true };

test('[CIMD-04] where nothing can be pinned, what is not https on a public host is refused before anything is sent, private network or not', async () => {
  for (const address of [
    'http://agent.example/x',
    'https://user:password@agent.example/x',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://10.0.0.1/x',
    'https://169.254.169.254/latest/meta-data',
    'https://2130706433/x',
    'https://0x7f.1/x',
    'https://localhost/x',
    'https://metadata.internal/x',
    'https://printer.local/x',
    'not an address',
  ]) {
    const refusals = [publicFetcher()(address), publicPoster()(address, 'a=b'), publicUpstreamFetch()(address, upstream)];
    for (const refusal of refusals) await assert.rejects(refusal, (error) => error instanceof FetchFailure && error.kind === 'refused', address);
  }
});
