/**
 * What a server refuses under pressure, what it goes on with, and what the refused are told.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { type Stage, stage } from '../test/flows/token-stage.ts';
import type { Pressure } from './load-shedding.ts';
import type { Reply } from './route.ts';

let on: Stage;
beforeEach(async () => {
  on = await stage();
});
afterEach(() => on.close());

async function asked(path: string, pressure: Pressure | undefined, init: RequestInit = {}): Promise<Reply> {
  return on.server.answer(new Request(`http://localhost:9000${path}`, init), { address: '192.0.2.1', pressure });
}
const post = { method: 'POST', body: new URLSearchParams() };
const browser = (language = 'en') => ({ headers: { Accept: 'text/html', 'Accept-Language': language } });

test('[RATE-06] a busy server begins nothing more and goes on with what has begun; a full one answers only what costs nothing', async () => {
  const begins: [string, RequestInit?][] = [
    ['/authorize'],
    ['/oauth/authorize', post],
    ['/t/acme/authorize'],
    ['/par', post],
    ['/device_authorization', post],
    ['/register', post],
  ];
  const goesOn: [string, RequestInit?][] = [
    ['/token', post],
    ['/introspect', post],
    ['/revoke', post],
    ['/authorize/consent?tx=x'],
    ['/consent', post],
    ['/login'],
    ['/account/agents'],
  ];
  const free = ['/.well-known/oauth-authorization-server', '/.well-known/jwks.json', '/health', '/health/ready'];
  const statuses = async (requests: [string, RequestInit?][], pressure?: Pressure) =>
    Promise.all(requests.map(async ([path, init]) => (await asked(path, pressure, init)).status));

  assert.deepEqual(await statuses(begins, 'busy'), Array(begins.length).fill(503));
  assert.equal((await statuses(goesOn, 'busy')).includes(503), false);
  assert.equal((await statuses([...begins, ...goesOn])).includes(503), false);
  assert.deepEqual(await statuses([...begins, ...goesOn], 'full'), Array(begins.length + goesOn.length).fill(503));
  assert.deepEqual(
    await statuses(
      free.map((path) => [path]),
      'full',
    ),
    Array(free.length).fill(200),
  );
});

test('a refusal is made once a second for all, and says nothing of the request whose turn it was', async () => {
  const secret = 'state=canary-of-somebody';
  const first = await asked(`/authorize?${secret}&ui_locales=de`, 'busy', browser());
  const second = await asked('/authorize?client_id=another', 'busy', browser('de'));
  const english = await asked('/authorize', 'busy', browser());

  assert.equal(second, first, 'the same answer in the same language');
  assert.match(first.body ?? '', /<html lang="de"/);
  assert.match(english.body ?? '', /<html lang="en"/);
  assert.doesNotMatch(first.body ?? '', /canary|name="at"/);
  assert.doesNotMatch(first.body ?? '', new RegExp(btoa(`/authorize?${secret}`).slice(4, 20)));
  on.clock.advance(1);
  assert.notEqual(await asked('/authorize', 'busy', browser('de')), first);
});

test('a machine reads JSON where pages are, and a person a page where machines ask', async () => {
  const machine = await asked('/authorize', 'busy', { headers: { Accept: 'application/json' } });
  const person = await asked('/token', 'full', { headers: { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' } });
  const client = await asked('/token', 'full', post);

  assert.match(machine.body ?? '', /^\{"error":"temporarily_unavailable"/);
  assert.match(person.body ?? '', /^<!doctype html>/);
  assert.match(client.body ?? '', /^\{"error":"temporarily_unavailable"/);
  assert.equal(client.headers['Access-Control-Allow-Origin'], '*');
  assert.equal(person.headers['Content-Security-Policy']?.includes("default-src 'none'"), true);
});

test('[RATE-06] the more are refused in a second, the longer and the more evenly they wait', async () => {
  const waits = async (requests: number) => {
    const told: number[] = [];
    for (let sent = 0; sent < requests; sent++) told.push(Number((await asked('/token', 'full', post)).headers['Retry-After']));
    return told;
  };
  const few = await waits(200);
  on.clock.advance(1);
  assert.deepEqual(new Set([...few, ...(await waits(1000))]), new Set([2]));
  on.clock.advance(1);
  const many = await waits(500);

  assert.deepEqual([Math.min(...many), Math.max(...many)], [2, 6]);
  for (const wait of new Set(many)) assert.equal(many.filter((told) => told === wait).length, 100);
  on.clock.advance(60);
  assert.deepEqual(new Set(await waits(10)), new Set([2]), 'and a minute later it is forgotten');
});
