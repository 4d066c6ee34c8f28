import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OAuthError } from '../errors.ts';
import { codeAnswer, errorAnswer } from './answer.ts';

const issuer = 'https://auth.example.com';

test('[AZ-08] parameters are appended to the redirect URI as it was sent, and a query it has is kept', () => {
  assert.equal(
    codeAnswer({ redirectUri: 'http://localhost:4711/cb' }, 'ac_1', issuer),
    'http://localhost:4711/cb?code=ac_1&iss=https%3A%2F%2Fauth.example.com',
  );
  assert.match(codeAnswer({ redirectUri: 'https://a.example/cb?tenant=7' }, 'ac_1', issuer), /^https:\/\/a\.example\/cb\?tenant=7&code=ac_1&/);
  assert.match(codeAnswer({ redirectUri: 'https://a.example/cb?' }, 'ac_1', issuer), /^https:\/\/a\.example\/cb\?code=ac_1&/);
  assert.match(codeAnswer({ redirectUri: 'com.example.app:/cb' }, 'ac_1', issuer), /^com\.example\.app:\/cb\?code=ac_1&/);
});

test('[AZ-14] [AZ-15] any state comes back as it was and iss is there exactly once, in success and in error', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 2048 }), (state) => {
      const address = { redirectUri: 'http://localhost:1/cb', state };
      for (const url of [codeAnswer(address, 'ac_1', issuer), errorAnswer(address, new OAuthError('access_denied', 'The person said no'), issuer)]) {
        const query = new URL(url).searchParams;
        assert.deepEqual(query.getAll('state'), [state]);
        assert.deepEqual(query.getAll('iss'), [issuer]);
      }
    }),
  );
});

test('[AZ-14] no state in the request is no state in the answer', () => {
  assert.equal(new URL(codeAnswer({ redirectUri: 'http://localhost:1/cb' }, 'ac_1', issuer)).searchParams.has('state'), false);
});
