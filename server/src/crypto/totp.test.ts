import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { base32, codeOfStep, keyUri, stepOfCode } from './totp.ts';

const secret = Buffer.from('12345678901234567890');

describe('one-time codes', () => {
  test('RFC 4226 Appendix D: the first ten codes', () => {
    const codes = Array.from({ length: 10 }, (_, counter) => codeOfStep(secret, counter));

    assert.deepEqual(codes, ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']);
  });

  test('RFC 6238 Appendix B: the codes of SHA-1 with eight digits', () => {
    const vectors: [number, string][] = [
      [59, '94287082'],
      [1111111109, '07081804'],
      [1111111111, '14050471'],
      [1234567890, '89005924'],
      [2000000000, '69279037'],
      [20000000000, '65353130'],
    ];

    for (const [time, code] of vectors) assert.equal(codeOfStep(secret, Math.floor(time / 30), 8), code);
  });

  test('a code is known one step early and one step late, and no further', () => {
    const now = 1_800_000_000;
    const step = now / 30;
    const code = codeOfStep(secret, step);

    assert.deepEqual(
      [now - 30, now - 1, now, now + 29, now + 59].map((time) => stepOfCode(code, secret, time)),
      [step, step, step, step, step],
    );
    assert.deepEqual(
      [now - 31, now + 60].map((time) => stepOfCode(code, secret, time)),
      [undefined, undefined],
    );
  });

  test('only six digits are a code', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const step = stepOfCode(text, secret, 1_800_000_000);
        assert.ok(step === undefined || /^\d{6}$/.test(text));
      }),
    );
  });

  test('RFC 4648 §10: secrets are spelled for people, and apps read the same bytes', () => {
    const vectors = { '': '', f: 'MY', fo: 'MZXQ', foo: 'MZXW6', foob: 'MZXW6YQ', fooba: 'MZXW6YTB', foobar: 'MZXW6YTBOI' };

    for (const [bytes, text] of Object.entries(vectors)) assert.equal(base32(Buffer.from(bytes)), text);
    assert.equal(
      keyUri(secret, { service: 'Acme: sign-in', account: 'ada@example.com' }),
      'otpauth://totp/Acme%3A%20sign-in:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Acme%3A%20sign-in',
    );
  });
});
