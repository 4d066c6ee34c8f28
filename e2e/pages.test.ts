/**
 * Looks at every page: by the rules of accessibility in both colour schemes, at 320 pixels, with forced colours; its headers; and takes the pictures in out/e2e
 * for people to look at.
 */
import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page, Response } from 'playwright-core';
import { isForPeople } from '../server/src/route.ts';
import { routes } from '../server/src/server.ts';
import { noBrowser } from './browser.ts';
import { hostedOrigin } from './callbacks.ts';
import { formStories, otherForms } from './forms.ts';
import { connectAgents, gallery } from './gallery.ts';
import { issuer, type Stand, stand } from './stand.ts';

const pictures = new URL('../out/e2e/', import.meta.url);
const desktop = { width: 1280, height: 800 };
const phone = { width: 320, height: 568 };
const schemes = ['light', 'dark'] as const;

/** Routes of the surface of pages that show none, and why. */
const withoutPage: Record<string, string> = {
  '/oauth/authorize': 'another name of /authorize',
  '/login/upstream/:id/callback': 'leads on; e2e/upstream.test.ts walks it',
  '/login/first-time': 'e2e/upstream.test.ts looks at it',
  '/account/link': 'e2e/upstream.test.ts looks at it',
  '/.well-known/change-password': 'leads to /account/security/password',
  '/account/agents/:grant/receipt.json': 'a document to keep',
  '/account/export': 'a document to keep',
  '/account/activity.csv': 'a document to keep',
  '/account/activity.json': 'a document to keep',
};
/** The paths that the gallery was answered from. */
const visited = new Set<string>();

