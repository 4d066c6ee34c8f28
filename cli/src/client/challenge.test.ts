import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readChallenge } from './challenge.ts';

test('a Bearer challenge is read wherever it stands, with quotes and escapes', () => {
  const header = 'Basic realm="a, Bearer scope=\\"x\\"", bearer realm="srv", scope="a b", resource_metadata="https://h/m,1" , error=insufficient_scope';

  assert.deepEqual(
    { ...readChallenge(header) },
    { error: 'insufficient_scope', errorDescription: undefined, resourceMetadata: 'https://h/m,1', scope: 'a b', acrValues: undefined, maxAge: undefined },
  );
  assert.equal(readChallenge('Bearer')?.scope, undefined);
  for (const none of [null, '', 'Basic realm="Bearer"', 'DPoP algs="ES256"']) assert.equal(readChallenge(none), undefined);
  assert.equal(readChallenge('Bearer scope="a", Digest scope="b"')?.scope, 'a');
});
