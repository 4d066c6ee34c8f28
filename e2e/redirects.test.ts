/**
 * Every way back to an agent, in a real browser under the real content policy: loopback, https, an app's own scheme, and https that hands on to an app. The
 * button that does nothing (decision 12, CON-08) is what these stories would catch.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { allow, assertQuiet, deny, heading, noBrowser, openPerson, type Person, signIn } from './browser.ts';
import { hostedOrigin } from './callbacks.ts';
import { cursorScheme, issuer, password, type Stand, stand } from './stand.ts';

describe('the way back', { skip: noBrowser, concurrency: 3 }, () => {
  let world: Stand;
  before(async () => {
    world = await stand();
  });

  const ways: { name: string; redirectUri(): string; arrives: RegExp }[] = [
    { name: 'http on loopback', redirectUri: () => `${world.callbacks.loopback}/callback`, arrives: /^http:\/\/127\.0\.0\.1:\d+\/callback\?/ },
    { name: 'https', redirectUri: () => `${hostedOrigin}/cb`, arrives: /^https:\/\/app\.example\.org\/cb\?/ },
    { name: "an app's own scheme", redirectUri: () => cursorScheme, arrives: /^cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?/ },
    {
      name: "https that hands on to an app's own scheme",
      redirectUri: () => `${hostedOrigin}/open-app`,
      arrives: /^vscode:\/\/vscode\.github-authentication\//,
    },
  ];

  for (const script of [true, false]) {
    for (const name of ['http on loopback', 'https']) {
      test(`[AZ-26] [CON-08] Allow posts the answer to ${name} ${script ? 'by itself' : 'with one more button, without JavaScript'}`, async () => {
        const redirectUri = name === 'https' ? `${hostedOrigin}/cb` : `${world.callbacks.loopback}/callback`;
        const username = await world.somebody();
        const person = await world.open({ script });

        await person.page.goto(world.url({ redirect_uri: redirectUri, response_mode: 'form_post' }));
        await signIn(person.page, username, password);
        const posted = person.page.waitForRequest((request) => request.method() === 'POST' && request.url() === redirectUri);
        await allow(person.page);
        if (!script) await person.page.getByRole('button', { name: 'Continue' }).click();
        const fields = new URLSearchParams((await posted).postData() ?? '');

        assert.match(fields.get('code') ?? '', /^ac_/);
        assert.deepEqual([fields.get('state'), fields.get('iss')], ['state of the agent', issuer]);
        await person.page.getByText('The agent has its answer').waitFor();
        assert.ok(person.requested.every((url) => !url.includes('code=ac_')));
        assertQuiet(person, [issuer, redirectUri]);
        await person.close();
      });
    }
  }

  for (const hasSession of [true, false]) {
    test(`[AZ-26] a web client that opened a window gets the code from its callback page by window.opener, ${hasSession ? 'with' : 'without'} a session`, async () => {
      const username = await world.somebody();
      const person = hasSession ? await world.signedIn(username) : await world.open();
      await person.page.goto(`${hostedOrigin}/agent`);
      const [popup] = await Promise.all([
        person.page.waitForEvent('popup'),
        person.page.evaluate(
          (url) => {
            const agent = window as unknown as { popup: Window | null; told: Promise<string> };
            agent.told = new Promise((resolve) => addEventListener('message', ({ origin, data }) => origin === location.origin && resolve(data)));
            agent.popup = open(url, 'sign-in', 'popup,width=480,height=700');
          },
          world.url({ redirect_uri: `${hostedOrigin}/cb` }),
        ),
      ]);

      if (!hasSession) await signIn(popup, username, password);
      assert.equal(await person.page.evaluate(() => (window as unknown as { popup: Window }).popup.closed), false);
      await allow(popup);
      await popup.getByText('The agent has its answer').waitFor();
      await popup.evaluate(() => opener.postMessage(new URLSearchParams(location.search).get('code'), location.origin));

      assert.match(await person.page.evaluate(() => (window as unknown as { told: Promise<string> }).told), /^ac_[A-Za-z0-9_-]{40,}$/);
      await person.close();
    });
  }

  for (const { name, redirectUri, arrives } of ways) {
    for (const script of [true, false]) {
      test(`[CON-08] [CON-09] [AZ-27] Allow leads to ${name} with code, state and iss ${script ? 'with' : 'without'} JavaScript`, async () => {
        const username = await world.somebody();
        const person = await world.open({ script });

        await person.page.goto(world.url({ redirect_uri: redirectUri() }));
        await signIn(person.page, username, password);
        await allow(person.page);
        const arrived = new URL(await person.sentTo(arrives));

        assert.match(arrived.searchParams.get('code') ?? '', /^ac_[A-Za-z0-9_-]{40,}$/);
        assert.equal(arrived.searchParams.get('state'), 'state of the agent');
        assert.equal(arrived.searchParams.get('iss'), issuer);
        assert.equal(await isRedeemable(arrived, redirectUri()), true);
        assertQuiet(person, [issuer, hostedOrigin, world.callbacks.loopback, 'cursor:', 'vscode:']);
        await person.close();
      });

      test(`[AZ-32] [CON-08] Deny leads to ${name} with access_denied and no code ${script ? 'with' : 'without'} JavaScript`, async () => {
        const username = await world.somebody();
        const person = await world.open({ script });

        await person.page.goto(world.url({ redirect_uri: redirectUri() }));
        await signIn(person.page, username, password);
        await deny(person.page);
        const arrived = new URL(await person.sentTo(arrives));

        assert.equal(arrived.searchParams.get('error'), 'access_denied');
        assert.equal(arrived.searchParams.get('state'), 'state of the agent');
        assert.equal(arrived.searchParams.get('iss'), issuer);
        assert.equal(arrived.searchParams.has('code'), false);
        assertQuiet(person, [issuer, hostedOrigin, world.callbacks.loopback, 'cursor:', 'vscode:']);
        await person.close();
      });
    }
  }

  /** The code is spent on the address it was sent to first, whatever the browser made of it after. */
  async function isRedeemable(arrived: URL, redirectUri: string): Promise<boolean> {
    const { access_token } = await world.redeem(new URL(redirectUri + arrived.search), world.approved.id);
    return world.isActive(access_token);
  }

  test('[AZ-27] [AZ-28] every step after a form is a 303, and nothing on the way may be kept or named to others', async () => {
    const username = await world.somebody();
    const person = await world.open();
    const seen: { step: string; status: number; cache?: string; referrer?: string }[] = [];
    person.page.on('response', (response) => {
      if (!response.url().startsWith(issuer) || response.request().resourceType() !== 'document') return;
      const headers = response.headers();
      const step = `${response.request().method()} ${new URL(response.url()).pathname}`;
      seen.push({ step, status: response.status(), cache: headers['cache-control'], referrer: headers['referrer-policy'] });
    });

    await person.page.goto(world.url({ redirect_uri: `${hostedOrigin}/cb` }));
    await signIn(person.page, username, password);
    await allow(person.page);
    await person.page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();

    const steps = seen.map(({ step, status }) => `${status} ${step}`);
    assert.deepEqual(steps, ['200 GET /authorize', '303 POST /login', '200 GET /authorize/consent', '303 POST /consent', '200 GET /authorize/return']);
    for (const { cache, referrer } of seen) assert.deepEqual([cache, referrer], ['no-store', 'no-referrer']);
    await person.close();
  });

  test('[CON-09] the page before an app says where it goes and keeps a link for browsers that stay', async () => {
    const { page, ...person } = await atReturnPage(cursorScheme);

    const link = page.getByRole('link', { name: 'Continue to Claude Code' });

    assert.equal(await heading(page), 'Taking you back to Claude Code');
    assert.match((await link.getAttribute('href')) ?? '', /^cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?code=ac_/);
    await person.close();
  });

  test('[AZ-28] the agent is told no referrer, and its program really is called', async () => {
    const { page, ...person } = await atReturnPage(`${hostedOrigin}/cb`, 'a state of its own');
    await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();

    const calls = world.callbacks.received.filter(({ url }) => url.searchParams.get('state') === 'a state of its own');
    const [call] = calls;

    assert.equal(calls.length, 1);
    assert.equal(call?.url.pathname, '/cb');
    assert.equal(call?.referrer, undefined);
    assert.equal(new URL(page.url()).search, call?.url.search);
    await person.close();
  });

  async function atReturnPage(redirectUri: string, state = 'xyz'): Promise<Person> {
    const person = await world.signedIn(await world.somebody());
    await person.page.goto(world.url({ redirect_uri: redirectUri, state }));
    await allow(person.page);
    await person.sentTo(new RegExp(`^${redirectUri.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
    return person;
  }

  test('[LOG-09] the watch over the content policy sees a violation when there is one', async () => {
    const person = await openPerson(world.browser);
    await person.page.goto(`${issuer}/login`);

    await person.page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "taken over"';
      document.head.append(script);
    });

    assert.equal(person.complaints.length, 1);
    assert.notEqual(await person.page.title(), 'taken over');
    await person.close();
  });
});
