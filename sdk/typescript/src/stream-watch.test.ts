import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeAnswer, optionsFor, playAuthorizationServer, type Reply, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { AuthAgentClient } from './client.ts';
import { isEventStream, mayGoOn } from './stream-watch.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly expires_in: number;
  readonly looks: { at: number; says: 'active' | 'inactive' | 'unavailable'; asked: boolean; goes_on: boolean }[];
}

for (const vector of readVectors<{ cases: Case[] }>('streams').cases) {
  test(`${titleOf(vector)} (streams)`, async (t) => {
    const played = await playAuthorizationServer(t);
    const expiresAt = startOfTime + vector.expires_in;
    let now = startOfTime;
    const client = new AuthAgentClient({ ...optionsFor(played), resource, now: () => now });
    const says: Record<Case['looks'][number]['says'], Reply> = {
      active: { body: activeAnswer(played.url, { exp: expiresAt }) },
      inactive: { body: { active: false } },
      unavailable: { status: 503 },
    };

    for (const look of vector.looks) {
      now = startOfTime + look.at;
      played.reply = () => says[look.says];
      const before = played.asked('/introspect');

      const goesOn = await mayGoOn({ expiresAt, now: () => now, stands: () => client.stands('abc') });

      assert.deepEqual([goesOn, played.asked('/introspect') - before], [look.goes_on, look.asked ? 1 : 0], `at ${look.at}`);
    }
  });
}

test('[RS-10] what a look finds counts for requests too: a token that was remembered as good is forgotten', async (t) => {
  const played = await playAuthorizationServer(t);
  const client = new AuthAgentClient({ ...optionsFor(played), resource });
  await client.validateToken('abc');
  played.reply = () => ({ body: { active: false } });

  assert.equal(await client.stands('abc'), false);
  await assert.rejects(client.validateToken('abc'), { code: 'invalid_token' });
});

test('only streams of events stay open', () => {
  for (const [contentType, is] of [
    ['text/event-stream', true],
    ['Text/Event-Stream; charset=utf-8', true],
    ['text/event-streams', false],
    ['application/json', false],
    [undefined, false],
    [null, false],
  ] as const)
    assert.equal(isEventStream(contentType), is, String(contentType));
});