describe('every page', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await stand();
    await rm(pictures, { recursive: true, force: true });
    await mkdir(pictures, { recursive: true });
    await connectAgents(world);
  });

  test('[LOG-09] [AZ-28] is accessible in both schemes, fits 320 pixels, and carries the headers that protect it', { concurrency: 3 }, async (t) => {
    const looks = gallery(world).map((shown) =>
      t.test(shown.name, async () => {
        const person = await (shown.as === undefined ? world.open() : world.signedIn(shown.as));
        const { page } = person;
        const answers: Response[] = [];
        page.on('response', (response) => void (response.request().resourceType() === 'document' && answers.push(response)));

        await shown.go(page);

        assert.match(await page.title(), shown.title);
        assert.equal(await page.locator('h1').count(), 1);
        for (const answer of answers.filter((one) => one.url().startsWith(issuer))) visited.add(new URL(answer.url()).pathname);
        for (const answer of answers.filter((one) => one.url().startsWith(issuer))) assertHeaders(await answer.allHeaders(), answer.url());
        await assertFormsKnown(page);
        for (const scheme of schemes) await look(page, shown.name, scheme);
        assert.deepEqual(person.complaints, []);
        await person.close();
      }),
    );
    await Promise.all(looks);
  });

  test('none is forgotten: the gallery has been at every address of the route table that shows a page', (t) => {
    if (visited.size === 0) return t.skip('the gallery was not walked');
    const shown = routes
      .filter(({ path, surface, methods }) => isForPeople(surface) && methods.GET && !path.startsWith('/assets/') && !(path in withoutPage))
      .map(({ path }) => path);
    const patterns = shown.map((path): [string, RegExp] => [path, new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`)]);

    assert.deepEqual(
      patterns.filter(([, pattern]) => ![...visited].some((one) => pattern.test(one))).map(([path]) => path),
      [],
    );
    for (const path of Object.keys(withoutPage))
      assert.ok(
        routes.some((route) => route.path === path),
        `${path} is no route any more`,
      );
  });

  test('is usable where the system chooses the colours', async () => {
    for (const scheme of schemes) {
      const { page, ...person } = await world.signedIn('eve', { scheme, forcedColors: 'active' });
      await page.goto(world.url());
      const before = await page.screenshot({ fullPage: true });
      await page.screenshot({ path: picture(`forced-colors-${scheme}`), fullPage: true });

      const borders = await page.locator('.decide .button').evaluateAll((buttons) => buttons.map((button) => getComputedStyle(button).borderStyle));
      await page.locator('button[value=deny]').focus();
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Tab');

      assert.deepEqual(borders, ['solid', 'solid']);
      assert.notDeepEqual(await page.screenshot({ fullPage: true }), before, 'the focus is not to be seen');
      await person.close();
    }
  });

  test('a thumb can hit whatever opens on a touch screen', async () => {
    const { page, ...person } = await world.signedIn('eve', { touch: true, ...phone });
    await page.goto(world.url({ scope: 'openid profile email files:read files:write' }));

    const heights = await page.locator('summary').evaluateAll((all) => all.map((summary) => Math.round(summary.getBoundingClientRect().height)));

    assert.ok(heights.length >= 4);
    for (const height of heights) assert.ok(height >= 44, `${heights}`);
    await person.close();
  });

  test('the pictures of the read-me can be taken anew, and stay small', async () => {
    const folder = process.env.AUTH_AGENT_WRITE_PICTURES ? new URL('../docs/images/', import.meta.url) : pictures;
    await mkdir(folder, { recursive: true });
    for (const scheme of schemes) {
      const { page, ...person } = await world.signedIn('ada', { scheme });
      await gallery(world)
        .find(({ name }) => name === 'consent')
        ?.go(page);
      await page.locator('button[value=allow]:not([aria-disabled])').waitFor();

      const { x, y, width, height } = (await page.locator('.card').boundingBox()) ?? assert.fail('no card');
      const clip = { x: x - 12, y: y - 12, width: width + 24, height: height + 24 };
      const image = await page.screenshot({ path: new URL(`consent-${scheme}.png`, folder).pathname, clip, fullPage: true });

      // A page with a choice of durations is 125 kB; twice that would be a mistake in how it is taken.
      assert.ok(image.length < 150_000, `${image.length} bytes`);
      await person.close();
    }
  });
});

function picture(name: string): string {
  return new URL(`${name}.png`, pictures).pathname;
}

async function look(page: Page, name: string, colorScheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme });
  for (const [where, size] of Object.entries({ desktop, phone })) {
    await page.setViewportSize(size);
    await page.screenshot({ path: picture(`${name}-${colorScheme}-${where}`), fullPage: true, animations: 'disabled' });
    await assertFits(page, size.width);
  }
  await page.setViewportSize(desktop);
  await assertAccessible(page);
}

/** Nothing to scroll sideways, nothing cut off, and buttons that a thumb can hit. */
async function assertFits(page: Page, width: number): Promise<void> {
  const found = await page.evaluate(() => {
    const box = (element: Element) => element.getBoundingClientRect();
    const buttons = [...document.querySelectorAll('button, a.button, .quiet-link')].filter((element) => box(element).width > 0);
    return {
      wide: document.documentElement.scrollWidth,
      outside: [...document.querySelectorAll('main *:not(.hidden, .hidden *)')]
        .filter((element) => box(element).right > document.documentElement.clientWidth + 0.5)
        .map((element) => element.outerHTML.slice(0, 80)),
      small: buttons
        .filter((element) => box(element).height < 43.9 || box(element).width < 43.9)
        .map((element) => `${element.textContent} ${box(element).width}x${box(element).height}`),
      decide: [...document.querySelectorAll('.decide .button')].map(
        (element) =>
          `${Math.round(box(element).width)}x${Math.round(box(element).height)} ${getComputedStyle(element).fontSize} ${getComputedStyle(element).borderWidth}`,
      ),
    };
  });
  assert.ok(found.wide <= width, `${found.wide} pixels wide`);
  assert.deepEqual(found.outside, []);
  assert.deepEqual(found.small, []);
  // Deny is never the smaller choice.
  assert.ok(found.decide.length === 0 || found.decide[0] === found.decide[1], found.decide.join(' and '));
}

/** No rule of WCAG 2.2 A and AA, and no advice that weighs more than "minor". */
async function assertAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  const found = violations
    .filter(({ impact }) => impact !== 'minor')
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
  assert.deepEqual(found, []);
}

/** Each form has its story (forms.ts), whichever button sends it. */
async function assertFormsKnown(page: Page): Promise<void> {
  const known = { buttons: formStories.map(({ button }) => button), others: Object.keys(otherForms) };
  const unknown = await page.evaluate(({ buttons, others }) => {
    // A form of a tenant is the same form.
    for (const name of ['action', 'formaction'])
      for (const element of document.querySelectorAll(`[${name}^="/t/"]`))
        element.setAttribute(name, (element.getAttribute(name) ?? '').replace(/^\/t\/[^/]+/, ''));
    const matches = (element: Element, selectors: string[]) => selectors.some((selector) => element.matches(selector));
    return [...document.querySelectorAll('form')]
      .filter((form) => !matches(form, others))
      .flatMap((form) => {
        const sending = [...form.querySelectorAll('button:not([type=button]), input[type=submit], input[type=image]')];
        return sending.length === 0 ? [form] : sending.filter((button) => !matches(button, buttons));
      })
      .map((element) => element.outerHTML.slice(0, 160));
  }, known);
  assert.deepEqual(unknown, [], 'a form without a story');
}

function assertHeaders(headers: Record<string, string>, url: string): void {
  assert.equal(headers['cache-control'], 'no-store', url);
  assert.equal(headers['referrer-policy'], 'no-referrer', url);
  assert.equal(headers['x-content-type-options'], 'nosniff', url);
  assert.equal(headers['x-frame-options'], 'DENY', url);
  const policy = (headers['content-security-policy'] ?? '').split('; ');
  for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'", "script-src 'self'"])
    assert.ok(policy.includes(rule), `${rule} at ${url}`);
  // The page that posts an answer may post to its client and to nobody else.
  assert.ok(policy.includes("form-action 'self'") || (url.includes('/authorize/return') && policy.includes(`form-action ${hostedOrigin}`)), url);
}
