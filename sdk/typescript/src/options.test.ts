import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findAuthServerUrl } from './environment.ts';
import { createHints } from './hints.ts';
import { type AuthAgentOptions, checkOptions } from './options.ts';

const good: AuthAgentOptions = { serverId: 'srv_abc123', apiKey: 'sk_xyz789', authServerUrl: 'https://auth.example.com' };

test('the server is named by the argument, else by AUTH_AGENT_URL', () => {
  assert.equal(findAuthServerUrl('https://a.example.com', { AUTH_AGENT_URL: 'https://b.example.com' }), 'https://a.example.com');
  assert.equal(findAuthServerUrl(undefined, { AUTH_AGENT_URL: 'https://b.example.com', NODE_ENV: 'development' }), 'https://b.example.com');
});

test('in development, and only there, a local server is assumed', () => {
  for (const mode of ['development', 'test']) assert.equal(findAuthServerUrl(undefined, { NODE_ENV: mode }), 'http://localhost:9000');
  for (const environment of [{}, { NODE_ENV: 'production' }, { NODE_ENV: 'Development' }, { AUTH_AGENT_URL: '' }]) {
    assert.throws(() => findAuthServerUrl(undefined, environment), { name: 'TypeError', message: /AUTH_AGENT_URL/ });
  }
});

test('the snippet of the documentation is enough', () => {
  const settings = checkOptions({ ...good, requiredScopes: ['files:read'] });

  assert.equal(settings.cacheTtl, 30);
  assert.equal(settings.timeout, 5);
  assert.equal(settings.verify, 'introspection');
  assert.ok(Object.isFrozen(settings));
});

test('limits can be lowered, not raised', () => {
  const settings = checkOptions({ ...good, cacheTtl: 3600, timeout: 60 });

  assert.equal(settings.cacheTtl, 30);
  assert.equal(settings.timeout, 5);
  assert.equal(checkOptions({ ...good, cacheTtl: 0 }).cacheTtl, 0);
});

test('an address copied with its slash is the same issuer', () => {
  assert.equal(checkOptions({ ...good, authServerUrl: 'https://auth.example.com/' }).issuer, 'https://auth.example.com');
  assert.equal(checkOptions({ ...good, authServerUrl: 'https://auth.example.com/t/acme' }).issuer, 'https://auth.example.com/t/acme');
});

