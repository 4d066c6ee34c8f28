import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codeFromMac, readCode, shownCode } from './one-time-code.ts';

test('a code is eight digits, and is read back however it is written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const code = codeFromMac(Buffer.from(bytes).toString('base64url'));
      assert.match(code, /^[0-9]{8}$/);
      assert.match(shownCode(code), /^[0-9]{4} [0-9]{4}$/);
      for (const written of [code, shownCode(code), ` ${shownCode(code)}\n`, code.replace(/(..)/g, '$1-')]) assert.equal(readCode(written), code);
    }),
  );
});

test('full-width digits are read, anything else is not', () => {
  assert.equal(readCode('１２３４５６７８'), '12345678');
  for (const wrong of [undefined, '', '1234567', '123456789', '1234567a', '+1234567', '0x123456', '12,345678']) assert.equal(readCode(wrong), undefined);
  fc.assert(fc.property(fc.string(), (typed) => /^[0-9]{8}$/.test(readCode(typed) ?? '00000000')));
});
