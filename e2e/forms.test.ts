/**
 * Every form, sent by hands on a keyboard: once with all that can be missing missing (no JavaScript, 320 pixels, colours of the system), once as most people have it. What
 * came of it is looked up. Not here: the table (forms.ts), pages that are only read (pages.test.ts).
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { auditEvent } from '../server/src/audit/event.ts';
import { isForPeople } from '../server/src/route.ts';
import { routes } from '../server/src/server.ts';
import { sealCredential } from '../server/src/upstream/client.ts';
import { openBrowser } from '../server/test/browser.ts';
import { type Provider, upstreamProvider } from '../server/test/upstream-provider.ts';
import { noBrowser, type PersonOptions } from './browser.ts';
import type { FormStory, Hand, Scene } from './forms/story.ts';
import { formStories, otherRoutes } from './forms.ts';
import { addPasswordless, issuer, ownStand, type Stand, sessionCookie } from './stand.ts';

const hard: PersonOptions = { script: false, width: 320, height: 568, forcedColors: 'active' };
const plain: PersonOptions = { script: true };
/** Paths that were posted to. */
const posted = new Set<string>();

describe('every form', { skip: noBrowser }, () => {
  let world: Stand;
  let acme: Provider;
  before(async () => {
    acme = upstreamProvider('https://login.acme.example', () => world.clock.now());
    world = await ownStand({ handOff: true, fetchUpstream: (url, request) => acme.fetch(url, request) });
    await addUpstream(world, acme);
    await addPasswordless(world);
  });

  for (const [how, options] of [
    ['by keyboard, without JavaScript, at 320 pixels and in the colours of the system', hard],
    ['by keyboard, with JavaScript', plain],
  ] as const) {
    test(`[CON-10] [LOG-09] does what it says ${how}`, { concurrency: 3 }, async (t) => {
      const walks = formStories
        .filter(({ onlyWithoutScript }) => !(options.script && onlyWithoutScript))
        .map((story) => t.test(story.name, () => walk(story, options)));
      await Promise.all(walks);
    });
  }

  let stranger = 0;
  async function walk(story: FormStory, options: PersonOptions): Promise<void> {
    const username = await world.somebody();
    const { user } = (await world.store.findUserByLogin(username)) ?? assert.fail('nobody was added');
    // Limits count by address: everybody has one of their own.
    const address = `198.51.100.${++stranger}`;
    const ahead = openBrowser((url, init) => world.request(url, { ...init, address }), issuer);
    if (!story.stranger) ahead.cookies.set(sessionCookie, await world.session(username));
    const person = await world.open(options);
    const { page, context } = person;
    const scene: Scene = { world, acme, user, ahead, page, sentTo: person.sentTo };
    page.on('request', (request) => void (request.method() === 'POST' && request.url().startsWith(issuer) && posted.add(new URL(request.url()).pathname)));

    await story.given?.(scene);
    const place = typeof story.at === 'string' ? story.at : await story.at(scene);
    await context.setExtraHTTPHeaders({ 'X-Forwarded-For': address });
    await context.addCookies([...ahead.cookies].map(([name, value]) => ({ name, value, url: issuer, secure: true })));
    await page.goto(new URL(place, issuer).href);
    await story.onward?.(scene);
    const hands = (await story.hands?.(scene)) ?? [];
    if (options.forcedColors) await assertSeen(page);
    await assertRound(page);
    await sendByKeys(page, hands, story.button);
    await story.effect(scene);

    assert.deepEqual(person.complaints, []);
    await person.close();
  }

  test('none is forgotten: every route of the pages that takes a form was posted to', (t) => {
    if (posted.size === 0) return t.skip('no form was sent');
    const takers = routes.filter(({ surface, methods }) => isForPeople(surface) && methods.POST).map(({ path }) => path);

    assert.deepEqual(
      takers.filter((path) => !posted.has(path) && !(path in otherRoutes)),
      [],
    );
    assert.deepEqual(
      Object.keys(otherRoutes).filter((path) => !takers.includes(path)),
      [],
      'no such routes any more',
    );
  });
});

async function addUpstream(world: Stand, { issuer: upstream, clientId, secret }: Provider): Promise<void> {
  const createdAt = world.clock.now();
  const credentialSealed = sealCredential('acme', { secret }, world.context);
  const scope = ['openid', 'profile', 'email'];
  const row = { id: 'acme', name: 'Acme', recipe: 'openid' as const, issuer: upstream, clientId, credentialSealed, scope, privateNetwork: false, createdAt };
  await world.store.addUpstream(row, auditEvent('upstream.added', createdAt, 'test'));
}

