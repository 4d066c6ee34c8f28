import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeScope } from './describe-scope.ts';
import { wordsFor } from './words.ts';

const en = wordsFor('en');
const groupOf = (name: string) => describeScope({ name }, en).group;

test("the owner's words come in the language of the person, else as they are, else are made in that language", () => {
  const de = wordsFor('de');
  const scope = { name: 'files:write', description: 'Change files', descriptions: { 'de-DE': 'Dateien ändern', 'pt-BR': 'Alterar arquivos' } };

  assert.deepEqual(describeScope(scope, de), { group: 'change', text: 'Dateien ändern', described: true });
  assert.equal(describeScope(scope, en).text, 'Change files');
  assert.equal(describeScope({ name: 'files:write', descriptions: { fr: 'Modifier' } }, de).text, '„files“ anlegen und ändern');
  assert.equal(describeScope({ ...scope, descriptions: { de: '\u202E' } }, de).text, '„files“ anlegen und ändern');
});

test('[CON-01] scopes are grouped by what they can do', () => {
  const groups = {
    identity: ['openid', 'profile', 'email'],
    see: ['files:read', 'files:list', 'notes.search', 'read:files', 'mcp:read'],
    change: ['files:write', 'files:create', 'update:files', 'warp:engage', 'x', 'constructor', '__proto__'],
    delete: ['files:delete', 'remove:files'],
    admin: ['admin:all', 'files:all', 'admin', 'administration', 'admin:read', 'files:*'],
  };

  for (const [group, names] of Object.entries(groups)) for (const name of names) assert.equal(groupOf(name), group, name);
});

test('the heavier half of a name counts', () => {
  assert.equal(groupOf('read:delete'), 'delete');
  assert.equal(groupOf('delete:read'), 'delete');
});

test("the owner's words and group win, and only they are called described", () => {
  const words = describeScope({ name: 'files:delete', description: 'Empty the bin', group: 'change' }, en);

  assert.deepEqual(words, { group: 'change', text: 'Empty the bin', described: true });
});

test('without the words of an owner they are made from the name', () => {
  assert.deepEqual(describeScope({ name: 'calendar_events:list' }, en), { group: 'see', text: 'List calendar events', described: false });
  assert.equal(describeScope({ name: 'mcp:read' }, en).text, 'View what is on this server');
  assert.equal(describeScope({ name: 'files:read', description: '\u200B' }, en).text, 'View files');
});

test('[CON-01] a verb nobody knows counts as a change and says that it is not described', () => {
  assert.deepEqual(describeScope({ name: 'warp:engage' }, en), {
    group: 'change',
    text: "The server's owner has not described this permission.",
    described: false,
  });
});
