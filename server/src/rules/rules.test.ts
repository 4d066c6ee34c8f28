import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OAuthError } from '../errors.ts';
import { parametersFromForm, parametersFromJson, refuseRepeated } from './parameters.ts';
import { checkChallenge, checkVerifier } from './pkce.ts';
import { maxBodyBytes, readText } from './read-body.ts';
import { canonicalResource, resourceTwins } from './resource.ts';
import { isSubset, parseScope } from './scope.ts';
import { parseStrictJson } from './strict-json.ts';

const code = (expected: string) => (error: unknown) => error instanceof OAuthError && error.code === expected;

describe('parameters', () => {
  test('[AZ-01] [TOK-02] an empty parameter is absent and a repeated one is known by name, except resource', () => {
    const given = parametersFromForm('a=1&b=&a=2&resource=x&resource=y');

    assert.equal(given.get('a'), '1');
    assert.equal(given.get('b'), undefined);
    assert.deepEqual(given.repeated, ['a']);
    assert.deepEqual(given.all('resource'), ['x', 'y']);
    assert.throws(() => refuseRepeated(given), code('invalid_request'));
  });

  test('[TOK-02] an empty occurrence still counts as a repetition', () => {
    assert.deepEqual(parametersFromForm('code=&code=x').repeated, ['code']);
  });

  test('[AZ-35] control characters and more than 100 parameters are invalid_request', () => {
    for (const bad of ['a=%00', 'a=%0D', 'a%0A=1', Array.from({ length: 101 }, (_, index) => `p${index}=1`).join('&')])
      assert.throws(() => parametersFromForm(bad), code('invalid_request'));
  });

  test('a JSON body has string members; null is absent, a duplicate member is a repeated parameter, resource may be an array', () => {
    const given = parametersFromJson('{"a":"1","b":null,"resource":["x","y"]}');
    assert.equal(given.get('a'), '1');
    assert.equal(given.get('b'), undefined);
    assert.deepEqual(given.all('resource'), ['x', 'y']);
    assert.deepEqual(parametersFromJson('{"a":"1","a":"2"}').repeated, ['a']);
    for (const bad of ['[]', '"x"', '{"a":1}', '{"a":["1"]}', '{', 'null', '{"a":{}}']) assert.throws(() => parametersFromJson(bad), code('invalid_request'));
  });

  test('no text makes reading parameters throw anything but an OAuthError', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const read of [parametersFromForm, parametersFromJson]) {
          try {
            read(text);
          } catch (error) {
            assert.ok(error instanceof OAuthError);
          }
        }
      }),
    );
  });
});

describe('strict JSON', () => {
  test('[CIMD-07] duplicate member names are found at any depth, also when spelled with escapes', () => {
    assert.deepEqual(parseStrictJson('{"a":1,"\\u0061":2}')?.duplicates, ['a']);
    assert.deepEqual(parseStrictJson('[{"x":{"b":1,"b":2}},{"b":1}]')?.duplicates, ['b']);
    assert.deepEqual(parseStrictJson('{"a":"b","b":["a","a"],"c":{"a":1}}')?.duplicates, []);
    assert.deepEqual(parseStrictJson('{"a:\\"":":","b":"\\\\"}')?.duplicates, []);
    assert.equal(parseStrictJson('{a:1}'), undefined);
  });

  test('JSON without duplicates parses to what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseStrictJson(JSON.stringify(value));
        assert.deepEqual(parsed?.value, JSON.parse(JSON.stringify(value)));
        assert.deepEqual(parsed?.duplicates, []);
      }),
    );
  });
});

describe('scope', () => {
  test('[AZ-19] scopes are separated by spaces, repeats are dropped, other characters refused', () => {
    assert.deepEqual(parseScope(' a  b a '), ['a', 'b']);
    assert.deepEqual(parseScope(undefined), []);
    for (const bad of ['a"b', 'a\\b', 'ä', 'a\tb']) assert.throws(() => parseScope(bad), code('invalid_scope'));
    assert.ok(isSubset(['a'], ['b', 'a']) && !isSubset(['c'], ['a']));
  });
});

