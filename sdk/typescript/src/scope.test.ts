import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVectors, titleOf } from '../test/vectors.ts';
import { challengeScopes, closeHierarchy, expandScopes, isScopeToken, type ScopeHierarchy, type ScopeRequirement, satisfies } from './scope.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly scope_hierarchy: ScopeHierarchy;
  readonly granted: string[];
  readonly required: ScopeRequirement[];
  readonly ok: boolean;
  readonly challenge?: string[];
}

for (const vector of readVectors<{ cases: Case[] }>('scopes').cases) {
  test(`${titleOf(vector)} (scopes)`, () => {
    const closure = closeHierarchy(vector.scope_hierarchy);

    assert.equal(
      vector.required.every((requirement) => satisfies(vector.granted, requirement, closure)),
      vector.ok,
    );
    if (vector.challenge) assert.deepEqual(challengeScopes(vector.required, closure), vector.challenge);
  });
}

test('[RS-11] expanding lists what a scope includes, however deep', () => {
  const closure = closeHierarchy({ 'files:delete': ['files:write'], 'files:write': ['files:read'] });

  assert.deepEqual(expandScopes(['files:delete', 'db:read'], closure), ['files:delete', 'files:write', 'files:read', 'db:read']);
});

test('[RS-14] a scope that could leave its quotes is no scope', () => {
  for (const wrong of ['', 'a b', 'a"b', 'a\\b', 'a\r\nb', 'é', 7, undefined]) assert.equal(isScopeToken(wrong), false, String(wrong));
  for (const right of ['files:read', "it's", 'https://api.example.com/files.read', 'a=b']) assert.equal(isScopeToken(right), true, right);
});
