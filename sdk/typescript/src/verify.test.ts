import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeAnswer, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { acceptedAudiences } from './resource.ts';
import { type AuthContext, judgeIntrospection } from './verify.ts';

interface IntrospectionFile {
  readonly issuer: string;
  readonly resource: string;
  readonly now: number;
  readonly cases: { name: string; requirements: string[]; answer: Record<string, unknown>; context?: Record<string, unknown>; reason?: string }[];
}

const { issuer, now, cases, ...file } = readVectors<IntrospectionFile>('introspection');

for (const vector of cases) {
  test(`${titleOf(vector)} (introspection)`, () => {
    const expected = { issuer, resource: file.resource, audiences: acceptedAudiences(file.resource), now };
    const judge = () => judgeIntrospection(vector.answer, expected, 'hash');

    if (vector.context) assert.deepEqual(wireNames(judge()), vector.context);
    else assert.throws(judge, { name: 'AuthenticationError', code: 'invalid_token', status: 401, reason: vector.reason });
  });
}

for (const vector of readVectors<{ cases: { name: string; requirements: string[]; resource: string; aud: unknown; accept: boolean }[] }>('audience').cases) {
  test(`${titleOf(vector)} (audience)`, () => {
    const judge = () => judgeFor(vector.resource, vector.aud);

    if (vector.accept) assert.equal(judge().id, 'usr_1');
    else assert.throws(judge, { code: 'invalid_token', reason: 'audience' });
  });
}

test('[RS-02] [RS-22] whatever is wrong with an introspection answer, the token is refused and the error says the same', () => {
  const messages = new Set<string>();
  const bad = cases.filter((one) => one.reason);
  let refused = 0;
  for (const vector of bad) {
    try {
      judgeIntrospection(vector.answer, { issuer, resource: file.resource, audiences: acceptedAudiences(file.resource), now }, 'hash');
    } catch (error) {
      messages.add((error as Error).message);
      refused += 1;
    }
  }

  assert.equal(messages.size, 1);
  assert.equal(refused, bad.length);
});

test('[RS-20] a handler cannot lend the next request a scope: contexts are frozen all the way down', () => {
  const context = judgeFor(resource, [resource]);

  assert.throws(() => (context.scopes as string[]).push('admin:all'), TypeError);
  assert.throws(() => Object.assign(context.user, { id: 'usr_2' }), TypeError);
  assert.throws(() => Object.assign(context.claims, { sub: 'usr_2' }), TypeError);
  assert.throws(() => (context.claims.aud as string[]).push('x'), TypeError);
});

function judgeFor(own: string, aud: unknown): AuthContext {
  const answer = activeAnswer('https://auth.example.com', { aud });
  return judgeIntrospection(answer, { issuer: 'https://auth.example.com', resource: own, audiences: acceptedAudiences(own), now: startOfTime }, 'hash');
}

/** A context in the words of the vectors. */
function wireNames({ user, id, email, clientId, expiresAt, grantId, claims: _claims, tokenHash: _hash, ...same }: AuthContext): Record<string, unknown> {
  assert.equal(user.id, id);
  assert.equal(user.email, email);
  const optional = { email, username: user.username, grant_id: grantId };
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { id, client_id: clientId, expires_at: expiresAt, ...same, ...present };
}
