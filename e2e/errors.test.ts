/**
 * Requests that are wrong: the person gets a page with the way out, and is sent nowhere that was not checked.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertQuiet, heading, noBrowser, openPerson } from './browser.ts';
import { hostedOrigin } from './callbacks.ts';
import { issuer, type Stand, stand } from './stand.ts';

describe('an error page', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await stand();
  });

  const refused: { title: string; url(): string; status: number; says: string }[] = [
    {
      title: '[AZ-03] an unknown client is named as such, and nobody is sent to its redirect URI',
      url: () => world.url({ client_id: 'client_nobody' }),
      status: 400,
      says: "This app's registration is no longer known here",
    },
    {
      title: '[AZ-04] a redirect URI that is not registered ends on our page',
      url: () => world.url({ redirect_uri: 'https://evil.example/callback' }),
      status: 400,
      says: "The return address doesn't match",
    },
    {
      title: '[LOG-03] an invented transaction is too old',
      url: () => `${issuer}/authorize/consent?tx=tx_${'A'.repeat(32)}`,
      status: 400,
      says: 'This request is too old',
    },
    { title: 'an address that does not exist says so', url: () => `${issuer}/nowhere`, status: 404, says: 'There is nothing here' },
  ];

  for (const { title, url, status, says } of refused) {
    test(title, async () => {
      const person = await openPerson(world.browser);

      const response = await person.page.goto(url());

      assert.equal(response?.status(), status);
      assert.equal(await heading(person.page), says);
      assert.equal(await person.page.getByRole('heading', { name: 'What you can do' }).count(), 1);
      assert.match(await person.page.locator('#support').innerText(), /req_/);
      assertQuiet(person, [issuer]);
      await person.close();
    });
  }

  test('[AZ-31] an error for a client that nobody vouches for waits for a click that names the other site', async () => {
    const clientId = await world.register('Some Agent', [`${hostedOrigin}/cb`]);
    const person = await openPerson(world.browser);
    const before = world.callbacks.received.length;

    await person.page.goto(world.url({ client_id: clientId, redirect_uri: `${hostedOrigin}/cb`, response_type: 'token' }));
    assert.equal(world.callbacks.received.length, before);
    await person.page.getByRole('link', { name: 'Continue to app.example.org' }).click();
    await person.page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();

    assert.equal(world.callbacks.received.at(-1)?.url.searchParams.get('error'), 'unsupported_response_type');
    assert.equal(world.callbacks.received.at(-1)?.referrer, undefined);
    await person.close();
  });

  test('[LOG-10] names full of markup are shown as text, and run nothing', async () => {
    const clientId = await world.register('<img src=x onerror=alert(1)><script>alert(2)</script>', [`${world.callbacks.loopback}/callback`]);
    const person = await world.signedIn(await world.somebody());

    await person.page.goto(world.url({ client_id: clientId, state: '"><script>alert(3)</script>' }));

    assert.match(await heading(person.page), /<img src=x onerror=alert\(1\)>/);
    assert.equal(await person.page.locator('img').count(), 0);
    assertQuiet(person, [issuer]);
    await person.close();
  });
});
