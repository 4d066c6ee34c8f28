/**
 * "My agent runs on another computer", by hand in Chromium: the way to the box leads over a new sign-in, the command carries the code there, one more minute, and nothing
 * happens in the browser by itself. Not here: the rules (server/test/flows/hand-off.test.ts).
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { allow, assertQuiet, heading, noBrowser, type PersonOptions } from './browser.ts';
import { issuer, ownStand, password, type Stand } from './stand.ts';

const pictures = new URL('../out/e2e/', import.meta.url);

describe('an agent on another computer', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await ownStand({ handOff: true });
    await mkdir(pictures, { recursive: true });
  });

  /** Somebody whose session is older than the request, on the page of consent, where they found the offer and followed it. */
  async function confirmed(state: string, options: PersonOptions = {}) {
    const username = await world.somebody();
    const person = await world.signedIn(username, options);
    const { page } = person;
    world.clock.advance(5);
    await page.goto(world.url({ state }));
    await page.getByText('My agent runs on another computer').click();
    assert.equal(await page.locator('input[name=hand_off]').count(), 0);
    await page.getByRole('link', { name: /^Confirm it's you/ }).click();
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    await page.locator('input[name=hand_off]').waitFor();
    return person;
  }

  const command = async (page: Page) => new URL(/^curl --globoff '([^']+)'$/.exec(await page.locator('#command').innerText())?.[1] ?? 'about:blank');
  const answers = (state: string) => world.callbacks.received.filter(({ url }) => url.searchParams.get('state') === state);

  for (const script of [true, false]) {
    test(`the code is shown with its warning and goes nowhere by itself, and works where it was carried to, ${script ? 'with' : 'without'} JavaScript`, async () => {
      const state = `carried ${script}`;
      const person = await confirmed(state, { script });
      const { page } = person;
      await page.locator('input[name=hand_off]').check();
      await allow(page);
      await page.locator('#command').waitFor();

      const carried = await command(page);
      const text = await page.locator('main').innerText();
      assert.match(text, /Never send it to a person/);
      assert.match(text, /within (a|1) minute|within \d+ seconds/);
      assert.equal(answers(state).length, 0);
      assert.equal(`${carried.origin}${carried.pathname}`, `${world.callbacks.loopback}/callback`);
      await fetch(carried);
      assert.equal(answers(state).length, 1);
      const { access_token } = await world.redeem(carried, world.approved.id);
      assert.equal(await world.isActive(access_token), true);
      assertQuiet(person, [issuer]);
      await person.close();
    });
  }

  test('one more minute makes another code, once, and the first is dead', async () => {
    const person = await confirmed('longer');
    const { page } = person;
    await page.locator('input[name=hand_off]').check();
    await allow(page);
    await page.locator('#command').waitFor();
    const first = await command(page);
    await look(page, 'hand-off');

    await page.getByRole('button', { name: 'Give me one more minute' }).press('Enter');
    await page.locator('form[action="/authorize/return"]').waitFor({ state: 'detached' });
    const second = await command(page);
    await look(page, 'hand-off-extended');

    assert.notEqual(second.searchParams.get('code'), first.searchParams.get('code'));
    await assert.rejects(world.redeem(first, world.approved.id), /invalid_grant/);
    assert.match((await world.redeem(second, world.approved.id)).access_token, /\./);
    await page.goBack();
    assert.equal(await page.getByText(first.searchParams.get('code') ?? '').count(), 0);
    await person.close();
  });

  test('who leaves the box alone is led back as ever', async () => {
    const { page, ...person } = await confirmed('as ever');
    assert.match(await heading(page), /^Allow Claude Code/);
    await look(page, 'consent-hand-off');
    await allow(page);
    await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();

    assert.equal(answers('as ever').length, 1);
    await person.close();
  });
});

/** As pages.test.ts does: no sideways scrolling, both schemes, axe. */
async function look(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [where, size] of Object.entries({ phone: { width: 320, height: 568 }, desktop: { width: 1280, height: 800 } })) {
      await page.setViewportSize(size);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= size.width, `${name} is wider than ${size.width} pixels`);
      await page.screenshot({ path: new URL(`${name}-${colorScheme}-${where}.png`, pictures).pathname, fullPage: true, animations: 'disabled' });
    }
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
    assert.deepEqual(violations, [], `${name} ${colorScheme}`);
  }
}
