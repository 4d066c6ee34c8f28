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
  for (const none of [null, '', 'Basic realm="Bearer"']) assert.equal(readChallenge(none), undefined);
  assert.equal(readChallenge('Bearer scope="a", Digest scope="b"')?.scope, 'a');
});

test('[CL-21] a DPoP challenge alone says that only bound tokens are accepted; behind a Bearer one it only brings its error', () => {
  const alone = readChallenge('DPoP realm="srv", resource_metadata="https://h/m", scope="a", algs="ES256"');
  const behind = readChallenge('Bearer realm="srv", resource_metadata="https://h/m", scope="a", DPoP error="invalid_token", algs="ES256"');

  assert.deepEqual([alone?.onlyBound, alone?.resourceMetadata, alone?.scope, alone?.error], [true, 'https://h/m', 'a', undefined]);
  assert.deepEqual([behind?.onlyBound, behind?.resourceMetadata, behind?.scope, behind?.error], [undefined, 'https://h/m', 'a', 'invalid_token']);
});
