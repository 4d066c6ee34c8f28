/** Proves the one parser of client metadata: what it refuses, what it drops, what it leaves alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ErrorCode, OAuthError } from '../errors.ts';
import { type MetadataSource, metadataDigest, parseClientMetadata } from './metadata.ts';

const policy = { dotlessSchemes: ['cursor'] };
const redirectUris = { redirect_uris: ['https://app.example/cb'] };
const parse = (members: Record<string, unknown>, source: MetadataSource = 'registration') =>
  parseClientMetadata({ ...redirectUris, ...members }, source, policy).metadata;
const document = (members: Record<string, unknown>) => parse({ client_name: 'An app', ...members }, 'document');
const refused = (code: ErrorCode, read: () => unknown) =>
  assert.throws(read, (error) => error instanceof OAuthError && error.code === code && error.status === 400);
const unusable = (read: () => unknown) => refused('invalid_client_metadata', read);

test('[DCR-04] defaults of RFC 7591 are applied', () => {
  assert.deepEqual(parse({}), {
    redirectUris: ['https://app.example/cb'],
    grantTypes: ['authorization_code', 'refresh_token'],
    responseTypes: ['code'],
    tokenEndpointAuthMethod: 'client_secret_basic',
  });
});

test('[DCR-01] [DCR-05] metadata that is not an object is refused', () => {
  for (const json of [null, undefined, [], 'text', 7, true]) unusable(() => parseClientMetadata(json, 'registration', policy));
});

test('[DCR-05] redirect URIs that are missing or of the wrong type have a code of their own', () => {
  for (const value of [undefined, null, [], '', 'https://app.example/cb', [7], [null], {}])
    refused('invalid_redirect_uri', () => parse({ redirect_uris: value }));
  unusable(() => parse({ redirect_uris: Array.from({ length: 33 }, (_, index) => `https://app.example/${index}`) }));
});

test('[DCR-08] [D11] one dangerous redirect URI refuses all, unsupported ones are dropped', () => {
  refused('invalid_redirect_uri', () => parse({ redirect_uris: ['https://app.example/cb', 'javascript:alert(1)'] }));
  refused('invalid_redirect_uri', () => parse({ redirect_uris: ['myapp://cb', 'http://localhost:*/cb'] }));
  assert.deepEqual(parse({ redirect_uris: ['myapp://cb', 'https://app.example/cb', 'https://app.example/cb'] }).redirectUris, ['https://app.example/cb']);
});

test('[DCR-18] [D15] null, empty strings and empty arrays are absent', () => {
  const absent = parse({
    scope: '',
    client_name: '',
    client_uri: null,
    contacts: [],
    grant_types: null,
    response_types: [],
    token_endpoint_auth_method: '',
    jwks: null,
    jwks_uri: '',
  });

  assert.deepEqual(absent, parse({}));
});

test('[DCR-18] a scope that is unknown or unreadable is never fatal', () => {
  assert.equal(parse({ scope: 'files:read  nobody:knows files:read' }).scope, 'files:read nobody:knows');
  assert.equal(parse({ scope: 'good ba"d ünknown' }).scope, 'good');
  for (const scope of [['a'], 7, '"', { a: 1 }]) assert.equal(parse({ scope }).scope, undefined);
});

test('[DCR-09] application_type is kept when it is one, whatever the redirect URIs are', () => {
  assert.equal(parse({ application_type: 'web', redirect_uris: ['cursor://x/cb', 'http://localhost/cb'] }).applicationType, 'web');
  assert.equal(parse({ application_type: 'native' }).applicationType, 'native');
  for (const value of ['browser', 7, null]) assert.equal(parse({ application_type: value }).applicationType, undefined);
});

test('[DCR-10] unsupported grant and response types are dropped while a usable one remains', () => {
  assert.deepEqual(parse({ grant_types: ['authorization_code'] }).grantTypes, ['authorization_code', 'refresh_token']);
  assert.deepEqual(parse({ response_types: ['code', 'token'] }).responseTypes, ['code']);
  for (const grantTypes of [['client_credentials'], ['refresh_token'], ['implicit'], 'authorization_code', [7]])
    unusable(() => parse({ grant_types: grantTypes }));
  for (const responseTypes of [['token'], 'code', [null]]) unusable(() => parse({ response_types: responseTypes }));
});

test('[DCR-13] who registers alone gets no machine grant, no chosen id and no chosen secret', () => {
  const wanted = ['authorization_code', 'client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:grant-type:jwt-bearer'];
  const greedy = {
    grant_types: wanted,
    client_id: 'client_mine',
    client_secret: 'mine',
    require_consent: false,
    first_party: true,
    registration: 'manual',
    default_resource: 'x',
    secretHash: 'x',
  };

  assert.deepEqual(parse(greedy), parse({}));
});

