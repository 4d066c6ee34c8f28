/**
 * Names that can be taken for another's, where a person decides and where they look at what they decided.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Stage, stage, webRedirect } from './authorize-stage.ts';

const doubt = /It uses the name of (.*?)\. Nothing shows that it comes from there\./;

describe('a name that can be taken for another’s', () => {
  let on: Stage;
  before(async () => {
    on = await stage({ serviceName: 'Auth-Agent' });
  });
  after(() => on.close());

  async function consentOf(clientName: string, redirectUri = webRedirect, registration: 'dynamic' | 'manual' = 'dynamic') {
    const id = `client_${clientName.replace(/\W/gu, '')}${redirectUri.length}${registration}`;
    await on.addClient({ id, registration, metadata: { clientName, redirectUris: [redirectUri] } });
    const browser = await on.signedIn();
    return { browser, page: await browser.open(on.url({ client_id: id, redirect_uri: redirectUri })) };
  }

  test('[CON-01] it is called out on the page of consent, with the host of whose name it is', async () => {
    for (const [name, known] of [
      ['Claude Code', 'Claude Code (claude.ai)'],
      ['ChatGРТ', 'ChatGPT (chatgpt.com)'],
      ['Cursor Official Support', 'Cursor (cursor.com)'],
    ] as const)
      assert.equal(doubt.exec((await consentOf(name)).page.html)?.[1], known, name);
  });

  test('the name of this service, and of one of its servers, is nobody else’s', async () => {
    assert.match((await consentOf('Auth-Agent support')).page.html, /as if this were Auth-Agent itself\. It is not\./);
    assert.equal(doubt.exec((await consentOf(`${on.mcp.name} Login`)).page.html)?.[1], `${on.mcp.name} (mcp.example.com)`);
  });

  test('an app that an operator registered is whom it says it is, and defends its name', async () => {
    assert.doesNotMatch((await consentOf('Claude', webRedirect, 'manual')).page.html, doubt);
    await on.addClient({ id: 'client_acme_ledger', metadata: { clientName: 'Acme Ledger' } });
    on.clock.advance(61);
    assert.match((await consentOf('Acme Ledqer')).page.html, /Name resembles Acme Ledger, but this one is not the same app\./);
  });

  test('an answer that can only go to the host of the name is no impostor’s, and an ordinary name is left alone', async () => {
    assert.doesNotMatch((await consentOf('Claude', 'https://claude.ai/api/mcp/auth_callback')).page.html, doubt);
    assert.doesNotMatch((await consentOf('Grocery List')).page.html, /uses the name|resembles|as if this were/);
  });

  test('it is still called out under connected agents', async () => {
    const { browser, page } = await consentOf('Windsurf');
    await browser.submit(page, {}, 'allow');

    assert.equal(doubt.exec((await browser.open('/account/agents')).html)?.[1], 'Windsurf (windsurf.com)');
  });
});
