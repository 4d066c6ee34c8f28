import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVectors, titleOf } from '../test/vectors.ts';
import { answerFor } from './challenge.ts';
import { type AuthAgentError, type AuthenticationCode, AuthenticationError, AuthorizationError, AuthServerUnavailable } from './errors.ts';
import { createGuard } from './guard.ts';
import type { ScopeHierarchy } from './scope.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly config: { server_id: string; resource?: string; required_scopes: string[]; scope_hierarchy?: ScopeHierarchy };
  readonly error: { code: string; scopes?: string[]; max_age?: number; acr_values?: string[]; scheme?: 'DPoP' };
  readonly status: number;
  readonly www_authenticate: string | null;
}

const { issuer, cases } = readVectors<{ issuer: string; cases: Case[] }>('challenges');

for (const vector of cases) {
  test(`${titleOf(vector)} (challenges)`, () => {
    const { server_id: serverId, resource, required_scopes: requiredScopes, scope_hierarchy: scopeHierarchy } = vector.config;
    const guard = createGuard({
      serverId,
      apiKey: 'sk_a_b',
      authServerUrl: issuer,
      requiredScopes,
      ...(resource && { resource }),
      ...(scopeHierarchy && { scopeHierarchy }),
    });

    const answer = guard.answerError(errorOf(vector.error));

    assert.equal(answer?.status, vector.status);
    assert.equal(answer?.headers['WWW-Authenticate'] ?? null, vector.www_authenticate);
    assert.equal(answer?.headers['Cache-Control'], 'no-store');
    assert.equal(answer?.headers['Retry-After'], vector.status === 503 ? '5' : undefined);
  });
}

test('[RS-14] no description has a quote or anything that looks like a parameter', () => {
  const context = { realm: 'srv_a', resourceMetadata: 'https://h.example/x', scopes: [] };
  for (const code of ['invalid_token', 'invalid_request', 'insufficient_user_authentication'] as const) {
    const challenge = answerFor(new AuthenticationError(code), context).headers['WWW-Authenticate'] ?? '';
    const description = /error_description="([^"]*)"/.exec(challenge)?.[1] ?? '';

    assert.match(description, /^[A-Za-z ,]+$/);
    assert.ok(challenge.startsWith('Bearer '));
  }
});

function errorOf({ code, scopes, max_age: maxAge, acr_values: acrValues, scheme }: Case['error']): AuthAgentError {
  if (code === 'auth_server_unavailable') return new AuthServerUnavailable('unreachable');
  if (scopes) return new AuthorizationError(scopes);
  return new AuthenticationError(code as AuthenticationCode, code, {
    stepUp: { ...(maxAge !== undefined && { maxAge }), ...(acrValues && { acrValues }) },
    ...(scheme && { scheme }),
  });
}
