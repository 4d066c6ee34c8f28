/**
 * A server without passwords (`signIn.password: false`): none is asked for, chosen or reset, those that are kept open nothing, and everybody still has a way in.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeInvitation, makeResetLink } from '../../src/account/operator-links.ts';
import { makeSetupLink } from '../../src/account/setup.ts';
import { waysOn } from '../../src/account/ways-in.ts';
import type { UpstreamFetch } from '../../src/options.ts';
import { startedServer } from '../harness.ts';
import { password, signInOn, stage } from './authorize-stage.ts';
import { codeIn, type MailStage, mailStage } from './mail-stage.ts';

const fetchUpstream: UpstreamFetch = async () => {
  throw new Error('nobody is there');
};

describe('without passwords, with codes by mail', () => {
  let on: MailStage;
  before(async () => {
    on = await mailStage({ password: false });
  });
  after(() => on.close());

  test('the sign-in page asks for an address alone, and its code signs in', async () => {
    const browser = on.browser();
    const page = await browser.open('/login');
    assert.ok(!page.html.includes('type="password"') && !page.html.includes('/reset'));

    const question = await browser.submit(page, { username: 'ada' }, { button: 'E-mail me a code' });
    const inside = await browser.submit(question, { code: codeIn(await on.mailTo(on.user.email ?? '')) });

    assert.equal(new URL(inside.url).pathname, '/account/agents');
  });
});