test('[DCR-11] a software statement is ignored', () => {
  const { metadata, notes } = parseClientMetadata(
    { ...redirectUris, software_statement: 'eyJhbGciOiJub25lIn0.eyJjbGllbnRfbmFtZSI6IkdpdEh1YiJ9.' },
    'registration',
    policy,
  );

  assert.deepEqual(metadata, parse({}));
  assert.equal(notes.length, 1);
});

test('[DCR-12] jwks beside jwks_uri, and private or symmetric keys, are refused', () => {
  const key = { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', kid: '1' };
  assert.deepEqual(parse({ jwks: { keys: [{ ...key, nested: { a: 1 } }] } }).jwks, { keys: [key] });
  assert.equal(parse({ jwks_uri: 'https://app.example/jwks' }).jwksUri, 'https://app.example/jwks');

  unusable(() => parse({ jwks: { keys: [key] }, jwks_uri: 'https://app.example/jwks' }));
  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) unusable(() => parse({ jwks: { keys: [key, { ...key, [member]: 'x' }] } }));
  unusable(() => parse({ jwks: { keys: [{ kty: 'oct' }] } }));
  for (const jwks of [7, 'x', {}, { keys: [] }, { keys: 'x' }, { keys: [7] }, { keys: [{}] }]) unusable(() => parse({ jwks }));
  for (const uri of ['http://app.example/jwks', 'https://u@app.example/', 'data:,', 7]) unusable(() => parse({ jwks_uri: uri }));
});

test('[DCR-05] a method that is not offered is refused, a secret in JWT form among them', () => {
  for (const method of ['none', 'client_secret_basic', 'client_secret_post'] as const)
    assert.equal(parse({ token_endpoint_auth_method: method }).tokenEndpointAuthMethod, method);
  for (const method of ['client_secret_jwt', 'private_key_jwt', 'tls_client_auth', 'NONE', 7, ['none']])
    unusable(() => parse({ token_endpoint_auth_method: method }));
});

test('[DCR-15] names lose what cannot be seen and end at 100 characters', () => {
  assert.equal(parse({ client_name: '\u202Eevil\u200B \u0007Claude\u2066 Code\n' }).clientName, 'evil Claude Code');
  assert.equal([...(parse({ client_name: 'é'.repeat(300) }).clientName ?? '')].length, 100);
  assert.equal(parse({ client_name: '\u200B\u202E' }).clientName, undefined);
  assert.equal(parse({ client_name: { evil: true } }).clientName, undefined);
  assert.deepEqual(
    parse({ contacts: ['a\u202Eb@example.com', '', 'x'.repeat(200)] }).contacts?.map((contact) => contact.length),
    [14, 100],
  );
});

test('[DCR-15] links that are not plain https are dropped', () => {
  const links = ['client_uri', 'logo_uri', 'tos_uri', 'policy_uri'];
  const all = (value: unknown) => parse(Object.fromEntries(links.map((name) => [name, value])));
  assert.equal(all('https://app.example/a?b=c').logoUri, 'https://app.example/a?b=c');
  for (const value of [
    'http://app.example',
    'javascript:alert(1)',
    'https://u:p@app.example/',
    'https://app.example/"x',
    'https://app.example/\u202E',
    'data:image/svg+xml,x',
    '//app.example',
    'https://',
    7,
    {},
  ]) {
    assert.deepEqual(all(value), parse({}), String(value));
  }
});

test('what one registration can store is bounded', () => {
  unusable(() => parse({ redirect_uris: Array.from({ length: 20 }, (_, index) => `https://app.example/${index}${'x'.repeat(1000)}`) }));
});

test('[CIMD-08] a document without a name or redirect URIs is refused', () => {
  assert.equal(document({}).clientName, 'An app');
  for (const name of [undefined, null, '', '\u200B', 7]) unusable(() => document({ client_name: name }));
  for (const uris of [undefined, null, [], 'x']) refused('invalid_redirect_uri', () => document({ redirect_uris: uris }));
});

test('[CIMD-09] a document with a secret, or a method that needs one, is refused', () => {
  unusable(() => document({ client_secret: 'x' }));
  unusable(() => document({ client_secret_expires_at: 0 }));
  for (const method of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt']) {
    unusable(() => document({ token_endpoint_auth_method: method }));
    unusable(() => document({ token_endpoint_auth_method: method, token_endpoint_auth_methods_supported: ['none'] }));
  }
});