describe('PKCE', () => {
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

  test('[COD-02] the pair of RFC 7636 Appendix B matches; any other verifier is exactly "Invalid PKCE verifier"', () => {
    checkVerifier(verifier, challenge);
    for (const wrong of [`${verifier.slice(0, -1)}l`, verifier.slice(0, 42), `${verifier} `, 'x'.repeat(129)])
      assert.throws(() => checkVerifier(wrong, challenge), { message: 'Invalid PKCE verifier', code: 'invalid_grant' });
    assert.throws(() => checkVerifier(undefined, challenge), code('invalid_grant'));
  });

  test('[AZ-11] [AZ-12] [AZ-13] only a 43-character S256 challenge is accepted; an absent method means plain and is refused', () => {
    assert.equal(checkChallenge(challenge, 'S256'), challenge);
    for (const [given, method] of [
      [undefined, undefined],
      [undefined, 'S256'],
      [challenge, undefined],
      [challenge, 'plain'],
      [challenge, 's256'],
      [`${challenge}=`, 'S256'],
      [challenge.slice(1), 'S256'],
      ['test', 'S256'],
    ] as const)
      assert.throws(() => checkChallenge(given, method), code('invalid_request'));
  });
});

describe('resource', () => {
  test('[AZ-17] case of scheme and host, default port and the slash of a bare root make no difference; paths do', () => {
    for (const spelling of ['https://h', 'https://h/', 'HTTPS://H', 'https://h:443', 'https://H:443/']) assert.equal(canonicalResource(spelling), 'https://h');
    assert.equal(canonicalResource('HTTPS://H/mcp'), 'https://h/mcp');
    assert.equal(canonicalResource('https://h/mcp/'), 'https://h/mcp/');
    assert.equal(canonicalResource('https://h/MCP'), 'https://h/MCP');
    assert.equal(canonicalResource('http://localhost:8001/mcp?x=1'), 'http://localhost:8001/mcp?x=1');
    assert.equal(canonicalResource('https://h/a%2Fb'), 'https://h/a%2Fb');
  });

  test('[AZ-16] [TOK-07] fragments, userinfo, relative and other schemes, and dot segments are no resource', () => {
    for (const bad of [
      'https://h#',
      'https://h/#x',
      'https://u@h',
      'https://u:p@h/',
      '/mcp',
      'h',
      'ftp://h',
      'urn:x',
      'https://h/mcp/../admin',
      'https://h/%2e%2e/x',
      'https://h/./x',
      'https://h\\@evil',
      'https://h/\u0000',
      '',
    ])
      assert.equal(canonicalResource(bad), undefined, bad);
  });

  test('[RS-08] only a bare root has a twin', () => {
    assert.deepEqual(resourceTwins('https://h'), ['https://h', 'https://h/']);
    assert.deepEqual(resourceTwins('https://h/mcp'), ['https://h/mcp']);
  });

  test('a canonical resource is canonical', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (url) => {
        const once = canonicalResource(url);
        if (once !== undefined) assert.equal(canonicalResource(once), once);
      }),
    );
  });
});

describe('bodies', () => {
  test('[RATE-06] a body beyond 64 KiB is 413, announced or not', async () => {
    const large = 'x'.repeat(maxBodyBytes + 1);
    const announced = new Request('https://h', { method: 'POST', body: large, headers: { 'content-length': String(large.length) } });
    const chunked = new Request('https://h', { method: 'POST', body: new Blob([large]).stream(), duplex: 'half' } as RequestInit);

    await assert.rejects(readText(announced), code('content_too_large'));
    await assert.rejects(readText(chunked), code('content_too_large'));
    assert.equal((await readText(new Request('https://h', { method: 'POST', body: 'a=1' }))).length, 3);
  });
});
