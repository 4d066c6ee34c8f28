import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEmailAddress, isUsername } from './person.ts';

test('a username has letters of any script, digits, dots, dashes and underscores, and is no e-mail address', () => {
  for (const good of ['ada', 'Ada.Lovelace', '李', 'a-b_c', 'x'.repeat(64)]) assert.ok(isUsername(good), good);
  for (const bad of ['', '.ada', 'ada@example.com', 'a b', 'x'.repeat(65), '<b>', 'a\u202Eb']) assert.ok(!isUsername(bad), bad);
});

test('an e-mail address has something on both sides of the sign and nothing that mail or HTML reads differently', () => {
  for (const good of ['ada@example.com', 'ä@bücher.example', 'a+b@localhost']) assert.ok(isEmailAddress(good), good);
  for (const bad of [
    '',
    'ada',
    'a,b@c.example',
    'a;b@c.example',
    'a(b)@c.example',
    'a@b.example\u202E',
    'a@b\0.example',
    '@example.com',
    'ada@',
    'a b@example.com',
    '"a"@example.com',
    '<ada@example.com>',
    `${'x'.repeat(250)}@e.com`,
  ])
    assert.ok(!isEmailAddress(bad), bad);
});
