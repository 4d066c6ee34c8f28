import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActorRefused, requireActor } from 'auth-agent-mcp-sdk';
import { protect } from 'auth-agent-mcp-sdk/fetch';
import { activeAnswer, optionsFor, playAuthorizationServer, resource } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { readActors } from './actors.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly act?: unknown;
  readonly max_actors?: number;
  readonly actors?: string[] | null;
  readonly reason?: string;
  readonly require?: [string, ...string[]];
  readonly allowed?: boolean;
}

for (const vector of readVectors<{ cases: Case[] }>('actors').cases) {
  test(`${titleOf(vector)} (actors)`, () => {
    const read = () => readActors(vector.act, vector.max_actors ?? Number.POSITIVE_INFINITY);
    if (vector.reason) return assert.throws(read, { code: 'invalid_token', status: 401, reason: vector.reason });
    const actors = read();
    assert.deepEqual(actors ?? null, vector.actors);
    if (!vector.require) return undefined;
    const gate = () => requireActor(actors ? { actors } : {}, ...(vector.require as [string, ...string[]]));
    return vector.allowed ? gate() : assert.throws(gate, { name: 'ActorRefused', code: 'actor_refused', status: 403 });
  });
}

test('[TEX-06] the chain is in the context of handlers, frozen; what a handler refuses is a 403 without a challenge', async (t) => {
  const played = await playAuthorizationServer(t);
  const act = { sub: 'files-service', act: { sub: 'client_a' } };
  played.reply = () => ({ body: activeAnswer(played.url, { act }) });
  const seen: unknown[] = [];
  const handler = protect({ ...optionsFor(played), resource }, (_, auth) => {
    seen.push(auth?.actors);
    if (auth) requireActor(auth, 'notes-service');
    return new Response('ok');
  });

  const response = await handler(new Request(resource, { headers: { Authorization: 'Bearer abc' } }));

  assert.deepEqual(seen, [['files-service', 'client_a']]);
  assert.ok(Object.isFrozen(seen[0]));
  assert.equal(response.status, 403);
  assert.equal(response.headers.get('www-authenticate'), null);
  assert.equal(((await response.json()) as { error: string }).error, 'actor_refused');
  assert.ok(new ActorRefused() instanceof Error);
});

test('[TEX-06] a chain longer than this server accepts is an invalid token, and a wrong limit is told at start', async (t) => {
  const played = await playAuthorizationServer(t);
  played.reply = () => ({ body: activeAnswer(played.url, { act: { sub: 'b', act: { sub: 'a' } } }) });
  const ask = (maxActors: number) =>
    protect({ ...optionsFor(played), resource, maxActors }, () => new Response('ok'))(new Request(resource, { headers: { Authorization: 'Bearer abc' } }));

  assert.deepEqual([(await ask(2)).status, (await ask(1)).status, (await ask(0)).status], [200, 401, 401]);
  assert.throws(() => protect({ ...optionsFor(played), maxActors: -1 }, () => new Response('')), /"maxActors"/);
});
