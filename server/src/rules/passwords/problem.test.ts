import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { maxPasswordBytes } from '../../crypto/password.ts';
import { isCommon } from './common-passwords.ts';
import { type PasswordOwner, passwordProblem } from './problem.ts';

const options = { serviceName: 'Acme Sign-in', signIn: { passwordMinLength: 12 } };
const ada: PasswordOwner = { username: 'lovelace', email: 'countess@example.com', name: 'Ada King' };
const problem = (password: string, owner = ada) => passwordProblem(password, owner, options);

describe('a new password', () => {
  test('[LOG-21] length counts, in characters, and nothing is said about digits, signs or capitals', async () => {
    assert.equal(await problem(''), 'missing');
    assert.equal(await problem('elevenchars'), 'tooShort');
    assert.equal(await problem('😀'.repeat(3)), 'tooShort');
    for (const good of ['only lower case letters', 'горячий чай с малиной', '三十六計走為上計不如歸去也', '               x 7'])
      assert.equal(await problem(good), undefined, good);
    assert.equal(await passwordProblem('fourteen chars', {}, { ...options, signIn: { passwordMinLength: 15 } }), 'tooShort');
  });

  test('[LOG-06] the longest has 1024 bytes', async () => {
    const long = randomBytes(maxPasswordBytes).toString('base64').slice(0, maxPasswordBytes);

    assert.equal(await problem(long), undefined);
    assert.equal(await problem(`${long}x`), 'tooLong');
    assert.equal(await problem(`${long.slice(0, -1)}é`), 'tooLong');
  });

  test('[LOG-21] it does not contain the name, the e-mail address or the service, however they are written', async () => {
    for (const bad of ['my Lovelace 1815 poem', 'COUNTESS of nothing', 'a.d.a k.i.n.g of all', 'acme-signin-please', 'x countess@example.com']) {
      assert.equal(await problem(bad), 'about', bad);
    }
    assert.equal(await problem('a bad king of all trades', { username: 'al', name: 'Bo' }), undefined);
    assert.equal(await problem('my Lovelace 1815 poem', {}), undefined);
  });

  test('[LOG-21] what is tried first is refused, with what people put around it', async () => {
    const common = ['password1234', 'PASSWORD1234', 'qwertyuiop12', '123456789012', 'Password2024!', '!!sunshine24', 'abcdefghijkl', 'ｐａｓｓｗｏｒｄ1234'];
    const repeated = ['aaaaaaaaaaaa', 'abcabcabcabc', 'passwordpassword', 'trustno1trustno1'];

    for (const bad of [...common, ...repeated]) assert.equal(await problem(bad), 'common', bad);
    assert.equal(await problem('sunshine and 24 other songs'), undefined);
  });

  test('about one in a thousand others is refused with them', async () => {
    let refused = 0;
    for (let made = 0; made < 5000; made++) if (await isCommon(randomBytes(12).toString('hex'))) refused++;

    assert.ok(refused < 25, `${refused} of 5000`);
  });

  test('any text gets an answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 1200 }), fc.string({ unit: 'binary' }), async (password, name) => {
        const answer = await problem(password, { username: name, email: name, name });
        if (answer === undefined) assert.ok([...password].length >= 12 && Buffer.byteLength(password) <= maxPasswordBytes);
      }),
    );
  });
});
