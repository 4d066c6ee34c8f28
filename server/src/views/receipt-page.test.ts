import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromV1, type Receipt, receiptPage, receiptStylesheet } from './receipt-page.ts';
import { wordsFor } from './words.ts';

const read = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const place = { base: '/t/acme', grantId: 'grant_7xK2' };

test('[ACC-03] a receipt that was kept renders byte for byte as it always did: a change here needs a version of its own', () => {
  assert.equal(receiptPage(JSON.parse(read('receipt-2.json')) as Receipt, place), read('receipt-2.html'));
  assert.equal(receiptStylesheet, read('receipt-2.css'));
});

test('[ACC-03] a receipt of version 1 still renders, also one that an organisation gave the word for', () => {
  const page = { ...wordsFor('en'), serviceName: 'Acme', host: 'h', requestId: 'r', base: '' };
  const scopes = [{ name: 'files:read', text: 'List and read your files', granted: true }];
  const asked = receiptPage(fromV1(page, { at: 1_800_000_000, asked: true, client: { name: 'Claude Code' }, server: { name: 'Files' }, scopes }), place);
  const asserted = receiptPage(fromV1(page, { at: 1_800_000_000, asked: false, asserted_by: 'https://idp.example', scopes }), place);

  for (const text of ['Claude Code', 'Files', 'List and read your files files:read', 'Jan 15, 2027']) assert.ok(asked.includes(text), text);
  assert.match(asserted, /https:\/\/idp\.example allowed it for you/);
});

test('[LOG-10] what stood on the page is text and never markup', () => {
  const attack = '<img src=x onerror=alert(1)>"\'&';
  const labels = { service: attack, title: attack, when: attack, how: attack, ticked: attack, unticked: attack, back: attack, json: attack };
  const kinds = ['h1', 'h2', 'h3', 'p', 'li', 'dt', 'dd', 'summary', 'button', 'legend', 'choice'];
  const words = kinds.map((kind) => ({ kind, text: attack, name: attack, value: attack, chosen: false }));

  assert.doesNotMatch(receiptPage({ language: attack, at: 0, labels, words }, place), /<img/);
});
