/**
 * Passkeys in Chromium, with the authenticator that its developer tools offer: making one, signing in by the button and by the list of the name field, a name,
 * removal, a person who is not verified, and the pages without script. In development mode, because Chromium makes no passkeys behind a certificate of our own.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CDPSession, Page } from 'playwright-core';
import { assertQuiet, noBrowser, type Person, signIn } from './browser.ts';
import { type Stand, stand } from './stand.ts';

type Authenticator = {
  /** Whether it recognises its person. */
  knows(person: boolean): Promise<void>;
  credentials(): Promise<{ rpId?: string; isResidentCredential: boolean; signCount: number }[]>;
};

describe('passkeys', { skip: noBrowser }, () => {
  let world: Stand;
  let person: Person;
  let page: Page;
  let authenticator: Authenticator;
  before(async () => {
    world = await stand();
    person = await world.open();
    page = person.page;
    // The authenticator answers at once, also to the list of the name field: without that list it waits for the button.
    await page.addInitScript(() => {
      if (sessionStorage.getItem('list') !== 'yes') PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
    });
    authenticator = await authenticatorOf(await person.context.newCDPSession(page));
  });
  after(() => person?.close());

  const at = (path: string) => page.goto(world.development + path);
  const isIn = () => page.getByRole('heading', { name: 'Connected agents' }).waitFor();
  const entries = () => page.locator('#passkeys .entry');

  async function signOut(): Promise<void> {
    await at('/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  }

  test('a person adds one on their own page; it finds its person and is for this site alone', async () => {
    await at('/login');
    await signIn(page, 'testuser', 'testpass');
    await isIn();
    await at('/account/security');
    assert.equal(await page.getByText('with JavaScript').isVisible(), false);

    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('Passkey added.').waitFor();

    assert.equal(await entries().count(), 1);
    const [made, ...others] = await authenticator.credentials();
    assert.deepEqual([made?.rpId, made?.isResidentCredential, others.length], ['localhost', true, 0]);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('this device may have one already').waitFor();
    assert.equal(await entries().count(), 1);
  });

  test('the button signs in, and so does the list of the name field', async () => {
    await signOut();
    await at('/login');
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await isIn();

    await signOut();
    await page.evaluate(() => sessionStorage.setItem('list', 'yes'));
    await at('/login');
    await isIn();
    await page.evaluate(() => sessionStorage.removeItem('list'));
  });

  test('a device that does not recognise its person signs nobody in, and says so', async () => {
    await signOut();
    await authenticator.knows(false);
    await at('/login');
    await page.getByRole('button', { name: 'Use a passkey' }).click();

    await page.getByText('No passkey was used.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Use a passkey' }).getAttribute('aria-disabled'), null);
    await authenticator.knows(true);
    await signIn(page, 'testuser', 'testpass');
    await isIn();
  });

  test('it gets a name, is used to confirm who one is, and is removed', async () => {
    await at('/login?reason=confirm&to=security');
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('heading', { name: 'Sign-in and sessions' }).waitFor();

    await page.locator('#passkeys summary').click();
    await page.getByLabel('Name').fill('Blue key');
    await page.getByRole('button', { name: 'Save the name' }).click();
    await page.getByText('Name saved.').waitFor();
    assert.match(await entries().innerText(), /Blue key[\s\S]*just now/);
    await page.getByRole('button', { name: 'Remove the passkey Blue key' }).click();
    await page.getByText('Passkey removed.').waitFor();

    assert.equal(await entries().count(), 0);
    assertQuiet(person, [world.development]);
  });

  test('without script the pages are whole: a password signs in, and the reason stands where the button would be', async () => {
    const { page: plain, ...closing } = await world.open({ script: false });
    await plain.goto(`${world.development}/login`);
    assert.equal(await plain.getByRole('button', { name: 'Use a passkey' }).isVisible(), false);
    await signIn(plain, 'testuser', 'testpass');
    await plain.goto(`${world.development}/account/security`);

    assert.equal(await plain.getByText('with JavaScript').isVisible(), true);
    assert.equal(await plain.getByRole('button', { name: 'Add a passkey' }).isVisible(), false);
    await closing.close();
  });
});

async function authenticatorOf(cdp: CDPSession): Promise<Authenticator> {
  await cdp.send('WebAuthn.enable', { enableUI: false });
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true } as const;
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { ...options, automaticPresenceSimulation: true } });
  return {
    knows: async (isUserVerified) => void (await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })),
    credentials: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
  };
}
