import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { html } from 'hono/html';
import { pageWords } from './page-words.ts';

test('[ACC-03] the words of a page are read in order, with what they are, and without what is beside them', () => {
  const words = pageWords(
    '<body><p>skip</p><main id="main" tabindex="-1"><h1>Allow <bdi>A &amp; B</bdi>?</h1>\n<div><p>One\n two <svg><path d="M1 1"/></svg></p></div><ul><li><label class="x"><input type="checkbox" name="scope" value="files:write"><span>Change</span> <code>files:write</code></label></li></ul><button>Deny</button></main><footer>skip</footer>',
  );

  assert.deepEqual(words, [
    { kind: 'h1', text: 'Allow A & B?' },
    { kind: 'p', text: 'One two' },
    { kind: 'choice', name: 'scope', value: 'files:write', text: 'Change files:write' },
    { kind: 'button', text: 'Deny' },
  ]);
});

test('[ACC-03] whatever a stranger calls themselves is one text, and ends no tag', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
      const page = html`<main><p title="${name}">${name}</p><p>end</p></main>`.toString();
      const read = pageWords(page).map(({ text }) => text);
      const wanted = name.replace(/\s+/g, ' ').trim();
      assert.deepEqual(read, wanted === '' ? ['end'] : [wanted, 'end']);
    }),
  );
});
