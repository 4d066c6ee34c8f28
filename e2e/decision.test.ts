/**
 * Deciding with hands: what the buttons do when they are pressed twice, too early, by Enter, from another tab, browser or day, and what the page asks when the
 * agent comes back for more or for the same.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { answerAccess } from '../server/src/account/access-answers.ts';
import { auditEvent } from '../server/src/audit/event.ts';
import { allow, deny, heading, noBrowser, type Person, type PersonOptions, signIn } from './browser.ts';
import { hostedOrigin } from './callbacks.ts';
import { documentId, password, type Stand, staffResource, stand } from './stand.ts';

describe('the decision', { skip: noBrowser, concurrency: 3 }, () => {
  let world: Stand;
  before(async () => {
    world = await stand();
  });

  /** Somebody in front of the consent page. */
  async function asked(parameters: Record<string, string> = {}, options: PersonOptions = {}): Promise<Person & { username: string }> {
    const username = await world.somebody();
    const person = await world.signedIn(username, options);
    await person.page.goto(world.url(parameters));
    return { ...person, username };
  }

  /** The calls the agent got for this request, told apart by state. */
  const answers = (state: string) => world.callbacks.received.filter(({ url }) => url.searchParams.get('state') === state);
  const agents = (page: Page) => page.goto(`${new URL(world.url()).origin}/account/agents`).then(() => page.locator('.agent').count());
  const arrived = (page: Page) => page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();

  test('[CON-01] [CON-02] the page says who asks, for what, where it goes, what it could do and who is signed in', async () => {
    const { page, username, ...person } = await asked({ client_id: documentId, scope: 'files:read files:write offline_access mail:read' });

    const text = await page.locator('.page').innerText();

    assert.equal(await heading(page), 'Allow “Claude Code” to act for you on “My File Server”?');
    assert.match(text, /claude\.ai\s+publishes this app and calls it “Claude Code”/);
    assert.match(text, /a program on this computer \(127\.0\.0\.1:\d+\)/);
    assert.match(text, /your-mcp-server\.com/);
    assert.match(text, /List and read your files/);
    assert.match(text, /Create and edit files/);
    assert.match(text, /Until you disconnect it/);
    assert.match(text, /Any program on this computer could be asking\./);
    assert.match(text, new RegExp(`Signed in as ${username}@acme\\.example`));
    await page.getByText('Show full address').click();
    assert.equal(await page.getByText(`${world.callbacks.loopback}/callback`).first().isVisible(), true);
    await person.close();
  });

  test('[AZ-37] whoever may not use a server asks for access there, in several lines, and goes on when they are let in', async () => {
    const { page, username, ...person } = await asked({ resource: staffResource, scope: 'staff:read', redirect_uri: `${hostedOrigin}/stay` });
    await page.getByRole('link', { name: 'Ask for access' }).click();
    await page.getByLabel('Message').fill('Since today\nI look after the payroll.');

    await page.getByRole('button', { name: 'Ask' }).click();

    await page.getByText('You asked on').waitFor();
    const questions = await world.store.listAccessRequests({ serverId: 'srv_staff', limit: 50 }, world.clock.now());
    const question = questions.find((one) => one.username === username) ?? assert.fail('nobody asked');
    assert.equal(question.message, 'Since today I look after the payroll.');
    assert.equal(await answerAccess(question, 'approved', world.context), true);
    await page.reload();
    assert.match(await page.locator('main').innerText(), /You may use “Staff records” now/);
    await page.goto(world.url({ resource: staffResource, scope: 'staff:read', redirect_uri: `${hostedOrigin}/stay` }));
    assert.match(await heading(page), /^Allow .* on “Staff records”\?/);
    await person.close();
  });

  test('[CON-05] a box left empty is not granted, and a ticked one is', async () => {
    const { page, ...person } = await asked({ scope: 'files:read files:write files:delete', state: 'boxes' });

    await page.getByLabel('Create and edit files').check();
    await allow(page);
    await arrived(page);

    const { scope } = await world.redeem(new URL(page.url()), world.approved.id);
    assert.equal(scope, 'files:read files:write');
    await person.close();
  });

  test('[CON-10] Allow has no focus and does nothing in the first half second, nor after the window was away', async () => {
    const person = await world.signedIn(await world.somebody());
    const { page } = person;
    await page.clock.install();
    await page.goto(world.url({ state: 'early' }));
    const allowButton = page.locator('button[value=allow]');
    const isInert = async () => (await allowButton.getAttribute('aria-disabled')) === 'true';
    await page.clock.pauseAt(Date.now() + 3600_000);
    const comesBack = () => page.evaluate(() => void dispatchEvent(new Event('focus')));

    await comesBack();
    await page.clock.runFor(499);
    assert.equal(await isInert(), true);
    await allowButton.click({ force: true });
    await allowButton.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Space');
    assert.match(page.url(), /\/authorize\/consent\?/);
    await page.clock.runFor(1);
    assert.equal(await isInert(), false);
    await comesBack();
    assert.equal(await isInert(), true);
    await page.clock.runFor(500);

    await allowButton.click();
    await arrived(page);
    assert.equal(answers('early').length, 1);
    await person.close();
  });

  test('[CON-10] a page just opened has its focus on no button, and Allow waits', async () => {
    const person = await world.signedIn(await world.somebody());
    const now = new Date();
    await person.page.clock.install({ time: now });
    await person.page.clock.pauseAt(new Date(now.getTime() + 1000));
    await person.page.goto(world.url());

    const focused = await person.page.evaluate(() => document.activeElement?.tagName);

    assert.equal(focused, 'BODY');
    assert.equal(await person.page.locator('button[value=allow]').getAttribute('aria-disabled'), 'true');
    assert.equal(await person.page.locator('button[value=deny]').getAttribute('aria-disabled'), null);
    await person.page.clock.runFor(600);
    assert.equal(await person.page.locator('button[value=allow]').getAttribute('aria-disabled'), null);
    await person.close();
  });

  for (const script of [true, false]) {
    const how = script ? 'with' : 'without';

    test(`[CON-10] Enter never approves, wherever the focus was put but on Allow itself, ${how} JavaScript`, async () => {
      const { page, ...person } = await asked({ scope: 'files:read files:write', state: `enter ${how}` }, { script });

      await page.keyboard.press('Enter');
      assert.match(page.url(), /\/authorize\/consent\?/);
      await page.getByText('Show full address').focus();
      await page.keyboard.press('Enter');
      assert.match(page.url(), /\/authorize\/consent\?/);
      await page.getByLabel('Create and edit files').focus();
      await page.keyboard.press('Enter');
      await arrived(page);

      assert.deepEqual(
        answers(`enter ${how}`).map(({ url }) => url.searchParams.get('error')),
        ['access_denied'],
      );
      await person.close();
    });

    test(`[CON-06] a double click makes one code ${how} JavaScript`, async () => {
      const { page, username: _, ...person } = await asked({ state: `twice ${how}` }, { script });

      await page.locator('button[value=allow]:not([aria-disabled])').dblclick();
      await page.waitForURL((url) => !url.pathname.startsWith('/authorize/consent'));
      await page.locator('h1').waitFor();

      assert.ok(answers(`twice ${how}`).length <= 1);
      assert.equal(await agents(page), 1);
      await person.close();
    });
  }

  test('a button that was pressed says that it is working, to eyes and to ears', async () => {
    const { page, username: _, ...person } = await asked({ state: 'busy' });
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    await page.evaluate(() => {
      const tell = (changes: MutationRecord[]) => {
        for (const { target } of changes) console.log((target as HTMLElement).id || target.nodeName, target.textContent);
      };
      for (const shown of document.querySelectorAll('#status, button[value=allow]')) new MutationObserver(tell).observe(shown, { childList: true });
    });

    await page.locator('button[value=allow]:not([aria-disabled])').click();
    await page.waitForURL((url) => !url.pathname.startsWith('/authorize/consent'));

    assert.deepEqual(said, ['BUTTON Working…', 'status Working…']);
    await person.close();
  });

  test('[CON-06] the second of two tabs is told that the request was decided, and no second code is made', async () => {
    const { page, context, ...person } = await asked({ state: 'tabs' });
    const second = await context.newPage();
    await second.goto(page.url());

    await allow(page);
    await arrived(page);
    await second.bringToFront();
    await allow(second);
    await second.getByRole('heading', { name: 'Already decided' }).waitFor();

    assert.equal(answers('tabs').length, 1);
    assert.equal(await agents(second), 1);
    await person.close();
  });

  test('[CON-06] going back after Allow shows that it was decided, and going forward makes no second code', async () => {
    const { page, ...person } = await asked({ state: 'back' });
    await allow(page);
    await arrived(page);
    const [answer] = answers('back');
    const { access_token } = await world.redeem(new URL(page.url()), world.approved.id);

    await page.goBack();
    await page.getByRole('heading', { name: 'Already decided' }).waitFor();
    await page.goForward();
    await arrived(page);

    assert.equal(new Set(answers('back').map(({ url }) => url.search)).size, 1);
    assert.equal(answers('back')[0], answer);
    assert.equal(await world.isActive(access_token), true);
    assert.equal(await agents(page), 1);
    await person.close();
  });

  test('[AZ-32] Deny is told to the person in plain words, and nothing can act for them', async () => {
    const { page, ...person } = await asked({ redirect_uri: `${hostedOrigin}/stay`, state: 'no' });

    await deny(page);
    await page.getByRole('heading', { name: 'Nothing was shared' }).waitFor();

    assert.match(await page.locator('main').innerText(), /You can close this tab/);
    assert.equal(await agents(page), 0);
    await person.close();
  });

  test('[AZ-37] who may not use a server reads so and stays; the agent hears it by a button, and on the list they are asked like everybody', async () => {
    const request = { redirect_uri: `${hostedOrigin}/cb`, resource: staffResource, scope: 'staff:read', state: 'not listed' };
    const { page, username, ...person } = await asked(request);
    assert.equal(await heading(page), "You can't give this access");
    assert.match(await page.locator('main').innerText(), /The people who run the server decide who may\./);
    assert.equal(await page.locator('meta[http-equiv=refresh]').count(), 0);
    assert.equal(answers('not listed').length, 0);

    await page.getByRole('link', { name: 'Continue to Claude Code' }).press('Enter');
    await arrived(page);
    const { user } = (await world.store.findUserByLogin(username)) ?? {};
    await world.store.addServerPerson({ serverId: 'srv_staff', userId: user?.id ?? '' }, auditEvent('server.person_added', world.clock.now(), 'test'));
    await page.goto(world.url(request));

    assert.deepEqual(
      answers('not listed').map(({ url }) => url.searchParams.get('error')),
      ['access_denied'],
    );
    assert.equal(await heading(page), 'Allow Claude Code to act for you on “Staff records”?');
    await person.close();
  });

  test('[CON-03] asking for more shows what is new, and keeping it as it is leaves the rest alone', async () => {
    const { page, ...person } = await asked({ scope: 'files:read' });
    await allow(page);
    await arrived(page);
    const { access_token } = await world.redeem(new URL(page.url()), world.approved.id);

    await page.goto(world.url({ scope: 'files:read files:write', state: 'more' }));
    assert.equal(await heading(page), 'Claude Code asks for more on “My File Server”');
    assert.match(await page.locator('.fresh').innerText(), /Create and edit files/);
    assert.doesNotMatch(await page.locator('.fresh').innerText(), /List and read/);
    await page.getByRole('button', { name: 'Keep as it is' }).click();
    await arrived(page);

    assert.equal(answers('more')[0]?.url.searchParams.get('error'), 'access_denied');
    assert.equal(await world.isActive(access_token), true);
    await person.close();
  });

  test('[CON-03] the same agent coming back on loopback asks for presence only, and never gets a code by itself', async () => {
    const { page, ...person } = await asked({ scope: 'files:read' });
    await allow(page);
    await arrived(page);

    await page.goto(world.url({ scope: 'files:read', state: 'again' }));
    assert.equal(await heading(page), 'Reconnect Claude Code?');
    assert.equal(answers('again').length, 0);
    await page.locator('button[value=allow]:not([aria-disabled])', { hasText: 'Reconnect' }).click();
    await arrived(page);

    assert.match(answers('again')[0]?.url.searchParams.get('code') ?? '', /^ac_/);
    await person.close();
  });

  test('[LOG-03] a link to a request that another browser began leads to an error page, signed in or not', async () => {
    const victim = await asked({ state: 'stolen' });
    const address = victim.page.url();
    const stranger = await world.open();
    const other = await world.signedIn(victim.username);

    for (const { page } of [stranger, other]) {
      const response = await page.goto(address);
      assert.equal(response?.status(), 400);
      assert.equal(await heading(page), 'This request is too old');
      assert.equal(await page.locator('button[value=allow]').count(), 0);
    }
    assert.equal(answers('stolen').length, 0);
    for (const one of [victim, stranger, other]) await one.close();
  });

  test('[CON-10] sign-in and consent can be walked with the keyboard alone, and the focus is always to be seen', async () => {
    const username = await world.somebody();
    const { page, ...person } = await world.open();
    await page.goto(world.url({ state: 'keys' }));

    await page.keyboard.type(username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Allow/ }).waitFor();
    await page.locator('button[value=allow]:not([aria-disabled])').waitFor();
    const stops = await tabUntil(page, 'Allow');
    await page.keyboard.press('Enter');
    await arrived(page);

    assert.equal(stops[0]?.name, 'Skip to the main content');
    assert.deepEqual(
      stops.slice(-2).map(({ name }) => name),
      ['Deny', 'Allow'],
    );
    assert.ok(stops.some(({ name }) => name.startsWith('Create and edit files')));
    for (const stop of stops) assert.ok(stop.outlined, `no outline on "${stop.name}"`);
    assert.match(answers('keys')[0]?.url.searchParams.get('code') ?? '', /^ac_/);
    await person.close();
  });

  test('the skip link moves on to the main content', async () => {
    const { page, ...person } = await asked();

    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');

    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main');
    await person.close();
  });
});

/** Apart from the others: it moves the clock that all share. */
describe('the decision, much later', { skip: noBrowser }, () => {
  test('[LOG-03] a request that waited too long is over, also for the browser that began it', async () => {
    const world = await stand();
    const username = await world.somebody();
    const { page, ...person } = await world.open();
    await page.goto(world.url({ state: 'late' }));

    world.clock.advance(world.server.options.requestSeconds);
    await signIn(page, username, password);
    await page.getByRole('heading', { name: 'This request is too old' }).waitFor();

    await person.close();
  });
});

type Stop = { name: string; outlined: boolean };

/** Presses Tab until a control with this text has the focus. */
async function tabUntil(page: Page, name: string): Promise<Stop[]> {
  const stops: Stop[] = [];
  while (stops.length < 40) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const style = getComputedStyle(element);
      const label = element.closest('label') ?? element;
      return { name: label.innerText.trim(), outlined: style.outlineStyle !== 'none' && Number.parseFloat(style.outlineWidth) >= 2 };
    });
    stops.push(stop);
    if (stop.name === name) return stops;
  }
  throw new Error(`no "${name}" among ${stops.map((stop) => stop.name).join(', ')}`);
}