test('[CIMD-10] a document without a method means none; one with keys authenticates with them where it says so, and private_key_jwt needs keys', () => {
  const jwks_uri = 'https://app.example/jwks';
  const method = (members: Record<string, unknown>) => document(members).tokenEndpointAuthMethod;
  assert.equal(method({}), 'none');
  assert.equal(method({ jwks_uri }), 'none');
  assert.equal(method({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri }), 'private_key_jwt');
  assert.equal(method({ token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'], jwks_uri }), 'private_key_jwt');
  assert.equal(
    method({ token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'], jwks_uri }),
    'private_key_jwt',
  );
  assert.equal(method({ token_endpoint_auth_method: 'none', token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'], jwks_uri }), 'none');
  assert.equal(method({ token_endpoint_auth_method: 'tls_client_auth', token_endpoint_auth_methods_supported: ['tls_client_auth', 'none'] }), 'none');
  assert.equal(method({ token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'] }), 'none');

  unusable(() => document({ token_endpoint_auth_method: 'private_key_jwt' }));
  unusable(() => document({ token_endpoint_auth_methods_supported: ['private_key_jwt'] }));
  for (const other of ['tls_client_auth', 'attest_jwt_client_auth', 7]) unusable(() => document({ token_endpoint_auth_method: other, jwks_uri }));
});

test('[CIMD-10] [CA-06] the algorithm of assertions is asymmetric or the metadata is refused; without keys it means nothing', () => {
  const jwks_uri = 'https://app.example/jwks';
  assert.equal(document({ jwks_uri, token_endpoint_auth_signing_alg: 'RS256' }).tokenEndpointAuthSigningAlg, 'RS256');
  assert.equal(document({ token_endpoint_auth_signing_alg: 'RS256' }).tokenEndpointAuthSigningAlg, undefined);

  for (const alg of ['none', 'HS256', 'ES256K', 7, ['RS256']]) unusable(() => document({ jwks_uri, token_endpoint_auth_signing_alg: alg }));
});

test('[CIMD-22] a wildcard port in a document is an unusable entry with a hint', () => {
  const { metadata, notes } = parseClientMetadata(
    { client_name: 'x', redirect_uris: ['http://localhost:*/callback', 'http://localhost/callback'] },
    'document',
    policy,
  );

  assert.deepEqual(metadata.redirectUris, ['http://localhost/callback']);
  assert.match(notes[0] ?? '', /wildcard port/);
});

test('[CIMD-16] the digest changes with name, redirect URIs, method and keys, and with nothing else', () => {
  const of = (members: Record<string, unknown>) => metadataDigest(document({ redirect_uris: ['https://a.example/1', 'https://a.example/2'], ...members }));
  const same = of({});
  assert.equal(of({ redirect_uris: ['https://a.example/2', 'https://a.example/1'] }), same);
  assert.equal(of({ logo_uri: 'https://a.example/logo', scope: 'x', application_type: 'native', contacts: ['x'] }), same);
  const key = { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' };
  const changed = [
    of({ client_name: 'Another' }),
    of({ redirect_uris: ['https://a.example/1'] }),
    of({ redirect_uris: ['https://a.example/1', 'https://a.example/3'] }),
    of({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://a.example/jwks' }),
    of({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://a.example/jwks2' }),
    of({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } }),
    of({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ ...key, x: 'c' }] } }),
  ];
  assert.equal(new Set([same, ...changed]).size, changed.length + 1);
  const reordered = { y: 'b', x: 'a', crv: 'P-256', kty: 'EC' };
  assert.equal(of({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [reordered] } }), changed[5]);
});

const names =
  'redirect_uris grant_types response_types token_endpoint_auth_method token_endpoint_auth_methods_supported client_name client_uri logo_uri scope contacts jwks jwks_uri application_type software_statement client_id __proto__ constructor'.split(
    ' ',
  );
const plausible = fc.oneof(
  fc.constantFrom<unknown>(['https://a.example/cb'], ['http://localhost/cb'], ['javascript:x'], ['authorization_code'], ['code'], 'none', 'private_key_jwt', {
    keys: [{ kty: 'EC', d: 'x' }],
  }),
  fc.jsonValue(),
);

test('whatever JSON is sent, parsing ends in metadata without anything invisible, or in an OAuthError', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), plausible), fc.constantFrom<MetadataSource>('registration', 'document'), (json, source) => {
      try {
        const { metadata } = parseClientMetadata(json, source, policy);
        assert.ok(metadata.redirectUris.length > 0);
        assert.deepEqual(metadata.grantTypes, ['authorization_code', 'refresh_token']);
        assert.doesNotMatch(metadata.clientName ?? '', /[\p{Cc}\p{Cf}]/u);
        const { clientUri, logoUri, tosUri, policyUri, jwksUri, redirectUris: uris } = metadata;
        for (const link of [clientUri, logoUri, tosUri, policyUri, jwksUri, ...uris])
          assert.match(link ?? 'https:', /^(https|http|cursor|[a-z0-9+-]+\.[a-z0-9.+-]+):/);
        for (const member of Object.values(metadata)) assert.doesNotMatch(JSON.stringify(member) ?? '', /^(null|""|\[\]|)$/);
        metadataDigest(metadata);
      } catch (error) {
        assert.ok(error instanceof OAuthError, String(error));
        assert.match(error.message, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
      }
    }),
    { numRuns: 2000 },
  );
});
