/**
 * A device without a browser: its person enters the code somewhere else, compares, and decides; by keyboard, and without JavaScript.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { allow, assertQuiet, deny, heading, noBrowser, signIn } from './browser.ts';
import { issuer, password, type Stand, stand } from './stand.ts';

describe('a device', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await stand();
  });

  for (const script of [true, false]) {
    test(`[DEV-04] [DEV-06] its person opens the address ${script ? '' : 'without JavaScript '}from a phone, signs in, compares, and the device gets its token`, async () => {
      const username = await world.somebody();
      const { device_code: deviceCode, user_code: code, verification_uri_complete: address } = await world.device('client_approved', 'files:read files:write');
      const person = await world.open({ script });
      const { page } = person;

      await page.goto(address.replace('https://auth.acme.example', issuer));
      await signIn(page, username, password);
      await page.getByRole('heading', { name: 'Connect a device' }).waitFor();
      assert.equal(await page.getByLabel('Code').inputValue(), code);
      assert.equal((await world.poll('client_approved', deviceCode)).error, 'authorization_pending');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('heading', { name: 'Does your device show this code?' }).waitFor();
      const text = await page.locator('main').innerText();
      await page.getByLabel('Create and edit files').check();
      await allow(page);
      await page.getByRole('heading', { name: 'Connected' }).waitFor();

      assert.ok(text.includes(code) && text.includes('from 198.51.100.23') && text.includes('Did someone send you this code'));
      assert.equal((await world.poll('client_approved', deviceCode)).scope, 'files:read files:write');
      await page.getByRole('link', { name: 'Review connected agents' }).click();
      assert.equal(await page.locator('.agent').count(), 1);
      assertQuiet(person, [issuer]);
      await person.close();
    });
  }

  test('[DEV-04] [CON-10] Enter on the page never allows, and No ends it', async () => {
    const { device_code: deviceCode, user_code: code } = await world.device('client_approved', 'files:read files:write');
    const { page, ...person } = await world.signedIn(await world.somebody());
    await page.goto(`${issuer}/device`);
    await page.locator('input:focus').waitFor();
    await page.keyboard.type(code.toLowerCase().replace('-', ''));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Does your device show this code?' }).waitFor();

    await page.getByLabel('Create and edit files').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Nothing was shared' }).waitFor();

    assert.equal((await world.poll('client_approved', deviceCode)).error, 'access_denied');
    await person.close();
  });

  test('a code that nobody knows keeps what was typed and puts the focus on the problem', async () => {
    const { page, ...person } = await world.signedIn(await world.somebody());
    await page.goto(`${issuer}/device`);
    await page.getByLabel('Code').fill('BCDF-GHJK');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('alert').waitFor();

    assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? '', /We don't know that code\. Codes last 10 minutes\./);
    assert.equal(await page.getByLabel('Code').inputValue(), 'BCDF-GHJK');
    assert.equal(await heading(page), 'Connect a device');
    await person.close();
  });

  test('Deny has no side effect on what is already connected', async () => {
    const username = await world.somebody();
    const { page, ...person } = await world.signedIn(username);
    for (const decide of [allow, deny]) {
      const { user_code: code } = await world.device('client_approved', 'files:read');
      await page.goto(`${issuer}/device?user_code=${code}`);
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('It could').waitFor();
      await decide(page);
      await page.getByText('Review connected agents').waitFor();
    }

    await page.goto(`${issuer}/account/agents`);
    assert.equal(await page.locator('.agent').count(), 1);
    await person.close();
  });
});
