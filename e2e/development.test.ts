/**
 * Development mode as a newcomer meets it: every page says so, the test account is on the page, and the documentation's snippets work in a browser.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { pkce } from '../server/test/harness.ts';
import { allow, heading, noBrowser, openPerson, type Person, signIn } from './browser.ts';
import { type Stand, stand } from './stand.ts';

describe('development mode', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await stand();
  });

  function url(more: Record<string, string>, path = '/authorize'): string {
    const plain = { response_type: 'code', code_challenge: pkce.challenge, code_challenge_method: 'S256', state: 's' };
    return `${world.development}${path}?${new URLSearchParams({ ...plain, ...more })}`;
  }

  const claudeCode = () => ({
    client_id: 'client_claude_code',
    redirect_uri: `${world.callbacks.loopback}/callback`,
    resource: 'https://your-mcp-server.com',
    scope: 'files:read',
  });
  const outOfBand = { client_id: 'mcp-test-client', redirect_uri: 'urn:ietf:wg:oauth:2.0:oob', scope: 'mcp:read mcp:write' };

  async function says({ page }: Person): Promise<string> {
    return page.locator('.banner').innerText();
  }

  test('the test account is on the sign-in page, and the whole way works over http on loopback', async () => {
    const person = await openPerson(world.browser);
    const { page } = person;

    await page.goto(url(claudeCode()));
    assert.match(await says(person), /^Development mode/);
    assert.match(await page.locator('.chip').innerText(), /Try testuser \/ testpass/);
    await signIn(page, 'testuser', 'testpass');
    await page.getByRole('heading', { name: /^Allow/ }).waitFor();
    assert.match(await says(person), /^Development mode/);
    await allow(page);
    await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();

    assert.match(new URL(page.url()).searchParams.get('code') ?? '', /^ac_/);
    assert.equal(new URL(page.url()).searchParams.get('iss'), world.development);
    assert.deepEqual(person.complaints, []);
    await person.close();
  });

  test('a client without a place to return to gets its code on a page', async () => {
    const person = await openPerson(world.browser);
    const { page } = person;

    await page.goto(url(outOfBand));
    await signIn(page, 'testuser', 'testpass');
    await allow(page);
    await page.getByRole('heading', { name: 'Copy this code' }).waitFor();

    assert.match(await page.locator('#code').innerText(), /^ac_[A-Za-z0-9_-]{40,}$/);
    assert.match(await page.locator('main').innerText(), /Never send this to a person/);
    assert.deepEqual(person.complaints, []);
    await person.close();
  });

  test('code_challenge=test shows the sign-in page with a notice, and after it an explanation', async () => {
    const person = await openPerson(world.browser);
    const { page } = person;

    await page.goto(url({ ...outOfBand, redirect_uri: 'http://localhost:3000/callback', code_challenge: 'test' }, '/oauth/authorize'));
    assert.match(await says(person), /could never be redeemed/);
    await signIn(page, 'testuser', 'testpass');
    await page.getByRole('heading', { name: 'No code for code_challenge=test' }).waitFor();

    assert.match(await page.locator('main').innerText(), /no code was made/);
    assert.deepEqual(person.complaints, []);
    await person.close();
  });

  test('error pages say that this is development mode, too', async () => {
    const person = await openPerson(world.browser);

    await person.page.goto(url({ client_id: 'nobody' }));

    assert.equal(await heading(person.page), "This app's registration is no longer known here");
    assert.match(await says(person), /^Development mode/);
    await person.close();
  });
});
