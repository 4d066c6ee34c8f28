/**
 * The person's own pages: signing in and out, the agents that act for them and how to be rid of one, the first operator's setup, and pages that nobody can put
 * into a frame.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { allow, assertQuiet, heading, noBrowser, signIn } from './browser.ts';
import { hostedOrigin } from './callbacks.ts';
import { firstLink, issuer, password, type Stand, sessionCookie, stand } from './stand.ts';

describe('the account', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await stand();
  });

  test('[LOG-01] the session is a __Host- cookie that no script can read, new after each sign-in and dead after signing out', async () => {
    const username = await world.somebody();
    const { page, context, ...person } = await world.open();
    const session = async () => (await context.cookies(issuer)).find(({ name }) => name === sessionCookie);
    await page.goto(`${issuer}/login`);
    await signIn(page, username, password);
    await page.getByRole('heading', { name: 'Connected agents' }).waitFor();
    const first = await session();

    await page.goto(`${issuer}/login?switch=1`);
    await signIn(page, username, password);
    await page.getByRole('heading', { name: 'Connected agents' }).waitFor();
    const second = await session();

    assert.deepEqual([first?.secure, first?.httpOnly, first?.sameSite, first?.path], [true, true, 'Lax', '/']);
    assert.equal(await page.evaluate(() => document.cookie), '');
    assert.notEqual(second?.value, first?.value);
    await page.getByRole('link', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    assert.equal(await session(), undefined);
    for (const dead of [first, second]) {
      await context.addCookies([{ name: sessionCookie, value: dead?.value ?? '', url: issuer, secure: true, httpOnly: true, sameSite: 'Lax' }]);
      await page.goto(`${issuer}/account/agents`);
      assert.equal(await heading(page), 'Sign in');
    }
    await person.close();
  });

  test('[LOG-05] a wrong password and an unknown name look the same, the name is kept and the focus is on the problem', async () => {
    const username = await world.somebody();
    const { page, ...person } = await world.open();
    const seen: string[] = [];

    for (const name of [username, 'nobody-at-all']) {
      await page.goto(`${issuer}/login`);
      await signIn(page, name, 'not the password');
      await page.getByRole('alert').waitFor();
      seen.push((await page.locator('main').innerText()).replaceAll(name, ''));
      assert.equal(await page.getByLabel('E-mail or username').inputValue(), name);
      assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '');
      assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? '', /don't match/);
    }

    assert.equal(seen[0], seen[1]);
    await person.close();
  });

  test('the password can be shown, and is hidden again before it is sent', async () => {
    const username = await world.somebody();
    const { page, ...person } = await world.open();
    await page.goto(`${issuer}/login`);
    const field = page.getByLabel('Password', { exact: true });
    await page.getByLabel('E-mail or username').fill(username);
    await field.fill(password);

    await page.getByRole('button', { name: 'Show' }).click();
    const shown = await field.getAttribute('type');
    await page.evaluate(() =>
      document.addEventListener('submit', () => void sessionStorage.setItem('type', (document.getElementById('password') as HTMLInputElement).type)),
    );
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Connected agents' }).waitFor();

    assert.equal(shown, 'text');
    assert.equal(await page.evaluate(() => sessionStorage.getItem('type')), 'password');
    await person.close();
  });

  test('[CON-07] the person sees their agents and disconnects one, whose token is dead from the next request on', async () => {
    const person = await world.signedIn(await world.somebody());
    const { page } = person;
    await page.goto(world.url());
    await allow(page);
    await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();
    const { access_token } = await world.redeem(new URL(page.url()), world.approved.id);

    await page.goto(`${issuer}/account/agents`);
    const card = page.locator('.agent');
    assert.match(await card.innerText(), /Claude Code on My File Server/);
    assert.match(await card.innerText(), /List and read your files/);
    assert.equal(await world.isActive(access_token), true);
    await card.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText(/Disconnected\. Claude Code lost access at /).waitFor();

    assert.equal(await world.isActive(access_token), false);
    assert.equal(await page.locator('.agent').count(), 0);
    assertQuiet(person, [issuer, world.callbacks.loopback]);
    await person.close();
  });

  test('[ACC-01] the person pauses an agent, sees that it asks again, resumes it and goes on, without a new consent', async () => {
    const person = await world.signedIn(await world.somebody());
    const { page } = person;
    await page.goto(world.url({ scope: 'files:read' }));
    await allow(page);
    await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();
    const { access_token } = await world.redeem(new URL(page.url()), world.approved.id);

    await page.goto(`${issuer}/account/agents`);
    await page.getByRole('button', { name: 'Pause Claude Code' }).click();
    await page.getByText('Paused. Claude Code cannot act until you resume it.').waitFor();
    assert.equal(await world.isActive(access_token), false);
    await page.goto(world.url({ scope: 'files:read' }));
    assert.equal(await heading(page), 'You paused Claude Code');
    await page.getByRole('button', { name: 'Resume and go on' }).click();
    await page.getByRole('heading', { name: /^Reconnect Claude Code/ }).waitFor();

    assert.equal(await world.isActive(access_token), true);
    await person.close();
  });

  test('[ACC-02] [ACC-03] the person takes a part back by keyboard, and reads what they had agreed to', async () => {
    const person = await world.signedIn(await world.somebody());
    const { page } = person;
    await page.goto(world.url({ scope: 'files:read files:write' }));
    for (const box of await page.getByRole('checkbox').all()) await box.check();
    await allow(page);
    await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();
    const { access_token } = await world.redeem(new URL(page.url()), world.approved.id);

    await page.goto(`${issuer}/account/agents`);
    await page.getByRole('link', { name: 'Reduce access' }).press('Enter');
    await page.getByRole('checkbox', { name: 'files:write' }).press('Space');
    await page.getByRole('button', { name: 'Reduce access' }).press('Enter');
    await page.getByText('Reduced. Claude Code has only what you left it.').waitFor();
    assert.doesNotMatch(await page.locator('.agent .groups').innerText(), /files:write/);
    assert.equal(await world.isActive(access_token), true);
    await page.getByRole('link', { name: 'What you agreed to' }).click();

    assert.match(await page.locator('main').innerText(), /Allow Claude Code to act for you on “My File Server”\?[\s\S]*files:write/);
    await person.close();
  });

  test('[ACC-01] the link of a notice leads through the choice of an account to the agent it is about, whoever acts now, and pauses nothing by itself', async () => {
    const [owner, other] = [await world.somebody(), await world.somebody()];
    const person = await world.signedIn(owner);
    const { page } = person;
    await page.goto(world.url({ scope: 'files:read' }));
    await allow(page);
    await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();
    const { access_token } = await world.redeem(new URL(page.url()), world.approved.id);
    const { user } = (await world.store.findUserByLogin(owner)) ?? {};
    const [grant] = await world.store.listGrants({ userId: user?.id ?? '' }, world.clock.now());
    await page.goto(`${issuer}/login?switch=new`);
    await signIn(page, other, password);
    await page.getByRole('heading', { name: 'Connected agents' }).waitFor();

    await page.goto(`${issuer}/account/agents/pause?grant=${grant?.id}`);
    assert.equal(await heading(page), 'Choose an account');
    await page.getByRole('button', { name: `${owner}@acme.example` }).press('Enter');
    await page.getByRole('heading', { name: 'Pause Claude Code?' }).waitFor();
    assert.equal(await world.isActive(access_token), true);
    await page.getByRole('button', { name: 'Pause' }).press('Enter');
    await page.getByText('Paused. Claude Code cannot act until you resume it.').waitFor();

    assert.equal(await world.isActive(access_token), false);
    assertQuiet(person, [issuer, world.callbacks.loopback]);
    await person.close();
  });

  test('[ACC-01] signed out, the link of a notice leads through the sign-in to its question', async () => {
    const owner = await world.somebody();
    const first = await world.signedIn(owner);
    await first.page.goto(world.url({ scope: 'files:read' }));
    await allow(first.page);
    await first.page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();
    await first.close();
    const { user } = (await world.store.findUserByLogin(owner)) ?? {};
    const [grant] = await world.store.listGrants({ userId: user?.id ?? '' }, world.clock.now());
    const { page, ...person } = await world.open({ script: false });

    await page.goto(`${issuer}/account/agents/pause?grant=${grant?.id}`);
    await signIn(page, owner, password);
    await page.getByRole('heading', { name: 'Pause Claude Code?' }).waitFor();
    assert.equal((await world.store.findGrant(grant?.id ?? ''))?.pausedAt, undefined);
    await page.getByRole('link', { name: 'Let it go on' }).click();
    await page.getByRole('heading', { name: 'Connected agents' }).waitFor();

    assert.equal((await world.store.findGrant(grant?.id ?? ''))?.pausedAt, undefined);
    await person.close();
  });

  test('[LOG-09] no page of ours appears in a frame of another site', async () => {
    const { page, ...person } = await world.signedIn(await world.somebody());
    const refused: string[] = [];
    page.on('requestfailed', (request) => void (request.resourceType() === 'document' && refused.push(request.url())));

    for (const path of ['/login', '/account/agents', `/authorize?client_id=nobody`, '/logout']) {
      await page.goto(`${hostedOrigin}/frame?of=${encodeURIComponent(issuer + path)}`);
      const [frame] = page.frames().slice(1);
      await frame?.waitForLoadState();
      assert.doesNotMatch((await frame?.content()) ?? '', /Acme sign-in/, path);
      assert.match(frame?.url() ?? '', /^chrome-error:/, path);
    }
    await person.close();
  });

  test('a setup link makes the first operator, whose owner token works at the API, and works once', async () => {
    const link = await firstLink(world, 'grace');
    const { page, ...person } = await world.open();
    await page.goto(link);

    await page.getByLabel('Username').fill('grace');
    await page.getByLabel('E-mail').fill('grace@acme.example');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByRole('heading', { name: 'This service is set up' }).waitFor();
    const ownerToken = await page.locator('#owner-token').innerText();
    const listed = await world.request('/t/grace/api/servers', { headers: { Authorization: `Bearer ${ownerToken}` } });
    const again = await page.goto(link);

    assert.match(ownerToken, /^aat_/);
    assert.equal(listed.status, 200);
    assert.equal(again?.status(), 400);
    assert.equal(await page.getByLabel('Username').count(), 0);
    await person.close();
  });

  test('a person who was signed out on the way finds their request again', async () => {
    const { page, context, ...person } = await world.signedIn(await world.somebody('hedy'));
    await page.goto(world.url());
    const [session] = (await context.cookies(issuer)).filter(({ name }) => name === sessionCookie);
    await context.addCookies([{ ...(session as NonNullable<typeof session>), value: 'A'.repeat(43) }]);

    await page.reload();
    assert.match(await page.locator('main').innerText(), /You were signed out\. Your request from Claude Code is still here\./);
    await signIn(page, 'hedy', password);

    await page.getByRole('heading', { name: /^Allow Claude Code/ }).waitFor();
    await person.close();
  });
});
