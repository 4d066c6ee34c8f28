import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { flightsOf, waitForStranger } from './flights.ts';

const tenant = () => ({}) as Context;
const busy = (error: unknown) => error instanceof OAuthError && error.code === 'temporarily_unavailable';

/** A fetch that lands when it is told to, and counts how often it was begun. */
function slowFetch() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const fly = () => {
    fetch.begun += 1;
    return promise;
  };
  const fetch = { begun: 0, land: resolve, crash: reject, fly };
  return fetch;
}

test('questions for one address at once are one fetch, of one tenant', async () => {
  const ask = flightsOf<string>();
  const [here, there] = [tenant(), tenant()];
  const [ours, theirs] = [slowFetch(), slowFetch()];
  const address = { url: 'https://app.example/client', host: 'known' } as const;
  const asked = [ask(here, address, ours.fly), ask(here, address, ours.fly), ask(there, address, theirs.fly)];
  ours.land('ours');
  theirs.land('theirs');

  assert.deepEqual(await Promise.all(asked), ['ours', 'ours', 'theirs']);
  assert.deepEqual([ours.begun, theirs.begun], [1, 1]);
  const again = slowFetch();
  again.land('again');
  assert.equal(await ask(here, address, again.fly), 'again');
});

test('a fetch that fails fails for all who wait for it, and the next question asks again', async () => {
  const ask = flightsOf<string>();
  const here = tenant();
  const first = slowFetch();
  const address = { url: 'https://app.example/client', host: 'new' } as const;
  const asked = [ask(here, address, first.fly), ask(here, address, first.fly)];
  first.crash(new Error('reset'));

  for (const outcome of await Promise.allSettled(asked)) assert.equal(outcome.status, 'rejected');
  const second = slowFetch();
  second.land('there');
  assert.equal(await ask(here, address, second.fly), 'there');
});

test('only so many wait for one address, and for all new hosts; known hosts keep their places', async () => {
  const ask = flightsOf<string>();
  const here = tenant();
  const slow = slowFetch();
  const at = (url: string, host: 'new' | 'known' = 'new') => ask(here, { url: `https://${url}/`, host }, slow.fly);
  const waiting = Array.from({ length: 50 }, () => at('one.example'));
  await assert.rejects(at('one.example'), busy);
  waiting.push(...Array.from({ length: 50 }, (_, index) => at(`host${index}.example`)));
  await assert.rejects(at('more.example'), busy);
  await assert.rejects(
    waitForStranger('new', async () => 'not begun'),
    busy,
  );
  waiting.push(at('known.example', 'known'));
  slow.land('at last');

  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(['at last']));
  assert.equal(slow.begun, 52);
  assert.equal(await at('more.example'), 'at last');
});
