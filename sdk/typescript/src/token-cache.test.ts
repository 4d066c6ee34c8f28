import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeAnswer, optionsFor, playAuthorizationServer, type Reply, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { AuthAgentClient } from './client.ts';
import { createTokenCache } from './token-cache.ts';
import type { AuthContext } from './verify.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly cache_ttl: number;
  readonly max_entries: number;
  readonly lifetime: number;
  readonly steps: { at: number; token: string; asked: boolean; answer: 'active' | 'inactive' | 'outage' }[];
}

for (const vector of readVectors<{ cases: Case[] }>('cache').cases) {
  test(`${titleOf(vector)} (cache)`, async (t) => {
    const played = await playAuthorizationServer(t);
    let now = startOfTime;
    const client = new AuthAgentClient({ ...optionsFor(played), resource, now: () => now, cacheTtl: vector.cache_ttl, maxCacheEntries: vector.max_entries });

    for (const [index, step] of vector.steps.entries()) {
      now = startOfTime + step.at;
      const before = played.asked('/introspect');
      played.reply = () => replyFor(step.answer, played.url, vector.lifetime);

      const outcome = await client.validateToken(step.token).then(
        () => 'active',
        (error: { code: string }) => (error.code === 'invalid_token' ? 'inactive' : 'outage'),
      );

      assert.equal(played.asked('/introspect') - before, step.asked ? 1 : 0, `step ${index} asks`);
      assert.equal(outcome, step.asked ? step.answer : 'active', `step ${index} answers`);
    }
  });
}

test('one question per token at a time: fifty requests with one token ask once', async (t) => {
  const played = await playAuthorizationServer(t);
  const client = new AuthAgentClient({ ...optionsFor(played), resource });

  const users = await Promise.all(Array.from({ length: 50 }, () => client.validateToken('abc')));

  assert.equal(played.asked('/introspect'), 1);
  assert.equal(new Set(users).size, 1);
});

test('[RS-17] those who joined a question that failed all get its outage, and the next one asks again', async (t) => {
  const played = await playAuthorizationServer(t);
  const client = new AuthAgentClient({ ...optionsFor(played), resource });
  played.reply = () => ({ status: 500 });

  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => client.validateToken('abc')));
  played.reply = () => ({ body: activeAnswer(played.url) });
  const user = await client.validateToken('abc');

  assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.code === 'auth_server_unavailable'));
  assert.equal(user.id, 'usr_1');
  assert.equal(played.asked('/introspect'), 2);
});

test('an answer still on its way is not remembered when the token is revoked meanwhile', async () => {
  const cache = createTokenCache({ lifetime: 30, maxEntries: 10 });
  const context = { expiresAt: 1000 } as AuthContext;
  let answer: (context: AuthContext) => void = () => undefined;
  const slow = new Promise<AuthContext>((resolve) => {
    answer = resolve;
  });

  const asked = cache.ask('hash', () => slow, 0);
  cache.forget('hash');
  answer(context);

  assert.equal(await asked, context);
  assert.equal(cache.find('hash', 1), undefined);
});

test('an answer ages from when it was asked for', async () => {
  const cache = createTokenCache({ lifetime: 30, maxEntries: 10 });

  await cache.ask('hash', async () => ({ expiresAt: 1000 }) as AuthContext, 0);

  assert.ok(cache.find('hash', 29.9));
  assert.equal(cache.find('hash', 30), undefined);
});

test('the cache never holds more than its bound', async () => {
  const cache = createTokenCache({ lifetime: 30, maxEntries: 3 });

  for (let index = 0; index < 100; index += 1) await cache.ask(`hash${index}`, async () => ({ expiresAt: 1000 }) as AuthContext, 0);

  assert.equal(Array.from({ length: 100 }, (_, index) => cache.find(`hash${index}`, 1)).filter(Boolean).length, 3);
});

function replyFor(answer: 'active' | 'inactive' | 'outage', url: string, lifetime: number): Reply {
  if (answer === 'outage') return { status: 503 };
  return { body: answer === 'inactive' ? { active: false } : activeAnswer(url, { exp: startOfTime + lifetime }) };
}
