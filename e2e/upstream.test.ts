/**
 * Signing in at an OpenID provider elsewhere (node-oidc-provider with its own pages): the button, the way there and back, the account, linking; with and without
 * JavaScript. Each page of ours on the way is looked at like those of the gallery.
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { makeInvitation } from '../server/src/account/operator-links.ts';
import { auditEvent } from '../server/src/audit/event.ts';
import { pinnedUpstreamFetch } from '../server/src/runtimes/pinned-fetch.ts';
import { sealCredential } from '../server/src/upstream/client.ts';
import { pkce } from '../server/test/harness.ts';
import { clientSecret, graceOnly, openProvider } from '../server/test/interop/oidc-provider.ts';
import { openStand } from '../server/test/interop/stand.ts';
import { heading, noBrowser, openPerson, type PersonOptions, signIn, startBrowser } from './browser.ts';

const pictures = new URL('../out/e2e/', import.meta.url);
const password = 'correct horse battery staple';

async function begin(t: TestContext, signUp: 'open' | 'invitation' | 'closed' = 'open') {
  const stand = await openStand(t, { fetchUpstream: pinnedUpstreamFetch(), signIn: { signUp }, serviceName: 'Acme agents' });
  const { issuer } = await openProvider(t, () => graceOnly(`${stand.issuer}/login/upstream/elsewhere/callback`));
  const row = {
    id: 'elsewhere',
    name: 'Hopper ID',
    recipe: 'openid' as const,
    issuer,
    clientId: 'auth-agent',
    credentialSealed: sealCredential('elsewhere', { secret: clientSecret }, stand.context),
    scope: ['openid', 'profile', 'email'],
    privateNetwork: true,
    createdAt: stand.clock.now(),
  };
  await stand.store.addUpstream(row, auditEvent('upstream.added', stand.clock.now(), 'test'));
  const client = await stand.addClient();
  const query = { response_type: 'code', client_id: client.id, redirect_uri: 'http://localhost/callback', scope: 'openid', state: 'x' };
  const url = `${stand.issuer}/authorize?${new URLSearchParams({ ...query, code_challenge: pkce.challenge, code_challenge_method: 'S256' })}`;
  const browser = await startBrowser({});
  t.after(() => browser.close());
  await mkdir(pictures, { recursive: true });
  return { stand, url, open: (options?: PersonOptions) => openPerson(browser, options) };
}

/** Signs in on the pages of node-oidc-provider. */
async function signInThere(page: Page): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill('grace');
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function look(page: Page, name: string): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const [device, size] of [
      ['desktop', { width: 1280, height: 800 }],
      ['phone', { width: 320, height: 568 }],
    ] as const) {
      await page.setViewportSize(size);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(overflow, 0, `${name} is wider than ${size.width} pixels`);
      await page.screenshot({ path: new URL(`${name}-${device}-${scheme}.png`, pictures).pathname, fullPage: true, animations: 'disabled' });
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(violations, [], `${name} ${scheme}`);
  }
}

describe('an upstream', { skip: noBrowser }, () => {
  for (const script of [true, false]) {
    test(`[LOG-07] somebody new goes there ${script ? '' : 'without JavaScript '}from the request of an agent, makes an account, and is asked for consent`, async (t) => {
      const { stand, url, open } = await begin(t);
      const person = await open({ script });
      const { page } = person;

      await page.goto(url);
      if (script) await look(page, 'sign-in-upstream');
      await page.getByRole('button', { name: 'Continue with Hopper ID' }).click();
      await signInThere(page);
      await page.getByRole('heading', { name: 'No account here yet' }).waitFor();
      if (script) await look(page, 'first-time');
      await page.getByRole('button', { name: 'Create my account' }).click();
      await page.getByRole('heading', { name: /^Allow/ }).waitFor();

      assert.match(await page.locator('body').innerText(), /grace@hopper\.example/);
      assert.equal((await stand.store.listUsers()).length, 2);
      assert.deepEqual(person.complaints, []);
      await person.close();
    });
  }

  test('[LOG-07] somebody who has an account signs in to it and links it; the next time one button is enough', async (t) => {
    const { stand, open } = await begin(t, 'closed');
    const person = await open();
    const { page } = person;

    await page.goto(`${stand.issuer}/login`);
    await page.getByRole('button', { name: 'Continue with Hopper ID' }).click();
    await signInThere(page);
    await look(page, 'first-time-closed');
    await page.getByRole('link', { name: 'I have an account here' }).click();
    await signIn(page, 'ada', password);
    await page.getByRole('heading', { name: 'Link Hopper ID?' }).waitFor();
    await look(page, 'link-upstream');
    await page.locator('button[value=link]:not([aria-disabled])').click();
    await page.waitForURL(/\/account\/agents$/);
    await page.goto(`${stand.issuer}/account/security`);
    await look(page, 'security-upstream');
    await page.locator('#upstreams .muted', { hasText: 'grace@hopper.example' }).waitFor();

    await page.goto(`${stand.issuer}/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.goto(`${stand.issuer}/login`);
    await page.getByRole('button', { name: 'Continue with Hopper ID' }).click();
    await page.waitForURL(/\/account\/agents$/);
    assert.deepEqual(person.complaints, []);
    await person.close();
  });

  test('[LOG-07] who is invited accepts with an account elsewhere; with that of another address the invitation stays', async (t) => {
    const { stand, open } = await begin(t, 'invitation');
    const invite = (email: string) => makeInvitation({ email, role: 'user' }, stand.context);
    const person = await open();
    const { page } = person;

    await page.goto(await invite('hopper@navy.example'));
    await look(page, 'invitation-upstream');
    await page.getByRole('button', { name: 'Continue with Hopper ID' }).click();
    await signInThere(page);
    await page.getByRole('heading', { name: 'This invitation is for somebody else' }).waitFor();
    await look(page, 'invitation-of-another');
    await page.goto(await invite('grace@hopper.example'));
    await page.getByRole('button', { name: 'Continue with Hopper ID' }).click();
    await page.getByRole('heading', { name: /^You are invited to/ }).waitFor();
    await look(page, 'first-time-invited');
    await page.getByRole('button', { name: 'Create my account' }).click();
    await page.waitForURL(/\/account\/agents$/);

    assert.ok((await stand.store.listUsers()).some(({ email }) => email === 'grace@hopper.example'));
    assert.deepEqual(person.complaints, []);
    await person.close();
  });

  test('who turns back there finds the way back to the request', async (t) => {
    const { url, open } = await begin(t);
    const { page, ...person } = await open();

    await page.goto(url);
    await page.getByRole('button', { name: 'Continue with Hopper ID' }).click();
    await page.getByRole('link', { name: /cancel/i }).click();
    await page.getByRole('heading', { name: 'You did not sign in at Hopper ID' }).waitFor();
    await look(page, 'upstream-declined');
    await page.getByRole('link', { name: 'Back to sign-in' }).click();

    assert.match(await heading(page), /^Sign in to continue to/);
    assert.deepEqual(person.complaints, []);
    await person.close();
  });
});
