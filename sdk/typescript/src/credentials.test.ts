import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVectors, titleOf } from '../test/vectors.ts';
import { carriesAccessToken, readCredentials } from './credentials.ts';

interface Case {
  readonly authorization: string | null;
  readonly query?: string;
  readonly expect: { token: string; scheme?: string } | { error: string };
}

for (const vector of readVectors<{ cases: (Case & { name: string; requirements: string[] })[] }>('credentials').cases) {
  test(`${titleOf(vector)} (credentials)`, () => {
    const read = () => readCredentials(vector.authorization, carriesAccessToken(vector.query ?? ''));

    if ('token' in vector.expect) assert.deepEqual(read(), { scheme: vector.expect.scheme ?? 'Bearer', token: vector.expect.token });
    else assert.throws(read, { name: 'AuthenticationError', code: vector.expect.error, status: vector.expect.error === 'invalid_request' ? 400 : 401 });
  });
}
