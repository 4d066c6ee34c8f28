import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientView, clientIdentity, type LookAlike } from './client-identity.ts';
import { wordsFor } from './words.ts';

const frame = { ...wordsFor('en'), serviceName: 'ACME', now: 10_000 };
const sentence = (client: ClientView) => {
  const { line, proof, name } = clientIdentity(client, frame);
  return frame.t(line, { proof, name });
};

test('[CON-01] [CIMD-15] each tier says exactly what is known and no more', () => {
  assert.equal(sentence({ name: 'Claude Code', tier: 'approved' }), 'Approved by ACME – Claude Code');
  assert.equal(sentence({ name: 'Claude Code', tier: 'document', host: 'claude.ai' }), 'claude.ai publishes this app and calls it “Claude Code”');
  assert.equal(sentence({ name: 'Claude Code', tier: 'dynamic' }), 'Unverified app that calls itself “Claude Code”');
  assert.equal(sentence({ name: 'Claude Code', tier: 'demo' }), 'Demo client (development mode)');
});

test('[CON-01] the disclosures are those of the design', () => {
  const why = (client: ClientView) => clientIdentity(client, frame).disclosure;

  assert.equal(why({ name: 'x', tier: 'approved' }), 'Your administrator registered this app.');
  assert.equal(
    why({ name: 'x', tier: 'document', host: 'claude.ai' }),
    "We read the app's description from claude.ai. This proves who wrote the description. It does not prove which program on your computer is asking.",
  );
  assert.equal(
    why({ name: 'x', tier: 'dynamic', registeredAt: 9_880 }),
    'It registered itself 2 minutes ago. Anyone can choose any name. Nobody has checked it.',
  );
  assert.equal(why({ name: 'x', tier: 'demo' }), 'Exists only on this machine.');
});

test('[CIMD-15] a document without a host proves nothing and falls to unverified', () => {
  assert.equal(clientIdentity({ name: 'Claude', tier: 'document' }, frame).tier, 'dynamic');
});

test('[DCR-15] a name that is all tricks becomes words, and a host is cleaned too', () => {
  assert.equal(clientIdentity({ name: '\u202E\u200B', tier: 'dynamic' }, frame).name, 'Unnamed app');
  assert.equal(clientIdentity({ name: 'x', tier: 'document', host: 'claude.ai\u202E' }, frame).proof, 'claude.ai');
});

test('a look-alike and mixed alphabets are warned of', () => {
  const { warnings } = clientIdentity(
    { name: 'Сlaude Code', tier: 'dynamic', lookAlikeOf: { name: 'Claude Code', host: 'claude.ai', kind: 'agent', elsewhere: false } },
    frame,
  );

  assert.deepEqual(warnings, [
    'It uses the name of Claude Code (claude.ai). Nothing shows that it comes from there.',
    'The name mixes letters of different alphabets. Some may only look like the ones you know.',
  ]);
});

test('the warning says what is known: another host, an app without a host, or this service itself', () => {
  const warned = (lookAlikeOf: LookAlike) => clientIdentity({ name: 'x', tier: 'document', host: 'evil.example', lookAlikeOf }, frame).warnings[0];

  assert.equal(
    warned({ name: 'Claude', host: 'claude.ai', kind: 'agent', elsewhere: true }),
    'Name resembles Claude (claude.ai), but this one is not from claude.ai.',
  );
  assert.equal(warned({ name: 'Notes Agent', kind: 'client', elsewhere: true }), 'Name resembles Notes Agent, but this one is not the same app.');
  assert.equal(warned({ name: 'Acme', host: 'auth.example.com', kind: 'service', elsewhere: true }), 'The name sounds as if this were Acme itself. It is not.');
});
