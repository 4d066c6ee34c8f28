import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSubset } from '../rules/scope.ts';
import type { Target } from '../servers/resource.ts';
import type { Client } from '../storage/store.ts';
import { choices, narrowed, wantedScope } from './scopes.ts';

const target: Target = {
  resource: 'https://mcp.example.com/mcp',
  scopes: [{ name: 'files:read' }, { name: 'files:write', optional: true }, { name: 'files:delete', optional: true }],
  defaultScopes: ['files:read'],
};
const client = (scope?: string) => ({ metadata: { scope } }) as Client;

test('[AZ-19] unknown scopes are dropped while one remains, and remembered as ignored', () => {
  assert.deepEqual(wantedScope('files:read other:thing files:read', client(), target), { scope: ['files:read'], ignored: ['other:thing'] });
});

test('[AZ-19] when no requested scope is offered the request is invalid_scope', () => {
  assert.throws(() => wantedScope('other:thing', client(), target), { code: 'invalid_scope' });
  assert.throws(() => wantedScope('files:read"', client(), target), { code: 'invalid_scope' });
});

test('[AZ-19] several spaces are one separator', () => {
  assert.deepEqual(wantedScope('  files:read   files:write ', client(), target).scope, ['files:read', 'files:write']);
});

test('[D4] [AZ-18] without a scope the client gets what it registered as its default, else the default of the resource', () => {
  assert.deepEqual(wantedScope(undefined, client('files:write unknown'), target).scope, ['files:write']);
  assert.deepEqual(wantedScope(undefined, client('unknown'), target).scope, ['files:read']);
  assert.deepEqual(wantedScope(undefined, client(), target).scope, ['files:read']);
});

test('offline_access alone asks for the default scopes, for longer', () => {
  assert.deepEqual(wantedScope('offline_access', client(), target).scope, ['files:read', 'offline_access']);
});

test('identity scopes go with any resource', () => {
  assert.deepEqual(wantedScope('openid email files:read', client(), target).scope, ['openid', 'email', 'files:read']);
});

test('optional scopes are a choice unless nothing else new would remain', () => {
  assert.deepEqual(choices(['files:read', 'files:write'], target, []), ['files:write']);
  assert.deepEqual(choices(['files:write'], target, []), []);
  assert.deepEqual(choices(['files:read', 'files:write'], target, ['files:read']), []);
  assert.deepEqual(choices(['files:read', 'files:write', 'files:delete'], target, ['files:write']), ['files:delete']);
});

test('[CON-05] whatever a form ticks, the grant is within the request and keeps what was no choice', () => {
  const names = fc.array(fc.constantFrom<string>('files:read', 'files:write', 'files:delete', 'admin:all', 'openid', ''), { maxLength: 8 });
  fc.assert(
    fc.property(names, names, (requested, ticked) => {
      const optional = choices(requested, target, []);
      const granted = narrowed(requested, optional, ticked);

      assert.ok(isSubset(granted, requested));
      assert.ok(
        isSubset(
          requested.filter((scope) => !optional.includes(scope)),
          granted,
        ),
      );
      assert.ok(granted.every((scope) => !optional.includes(scope) || ticked.includes(scope)));
    }),
  );
});
