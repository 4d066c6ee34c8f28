import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessionOwners } from './session.ts';
import type { AuthContext } from './verify.ts';

const owner = { issuer: 'https://auth.example.com', id: 'usr_1', clientId: 'client_a' } as AuthContext;

test('[RS-10] issuer, person and client all belong to the owner of a session', () => {
  const sessions = createSessionOwners(10);
  sessions.claim('s1', owner);

  assert.equal(sessions.mayUse('s1', { ...owner, scopes: ['more'], tokenHash: 'other' }), true);
  for (const change of [{ issuer: 'https://other.example.com' }, { id: 'usr_2' }, { clientId: 'client_b' }]) {
    assert.equal(sessions.mayUse('s1', { ...owner, ...change }), false);
  }
});

test('[RS-10] a session cannot be claimed twice', () => {
  const sessions = createSessionOwners(10);
  sessions.claim('s1', owner);
  sessions.claim('s1', { ...owner, id: 'usr_2' });

  assert.equal(sessions.mayUse('s1', { ...owner, id: 'usr_2' }), false);
});

test('the register of sessions is bounded, and keeps those in use', () => {
  const sessions = createSessionOwners(2);
  sessions.claim('s1', owner);
  sessions.claim('s2', owner);
  sessions.mayUse('s1', owner);
  sessions.claim('s3', owner);

  const stranger = { ...owner, id: 'usr_2' };
  assert.deepEqual(
    ['s1', 's2', 's3'].map((id) => sessions.mayUse(id, stranger)),
    [false, true, false],
  );
});
