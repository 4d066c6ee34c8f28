/**
 * Every page of the gallery in two languages that nobody speaks: `en-XA`, where a text outside brackets was never translated and a box that is too small bursts, and
 * `ar-XB`, which runs from right to left. And in German, with the menu, as a person would.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { noBrowser } from './browser.ts';
import { connectAgents, gallery } from './gallery.ts';
import { issuer, ownStand, type Stand } from './stand.ts';

const pictures = new URL('../out/e2e/', import.meta.url);
/** Shown as they are in every language: names and texts of others, addresses, codes, wire names, English for developers. */
const notOurs = 'bdi, code, pre, time, option, textarea, [lang=en] *, [lang=en]:not(html)';

/** Asked for again they lead away, or count as one more guess or make other codes, which the next page would feel; a receipt keeps the language it was shown in. */
const elsewhere = ['return', 'return-posted', 'signed-out-onward', 'second-step-wrong', 'recovery-codes', 'agents-receipt'];

describe('every page in a language that nobody speaks', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await ownStand();
    await mkdir(pictures, { recursive: true });
    await connectAgents(world);
  });

  test('has no word that was not translated and no box that bursts, and turns around', { concurrency: 3 }, async (t) => {
    const walks = gallery(world)
      .filter(({ name }) => !elsewhere.includes(name))
      .map((shown) =>
        t.test(shown.name, async () => {
          const { page, ...person } = await (shown.as === undefined ? world.open() : world.signedIn(shown.as));
          // The way there is found by English words; the page itself is then asked for again.
          await shown.go(page);
          for (const language of ['en-XA', 'ar-XB'] as const) {
            await page.context().addCookies([{ name: 'aa_language', value: language, url: issuer }]);
            await page.reload();
            if (page.url().startsWith(issuer)) await assertTranslated(page, shown.name, language);
          }
          await person.close();
        }),
      );
    await Promise.all(walks);
  });

  test('a person chooses German in the footer, by keyboard and without script, and goes on where they were', async () => {
    const { page, ...person } = await world.open({ script: false });
    await page.goto(world.url());
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('button', { name: 'Change' }).press('Enter');

    await page.getByRole('heading', { name: /Melden Sie sich an/ }).waitFor();
    assert.match(page.url(), /\/login\?tx=/);
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    await person.close();
  });
});

async function assertTranslated(page: Page, name: string, language: 'en-XA' | 'ar-XB'): Promise<void> {
  await page.setViewportSize({ width: 320, height: 568 });
  await page.screenshot({ path: new URL(`${name}-${language}.png`, pictures).pathname, fullPage: true, animations: 'disabled' });
  assert.equal(await page.locator('html').getAttribute('dir'), language === 'ar-XB' ? 'rtl' : 'ltr');
  const found = await page.evaluate((skipped) => {
    const outside: string[] = [];
    let depth = 0;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      let bare = '';
      for (const letter of node.textContent ?? '') {
        if (letter === '⟦') depth++;
        else if (letter === '⟧') depth--;
        else if (depth === 0) bare += letter;
      }
      if (/\p{L}{2}/u.test(bare) && !node.parentElement?.closest(`script, style, ${skipped}`)) outside.push(bare.trim());
    }
    const clipped = [...document.querySelectorAll('main *:not(.hidden, .hidden *), footer *')]
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return (
          width > 1 &&
          (left < -0.5 || right > document.documentElement.clientWidth + 0.5 || (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0))
        );
      })
      .map((element) => element.outerHTML.slice(0, 90));
    return { outside, clipped, wide: document.documentElement.scrollWidth };
  }, notOurs);
  if (language === 'en-XA') assert.deepEqual(found.outside, []);
  assert.deepEqual(found.clipped, []);
  assert.ok(found.wide <= 320, `${found.wide} pixels wide`);
}
