/**
 * What people do with the mail they get: sign in by code and by link, make an account, choose a new password; with and without script.
 */
import assert from 'node:assert/strict';
import { before, beforeEach, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { codeIn, linkIn } from '../server/test/flows/mail-stage.ts';
import { allow, assertQuiet, heading, noBrowser, signIn } from './browser.ts';
import { issuer, password, type Stand, sessionCookie, stand } from './stand.ts';

const chosen = 'seven quiet otters sing';

describe('mail', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await stand();
  });
  // Everybody here shares one address, which may ask for a mail in each story.
  beforeEach(() => world.clock.advance(900));

  async function askForCode(page: Page, username: string): Promise<void> {
    await page.getByLabel('E-mail or username').fill(username);
    await page.getByRole('button', { name: 'E-mail me a code' }).click();
    await page.getByLabel('Code', { exact: true }).waitFor();
  }

  for (const script of [true, false]) {
    test(`[LINK-01] a person types the code from the mail and goes on to what the agent asks, ${script ? 'with' : 'without'} script`, async () => {
      const username = await world.somebody();
      const person = await world.open({ script });
      const { page } = person;
      await page.goto(world.url());
      await askForCode(page, username);
      const field = page.getByLabel('Code', { exact: true });
      assert.equal(await field.getAttribute('autocomplete'), 'one-time-code');
      assert.equal(await field.getAttribute('inputmode'), 'numeric');
      await field.fill(codeIn(await world.mailTo(`${username}@acme.example`)));
      await page.keyboard.press('Enter');

      await page.getByText('It could').waitFor();
      await allow(page);
      await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();
      assertQuiet(person, [issuer, world.callbacks.loopback]);
      await person.close();
    });
  }

  test('[LINK-02] the link signs in at once in the browser that asked, and by a button without script', async () => {
    for (const script of [true, false]) {
      const username = await world.somebody();
      const { page, context, ...person } = await world.open({ script });
      await page.goto(`${issuer}/login`);
      await askForCode(page, username);
      const tab = await context.newPage();
      await tab.goto(linkIn(await world.mailTo(`${username}@acme.example`)));
      if (!script) await tab.getByRole('button', { name: 'Continue' }).click();

      await tab.getByRole('heading', { name: 'Connected agents' }).waitFor();
      await person.close();
    }
  });

  test('[LINK-02] the link in another browser shows the code and signs nobody in', async () => {
    const username = await world.somebody();
    const { page, ...person } = await world.open();
    await page.goto(`${issuer}/login`);
    await askForCode(page, username);
    const mail = await world.mailTo(`${username}@acme.example`);
    const { page: elsewhere, context, ...other } = await world.open();
    await elsewhere.goto(linkIn(mail));

    assert.equal(await heading(elsewhere), 'Your code');
    assert.equal(await elsewhere.locator('.device-code').innerText(), codeIn(mail));
    assert.equal(
      (await context.cookies(issuer)).find(({ name }) => name === sessionCookie),
      undefined,
    );
    assert.equal(await elsewhere.locator('main form').count(), 0);
    await page.getByLabel('Code', { exact: true }).fill(codeIn(mail));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Connected agents' }).waitFor();
    await other.close();
    await person.close();
  });

  test('[LINK-05] somebody new makes an account in the middle of a request and comes back to it', async () => {
    const person = await world.open({ width: 320, height: 568 });
    const { page } = person;
    await page.goto(world.url());
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail').fill('lin@acme.example');
    await page.keyboard.press('Enter');
    await page.getByLabel('Code', { exact: true }).waitFor();
    await page.getByLabel('Code', { exact: true }).fill(codeIn(await world.mailTo('lin@acme.example')));
    await page.keyboard.press('Enter');
    await page.getByLabel('Your name').fill('Lin');
    await page.getByLabel('Password', { exact: true }).fill(chosen);
    await page.keyboard.press('Enter');

    await page.getByText('It could').waitFor();
    await allow(page);
    await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();
    assertQuiet(person, [issuer, world.callbacks.loopback]);
    await person.close();
  });

  test('[LINK-04] a forgotten password is replaced by a link, which signs everybody else out', async () => {
    const username = await world.somebody();
    const elsewhere = await world.signedIn(username);
    const { page, ...person } = await world.open();
    await page.goto(`${issuer}/login`);
    await page.getByRole('link', { name: 'Forgot your password?' }).click();
    await page.getByLabel('E-mail or username').fill(username);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Look at your mail' }).waitFor();
    await page.goto(linkIn(await world.mailTo(`${username}@acme.example`)));
    await page.getByLabel('New password').fill(chosen);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your password is changed' }).waitFor();

    await elsewhere.page.goto(`${issuer}/account/agents`);
    assert.equal(await heading(elsewhere.page), 'Sign in');
    await page.getByRole('link', { name: 'Sign in' }).click();
    await signIn(page, username, password);
    await page.getByRole('alert').waitFor();
    await signIn(page, username, chosen);
    await page.getByRole('heading', { name: 'Connected agents' }).waitFor();
    await elsewhere.close();
    await person.close();
  });
});
