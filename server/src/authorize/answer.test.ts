import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OAuthError } from '../errors.ts';
import { codeAnswer, errorAnswer } from './answer.ts';

const issuer = 'https://auth.example.com';
const denied = new OAuthError('access_denied', 'The person said no');

test('[AZ-08] parameters are appended to the redirect URI as it was sent, and a query it has is kept', () => {
  assert.equal(
    codeAnswer({ redirectUri: 'http://localhost:4711/cb' }, 'ac_1', issuer).href,
    'http://localhost:4711/cb?code=ac_1&iss=https%3A%2F%2Fauth.example.com',
  );
  assert.match(codeAnswer({ redirectUri: 'https://a.example/cb?tenant=7' }, 'ac_1', issuer).href, /^https:\/\/a\.example\/cb\?tenant=7&code=ac_1&/);
  assert.match(codeAnswer({ redirectUri: 'https://a.example/cb?' }, 'ac_1', issuer).href, /^https:\/\/a\.example\/cb\?code=ac_1&/);
  assert.match(codeAnswer({ redirectUri: 'com.example.app:/cb' }, 'ac_1', issuer).href, /^com\.example\.app:\/cb\?code=ac_1&/);
});

test('[AZ-14] [AZ-15] any state comes back as it was and iss is there exactly once, in success and in error', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), minLength: 1, maxLength: 2048 }), (state) => {
      const address = { redirectUri: 'http://localhost:1/cb', state };
      for (const { href } of [codeAnswer(address, 'ac_1', issuer), errorAnswer(address, denied, { issuer, root: issuer })]) {
        const query = new URL(href).searchParams;
        assert.deepEqual(query.getAll('state'), [state]);
        assert.deepEqual(query.getAll('iss'), [issuer]);
      }
    }),
  );
});

test('[AZ-14] no state in the request is no state in the answer', () => {
  assert.equal(new URL(codeAnswer({ redirectUri: 'http://localhost:1/cb' }, 'ac_1', issuer).href).searchParams.has('state'), false);
});

test('[AZ-15] [AZ-26] an answer to be posted leaves the address as it was sent and has the same parameters as fields', () => {
  const address = { redirectUri: 'https://a.example/cb?tenant=7', state: 'xyz', responseMode: 'form_post' as const };

  assert.deepEqual(codeAnswer(address, 'ac_1', issuer), { href: 'https://a.example/cb?tenant=7', fields: { code: 'ac_1', state: 'xyz', iss: issuer } });
  assert.deepEqual(errorAnswer(address, denied, { issuer: `${issuer}/t/acme`, root: issuer }).fields, {
    error: 'access_denied',
    error_description: 'The person said no',
    error_uri: `${issuer}/docs/errors/access_denied`,
    state: 'xyz',
    iss: `${issuer}/t/acme`,
  });
});