/** Tabs from control to control and presses the keys, the button last. */
async function sendByKeys(page: Page, hands: readonly Hand[], button: string): Promise<void> {
  for (const [control, keys] of hands) {
    await tabTo(page, control);
    await press(page, control, keys);
  }
  await tabTo(page, button);
  // Allow waits for half a second where there is script.
  await page.locator(`:is(${button}):focus:not([aria-disabled])`).waitFor();
  await page.keyboard.press(hands.length % 2 === 0 ? 'Enter' : 'Space');
}

async function press(page: Page, control: string, keys: string): Promise<void> {
  if (['Enter', 'Space', 'ArrowDown'].includes(keys)) return page.keyboard.press(keys);
  if (!(await page.locator(`:is(${control}):focus`).evaluate((element) => element instanceof HTMLSelectElement))) await page.keyboard.press('ControlOrMeta+A');
  return page.keyboard.type(keys);
}

async function tabTo(page: Page, control: string): Promise<void> {
  for (let presses = 0; presses < 100; presses++) {
    if (await page.evaluate((selector) => document.activeElement?.matches(selector) ?? false, control)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab never comes to ${control}`);
}

/** Borders of buttons and fields are all there is to see of them in the colours of the system, and nothing is cut off. */
async function assertSeen(page: Page): Promise<void> {
  const { wide, borderless } = await page.evaluate(() => {
    const controls = document.querySelectorAll('.button, button, select, input:not([type=hidden], [type=checkbox], [type=radio])');
    const shown = [...controls].filter((control) => control.checkVisibility() && control.getBoundingClientRect().width > 1);
    return {
      wide: document.documentElement.scrollWidth,
      borderless: shown
        .filter((control) => {
          const { borderTopStyle, borderTopWidth, borderTopColor, backgroundColor } = getComputedStyle(control);
          return borderTopStyle === 'none' || Number.parseFloat(borderTopWidth) < 1 || borderTopColor === backgroundColor;
        })
        .map((control) => control.outerHTML.slice(0, 120)),
    };
  });
  assert.deepEqual(borderless, []);
  assert.ok(wide <= 320, `${wide} pixels wide`);
}

type Stop = { index: number; name: string; outlined: boolean; top: number; bottom: number; left: number; right: number };

/** One round with Tab: it comes to every control, in the order in which they are read, shows where it is, and comes out again. */
async function assertRound(page: Page): Promise<void> {
  const stops: Stop[] = [];
  const seen = new Set<number>();
  for (;;) {
    const stop = await nextStop(page);
    if (stop && seen.has(stop.index) && stop.index !== stops.at(-1)?.index) break;
    if (stop && !seen.has(stop.index)) stops.push(stop);
    if (stop) seen.add(stop.index);
    assert.ok(stops.length < 150, 'Tab finds no end');
  }

  for (const stop of stops) assert.ok(stop.outlined, `no outline on "${stop.name}"`);
  for (const [index, stop] of stops.entries()) {
    const before = stops[index - 1];
    if (!before || stop.index < before.index) continue;
    const isAbove = stop.bottom <= before.top;
    const isBefore = stop.top < before.bottom && stop.bottom > before.top && stop.right <= before.left;
    assert.ok(!isAbove && !isBefore, `"${stop.name}" is read before "${before.name}" and comes after it`);
  }
  const turns = stops.filter((stop, index) => stop.index < (stops[index - 1]?.index ?? -1));
  assert.ok(turns.length <= 1, `Tab jumps back to ${turns.map(({ name }) => name)}`);
  assert.deepEqual(await controlsBeside(page, [...seen]), [], 'Tab never comes here');
}

/** Presses Tab. Undefined where nothing has the focus: between the end and the beginning. */
async function nextStop(page: Page): Promise<Stop | undefined> {
  await page.keyboard.press('Tab');
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    if (!element || element === document.body) return undefined;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const { top, bottom, left, right } = element.getBoundingClientRect();
    return {
      index: [...document.querySelectorAll('*')].indexOf(element),
      name: element.innerText.trim() || element.outerHTML.slice(0, 80),
      outlined: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2,
      top: top + scrollY,
      bottom: bottom + scrollY,
      left,
      right,
    };
  });
}

/** Controls that can be seen and are none of these. Of radio buttons of a name Tab comes to one. */
function controlsBeside(page: Page, indexes: number[]): Promise<string[]> {
  return page.evaluate((known) => {
    const all = [...document.querySelectorAll('*')];
    const controls = document.querySelectorAll<HTMLElement>('a[href], button, select, summary, textarea, input:not([type=hidden])');
    return [...controls]
      .filter((control) => control.checkVisibility() && !control.matches(':disabled, [type=radio]') && !known.includes(all.indexOf(control)))
      .map((control) => control.outerHTML.slice(0, 120));
  }, indexes);
}
