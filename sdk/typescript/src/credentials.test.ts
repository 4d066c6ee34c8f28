import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVectors, titleOf } from '../test/vectors.ts';
import { carriesAccessToken, readBearerToken } from './credentials.ts';

interface Case {
  readonly authorization: string | null;
  readonly query?: string;
  readonly expect: { token: string } | { error: string };
}

for (const vector of readVectors<{ cases: (Case & { name: string; requirements: string[] })[] }>('credentials').cases) {
  test(`${titleOf(vector)} (credentials)`, () => {
    const read = () => readBearerToken(vector.authorization, carriesAccessToken(vector.query ?? ''));

    if ('token' in vector.expect) assert.equal(read(), vector.expect.token);
    else assert.throws(read, { name: 'AuthenticationError', code: vector.expect.error, status: vector.expect.error === 'invalid_request' ? 400 : 401 });
  });
}
