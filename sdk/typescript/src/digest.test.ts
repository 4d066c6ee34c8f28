import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { subtleTokenHash, tokenHash } from './digest.ts';

test('both ways to hash agree with SHA-256', async () => {
  for (const token of ['', 'abc', 'a'.repeat(8192), 'abc.DEF-123_~+/==']) {
    const expected = createHash('sha256').update(token).digest('base64url');

    assert.equal(await tokenHash(token), expected);
    assert.equal(await subtleTokenHash(token), expected);
  }
});
