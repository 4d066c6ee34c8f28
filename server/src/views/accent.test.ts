import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accentStylesheet, contrast } from './accent.ts';
import { stylesheet } from './stylesheet.ts';

/** The value of a variable in each scheme. */
function both(css: string, name: string): [light: string, dark: string] {
  const [light = '', dark = ''] = [...css.matchAll(new RegExp(`--${name}: #([0-9a-f]{3,6})`, 'g'))].map(([, value = '']) =>
    value.length === 3 ? value.replace(/./g, '$&$&') : value,
  );
  return [light, dark];
}
const colours = fc.integer({ min: 0, max: 0xffffff }).map((value) => value.toString(16).padStart(6, '0'));

test('the contrast of black on white is 21, that of a colour on itself 1, and of two that everybody knows what everybody says', () => {
  assert.equal(contrast('000000', 'ffffff'), 21);
  assert.equal(contrast('1a73e8', '1a73e8'), 1);
  assert.equal(contrast('767676', 'ffffff').toFixed(2), '4.54');
  assert.equal(contrast('ff0000', 'ffffff').toFixed(2), '4.00');
});

test('whatever colour is chosen, text in it and text on it can be read in both schemes', () => {
  fc.assert(
    fc.property(colours, (colour) => {
      const css = accentStylesheet(colour);
      for (const scheme of [0, 1] as const) {
        const [accent, deep, on] = [both(css, 'accent')[scheme], both(css, 'accent-deep')[scheme], both(css, 'on-accent')[scheme]];
        for (const ground of ['ground', 'card', 'sunk']) {
          assert.ok(contrast(accent, both(stylesheet, ground)[scheme]) >= 4.5, `${colour}: ${accent} on ${ground}`);
          assert.ok(contrast(deep, both(stylesheet, ground)[scheme]) >= 4.5, `${colour}: ${deep} on ${ground}`);
        }
        assert.ok(contrast(accent, on) >= 4.5 && contrast(deep, on) >= 4.5, `${colour}: ${on} on ${accent} and ${deep}`);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a colour that can be read stays as it is', () => {
  assert.equal(both(accentStylesheet('0d5c57'), 'accent')[0], '0d5c57');
  assert.equal(both(accentStylesheet('7fd6cb'), 'accent')[1], '7fd6cb');
});