const misuses: Record<string, [Record<string, unknown>, RegExp]> = {
  'a misspelt option': [{ requiredScope: ['files:read'] }, /"requiredScope" is no option; .*requiredScopes/],
  'a flag from an environment variable': [{ dpopRequired: 'true' }, /"dpopRequired" must be true or false/],
  'a flag that is a number': [{ dpopRequired: 1 }, /"dpopRequired"/],
  'a flag that is no boolean': [{ report: 'false' }, /"report"/],
  'another flag that is no boolean': [{ sharedHost: '1' }, /"sharedHost"/],
  'no server id': [{ serverId: undefined }, /"serverId"/],
  'a server id of another kind': [{ serverId: 'client_a' }, /"serverId"/],
  'a server id that could leave its quotes': [{ serverId: 'srv_a", x="' }, /"serverId"/],
  'no key': [{ apiKey: undefined }, /"apiKey"/],
  'an empty key': [{ apiKey: '' }, /"apiKey"/],
  'a key with a line break from a file': [{ apiKey: 'sk_a_b\n' }, /"apiKey"/],
  'a server over http': [{ authServerUrl: 'http://auth.example.com' }, /"authServerUrl".*https/],
  'a server that is no URL': [{ authServerUrl: 'auth.example.com' }, /"authServerUrl"/],
  'a server with a password': [{ authServerUrl: 'https://u:p@auth.example.com' }, /"authServerUrl"/],
  'a server with a query': [{ authServerUrl: 'https://auth.example.com/?x=1' }, /"authServerUrl"/],
  'a host that begins like loopback': [{ authServerUrl: 'http://localhost.evil.example' }, /"authServerUrl".*https/],
  'a resource over http': [{ resource: 'http://files.example.com/mcp' }, /"resource".*https/],
  'a resource with a fragment': [{ resource: 'https://files.example.com/mcp#x' }, /"resource"/],
  'a resource with dot segments': [{ resource: 'https://files.example.com/a/../mcp' }, /"resource".*dot segments/],
  'a resource that is no text': [{ resource: 7 }, /"resource"/],
  'scopes in one string': [{ requiredScopes: 'files:read' }, /"requiredScopes"/],
  'a scope with a space': [{ requiredScopes: ['files:read files:write'] }, /"requiredScopes"/],
  'a scope that could leave its quotes': [{ requiredScopes: ['a"b'] }, /"requiredScopes"/],
  offline_access: [{ requiredScopes: ['offline_access'] }, /"requiredScopes" must not contain offline_access/],
  'a negative cache time': [{ cacheTtl: -1 }, /"cacheTtl"/],
  'a cache time that is no number': [{ cacheTtl: '30' }, /"cacheTtl"/],
  'an unbounded cache': [{ maxCacheEntries: Number.POSITIVE_INFINITY }, /"maxCacheEntries"/],
  'no timeout': [{ timeout: 0 }, /"timeout"/],
  'a tool without scopes': [{ toolScopes: { write_file: [] } }, /"toolScopes\.write_file"/],
  'a tool with one of none': [{ toolScopes: { write_file: { anyOf: [] } } }, /"toolScopes\.write_file"/],
  'a tool with a bad scope': [{ toolScopes: { write_file: ['a b'] } }, /"toolScopes\.write_file"/],
  'a hierarchy with a bad scope': [{ scopeHierarchy: { 'files:write': ['a b'] } }, /"scopeHierarchy\.files:write"/],
  'no level of sign-in': [{ acrValues: [] }, /"acrValues"/],
  'a level that could leave its quotes': [{ acrValues: ['a"b'] }, /"acrValues"/],
  'an age of the sign-in that is no whole number': [{ maxAge: 1.5 }, /"maxAge"/],
  'an age below nothing': [{ maxAge: -1 }, /"maxAge"/],
  'an origin with a path': [{ allowedOrigins: ['https://app.example.com/'] }, /"allowedOrigins"/],
  'an origin null': [{ allowedOrigins: ['null'] }, /"allowedOrigins"/],
  'a public path with a wildcard': [{ publicPaths: ['/public/*'] }, /"publicPaths"/],
  'an unknown way to verify': [{ verify: 'trust' }, /"verify"/],
};

for (const [name, [change, message]] of Object.entries(misuses)) {
  test(`misuse is a TypeError at start that names the option: ${name}`, () => {
    assert.throws(() => checkOptions({ ...good, ...change } as AuthAgentOptions), { name: 'TypeError', message });
  });
}

test('[RS-12] a challenge can never ask for offline_access', () => {
  assert.throws(() => checkOptions({ ...good, toolScopes: { a: ['offline_access'] } }), /offline_access/);
});

test('a wrong key is not repeated in the message', () => {
  assert.throws(
    () => checkOptions({ ...good, apiKey: 'my secret' }),
    (error: Error) => !error.message.includes('my secret'),
  );
});

test('local verification needs no key', () => {
  assert.equal(checkOptions({ serverId: 'srv_a', authServerUrl: 'https://auth.example.com', verify: 'local' }).apiKey, undefined);
});

test('callers cannot flood the log of the developer', () => {
  const lines: string[] = [];
  let now = 0;
  const hint = createHints(
    (line) => lines.push(line),
    () => now,
  );

  for (let index = 0; index < 1000; index += 1) hint(`something about ${index}`);
  assert.equal(lines.length, 100);
  now = 60;
  hint('something else');
  assert.equal(lines.length, 101);
});
