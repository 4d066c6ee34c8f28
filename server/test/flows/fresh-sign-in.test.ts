/**
 * Confirming who one is before heavy decisions: scopes that delete or administer are asked for only from somebody who has just signed in.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkOptions } from '../../src/options.ts';
import type { Browser, Page } from '../browser.ts';
import { form } from '../harness.ts';
import { answerOf, loopback, password, type Stage, signInOn, stage } from './authorize-stage.ts';

const deletes = { scope: 'files:read files:delete' };
const reads = { scope: 'files:read' };

describe('a decision about what deletes or administers', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());

  const isConfirm = (page: Page) => /^Confirm it's you/.test(page.title);
  async function staleBrowser(seconds = 301): Promise<Browser> {
    const browser = await on.signedIn();
    on.clock.advance(seconds);
    return browser;
  }

  test('[LOG-20] a sign-in of five minutes ago will do, one second more will not', async () => {
    const fresh = await staleBrowser(300);
    assert.match((await fresh.open(on.url(deletes))).url, /\/authorize\/consent/);

    const page = await (await staleBrowser(301)).open(on.url(deletes));
    assert.ok(isConfirm(page), page.title);
    assert.match(page.html, /Then you decide whether .*Claude Code.* may:/);
    assert.match(page.html, /files:delete/);
    assert.doesNotMatch(page.html, /files:read/);
  });

  test('[LOG-20] after confirming the request goes on, and a fresh sign-in then lasts as long as the request', async () => {
    const browser = await staleBrowser();
    const consent = await signInOn(browser, await browser.open(on.url(deletes)));
    assert.match(consent.url, /\/authorize\/consent/);
    on.clock.advance(400);

    const answer = answerOf((await browser.submit(consent, {}, 'allow')).refresh);
    assert.ok(answer.code);
  });

  test('[LOG-20] what only reads or writes, or what the client may do already, asks for nothing', async () => {
    const { id: client_id } = await on.addClient({ id: 'client_other' });
    const browser = await staleBrowser();
    assert.match((await browser.open(on.url({ ...reads, client_id }))).url, /\/authorize\/consent/);
    const first = await signInOn(browser, await browser.open(on.url({ ...deletes, client_id })));
    await browser.submit(first, {}, 'allow');
    on.clock.advance(1000);

    const again = await browser.open(on.url({ ...deletes, client_id }));
    assert.match(again.title, /^Reconnect/);
  });

  test('[LOG-20] a decision posted past the page is held back too, and nothing is granted', async () => {
    const { id: client_id } = await on.addClient({ id: 'client_posting' });
    const browser = await staleBrowser();
    const consent = await browser.open(on.url({ ...reads, client_id }));
    const csrf = consent.forms[0]?.fields.find(({ name }) => name === 'csrf')?.value ?? '';
    const heavy = await browser.open(on.url({ ...deletes, client_id }));
    const tx = new URL(heavy.url).searchParams.get('tx') ?? '';
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const before = await on.store.listGrants({ userId: on.user.id }, on.clock.now());

    const response = await on.request('/consent', form({ tx, csrf, decision: 'allow', scope: 'files:delete' }, { Cookie: cookie }));

    assert.equal(response.status, 303);
    assert.match(response.headers.get('location') ?? '', /\/login\?tx=.*reason=confirm$/);
    assert.deepEqual(await on.store.listGrants({ userId: on.user.id }, on.clock.now()), before);
  });

  test('a silent request is refused as before, not sent to a page', async () => {
    const browser = await staleBrowser();
    const page = await browser.open(on.url({ scope: 'files:read files:write files:delete', prompt: 'none' }));

    assert.equal(answerOf(page.url).error, 'consent_required');
  });

  test('[LOG-20] the owner’s group decides, not the name', async () => {
    const server = await on.addServer({
      resource: 'https://owner.example.com',
      scopes: [
        { name: 'harmless', group: 'admin' },
        { name: 'tmp:delete', group: 'change' },
      ],
    });
    const browser = await staleBrowser();
    const asking = (scope: string) => browser.open(on.url({ resource: server.resource, scope }));

    assert.ok(isConfirm(await asking('harmless')));
    assert.match((await asking('tmp:delete')).url, /\/authorize\/consent/);
  });

  test('[LOG-20] a device that wants to delete needs the same', async () => {
    const device = await on.addClient({ id: 'client_tv', metadata: { grantTypes: ['urn:ietf:params:oauth:grant-type:device_code'], redirectUris: [] } });
    const browser = await staleBrowser();
    const begun = await on.request('/device_authorization', form({ client_id: device.id, scope: 'files:delete', resource: on.mcp.resource }));
    const { user_code } = (await begun.json()) as { user_code: string };

    const held = await browser.submit(await browser.open(`/device?user_code=${user_code}`), { user_code });
    assert.ok(isConfirm(held), held.title);
    const entry = await browser.submit(held, { username: on.user.username, password });
    const asking = await browser.submit(entry, { user_code });
    assert.match(asking.html, /files:delete/);
    assert.match((await browser.submit(asking, { user_code }, 'allow')).title, /^Connected/);
  });
});

test('operators choose the groups and the time, or none at all', async () => {
  const on = await stage({ reauthenticate: { groups: ['change'], withinSeconds: 60 } });
  const off = await stage({ reauthenticate: { groups: [] } });
  try {
    const browser = await on.signedIn();
    on.clock.advance(61);
    assert.match((await browser.open(on.url({ scope: 'files:write' }))).title, /^Confirm it's you/);
    assert.match((await browser.open(on.url(deletes))).url, /\/authorize\/consent/);
    const free = await off.signedIn();
    off.clock.advance(3600);
    assert.match((await free.open(off.url({ ...deletes, redirect_uri: loopback }))).url, /\/authorize\/consent/);
    assert.throws(() => checkOptions({ ...off.context.options, reauthenticate: { withinSeconds: 0 } }), /reauthenticate\.withinSeconds/);
  } finally {
    await Promise.all([on.close(), off.close()]);
  }
});
