/**
 * What a person does about their agents: pause and resume, one and all, reduce, disconnect all; and what a paused agent gets at the front door.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import { type Browser, type Page, signInAndDecide } from '../browser.ts';
import { form, pkce } from '../harness.ts';
import { answerOf, password, type Stage, stage, webRedirect } from './authorize-stage.ts';

const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
const csrfOf = (page: Page) => page.forms.flatMap(({ fields }) => fields).find(({ name }) => name === 'csrf')?.value ?? '';

/** Presses the button of the form that posts to `action`. */
function press(browser: Browser, page: Page, action: string): Promise<Page> {
  const forms = page.forms.filter((each) => each.action.endsWith(action));
  assert.ok(forms.length > 0, `no form to ${action} on "${page.title}"`);
  return browser.submit({ ...page, forms });
}

/** Somebody new with an agent that may read and write. */
async function connected(on: Stage, username: string): Promise<{ browser: Browser; userId: string; grantId: string }> {
  const user = await on.addUser({ username, password });
  const browser = on.browser();
  const back = await signInAndDecide(on.url({ scope: 'files:read files:write' }), { username, password, decision: 'allow' }, { browser });
  const { code = '' } = answerOf(back);
  await on.request('/token', form({ grant_type: 'authorization_code', client_id: on.client.id, code, code_verifier: pkce.verifier }));
  const [grant] = await on.store.listGrants({ userId: user.id }, on.clock.now());
  return { browser, userId: user.id, grantId: grant?.id ?? '' };
}

describe('the agents of a person', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());
  const stands = async (grantId: string) => (await on.store.standing({ grantId, jti: 'j', now: on.clock.now() }))?.active;

  test('[ACC-01] one is paused and resumed from its card, which says so, and what was allowed is kept', async () => {
    const { browser, grantId } = await connected(on, 'paula');

    const paused = await press(browser, await browser.open('/account/agents'), '/pause');
    assert.match(paused.html, /<dt>From<\/dt><dd><bdi>[^<]+<\/bdi> <bdi>203\.0\.113\.7<\/bdi>/);
    assert.match(paused.html, /Paused\. Claude Code cannot act until you resume it/);
    assert.match(paused.html, /What you allowed is kept/);
    assert.equal(await stands(grantId), false);
    const resumed = await press(browser, paused, '/resume');
    assert.match(resumed.html, /Claude Code can act for you/);
    assert.equal(await stands(grantId), true);
    assert.doesNotMatch(resumed.html, /What you allowed is kept/);
  });

  test('[ACC-01] all are paused by one switch, which holds for what comes after, too', async () => {
    const { browser, userId, grantId } = await connected(on, 'alan');

    const paused = await press(browser, await browser.open('/account/agents'), '/pause-all');
    assert.match(paused.html, /All agents are paused\./);
    assert.equal(await stands(grantId), false);
    const door = await browser.open(on.dynamicUrl());
    assert.match(door.html, /You paused all agents/);
    const resumed = await browser.submit(door, {}, 'resume');
    assert.match(resumed.title, /^Allow/);
    assert.equal(await stands(grantId), true);
    assert.equal((await on.store.findUser(userId))?.agentsPausedAt, undefined);
    assert.equal((await on.store.listEvents({ userId, type: 'grant.resumed', limit: 9 })).length, 1);
  });

  test('[ACC-01] a paused agent that asks again is shown to its person: keeping it paused is a no, resuming goes on to the question', async () => {
    const { browser, grantId } = await connected(on, 'kim');
    await press(browser, await browser.open('/account/agents'), '/pause');

    const page = await browser.open(on.url({ scope: 'files:read files:write files:delete' }));
    assert.match(page.title, /^Claude Code is paused/);
    const kept = await browser.submit(page, {}, 'deny');
    assert.deepEqual([answerOf(kept.refresh)['error'], await stands(grantId)], ['access_denied', false]);

    const again = await browser.open(on.url({ scope: 'files:read files:write files:delete' }));
    const resumed = await browser.submit(again, {}, 'resume');
    assert.match(resumed.title, /asks for more/);
    assert.equal(await stands(grantId), true);
  });

  test('[ACC-01] yes from a page of before the pause is asked again, and prompt=none is told to ask', async () => {
    const { browser, userId } = await connected(on, 'pia');
    const before = await browser.open(on.url({ scope: 'files:delete' }));
    await press(browser, await browser.open('/account/agents'), '/pause');

    const stopped = await browser.submit(before, {}, 'allow');
    assert.match(stopped.title, /^Claude Code is paused/);
    const silent = await browser.open(on.url({ prompt: 'none' }));
    assert.equal(answerOf(silent.url)['error'], 'interaction_required');
    assert.equal((await on.store.listGrants({ userId }, on.clock.now())).length, 1);
  });

  test('[ACC-01] what an operator has stopped nobody resumes, by page or by hand', async () => {
    const { browser, userId, grantId } = await connected(on, 'hal');
    const event = () => auditEvent('grant.paused', on.clock.now(), 'cli');
    await on.store.placeHold({ id: 'inc_hal', userId, createdAt: on.clock.now() }, event());
    const list = await browser.open('/account/agents');
    assert.match(list.html, /Stopped by Auth-Agent/);
    assert.equal(
      list.forms.some(({ action }) => /\/(pause|resume)$/.test(action)),
      false,
    );
    await on.request('/account/agents/resume', form({ csrf: csrfOf(list), grant: grantId }, { Cookie: cookieOf(browser) }));

    const door = await browser.open(on.url());
    assert.match(door.html, /has stopped/);
    const tx = new URL(door.url).searchParams.get('tx') ?? '';
    for (const decision of ['resume', 'allow']) await on.request('/consent', form({ tx, csrf: csrfOf(door), decision }, { Cookie: cookieOf(browser) }));
    assert.equal(await stands(grantId), false);
    const back = await browser.submit(door, {}, 'deny');
    assert.equal(answerOf(back.refresh)['error'], 'access_denied');
    await on.store.liftHold('inc_hal', event());
    assert.equal(await stands(grantId), true);
  });

  test('[LOG-02] none of this happens without the form of this session, nor to anybody else’s agents', async () => {
    const theirs = await connected(on, 'mia');
    const { browser } = await connected(on, 'max');
    const csrf = csrfOf(await browser.open('/account/agents'));
    const paths = ['disconnect', 'pause', 'resume', 'pause-all', 'resume-all', 'disconnect-all', 'reduce'].map((each) => `/account/agents/${each}`);
    const post = (path: string, values: Record<string, string>, cookie: string) =>
      on.request(path, form({ grant: theirs.grantId, ...values }, { Cookie: cookie }));

    for (const path of paths) {
      assert.equal((await post(path, { csrf: 'A'.repeat(43) }, cookieOf(browser))).status, 403, path);
      assert.equal((await post(path, { csrf }, cookieOf(theirs.browser))).status, 403, path);
      assert.match((await post(path, { csrf }, '')).headers.get('location') ?? '', /^\/login/, path);
      await post(path, { csrf }, cookieOf(browser));
    }
    assert.deepEqual([await stands(theirs.grantId), (await on.store.findGrant(theirs.grantId))?.scope], [true, ['files:read', 'files:write']]);
  });

  test('[ACC-02] a part is taken back: what is unticked is gone, the end is sooner, and the page refuses to take all or nothing', async () => {
    const { browser, grantId } = await connected(on, 'rita');
    const page = await browser.open(`/account/agents/reduce?grant=${grantId}`);

    assert.match((await browser.submit(page, {})).html, /Nothing is changed yet/);
    assert.match((await browser.submit(page, { scope: [] })).html, /Leave at least one tick/);
    const csrf = csrfOf(page);
    const response = await on.request('/account/agents/reduce', {
      ...form({ csrf, grant: grantId, scope: 'files:read', until: '8_hours' }, { Cookie: cookieOf(browser) }),
    });
    assert.equal(response.headers.get('location'), `/account/agents?done=${grantId}&did=reduced`);
    const grant = await on.store.findGrant(grantId);
    assert.deepEqual([grant?.scope, grant?.expiresAt], [['files:read'], on.clock.now() + 8 * 3600]);
    const list = await browser.open(response.headers.get('location') ?? '');
    assert.match(list.html, /Reduced\. Claude Code has only what you left it/);
    assert.doesNotMatch(list.html, /files:write/);
    const sooner = await browser.open(`/account/agents/reduce?grant=${grantId}`);
    assert.doesNotMatch(sooner.html, /30 days|For 8 hours/);
  });

  test('[ACC-02] after that the agent may ask for it again, as something new', async () => {
    const { browser, grantId } = await connected(on, 'nina');
    const page = await browser.open(`/account/agents/reduce?grant=${grantId}`);
    await browser.submit(page, { scope: ['files:read'] });

    const more = await browser.open(on.url({ scope: 'files:read files:write' }));
    assert.match(more.title, /asks for more/);
  });

  test('[ACC-02] whatever is sent to the form, nothing is ever given', async () => {
    const { browser, userId, grantId } = await connected(on, 'fred');
    const csrf = csrfOf(await browser.open(`/account/agents/reduce?grant=${grantId}`));
    const words = fc.constantFrom('files:read', 'files:write', 'files:delete', 'openid', '*', '', grantId, 'grant_other', '30_days', '1_hour', 'once', '-1');
    const given = fc.array(fc.tuple(fc.constantFrom('scope', 'until', 'grant', 'remove'), fc.oneof(words, fc.string())), { maxLength: 6 });

    await fc.assert(
      fc.asyncProperty(given, async (pairs) => {
        const body = new URLSearchParams([['csrf', csrf], ...pairs]).toString();
        const before = await on.store.listGrants({ userId }, on.clock.now());
        const answer = await on.request('/account/agents/reduce', {
          method: 'POST',
          body,
          headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: cookieOf(browser) },
        });
        assert.ok([303, 400].includes(answer.status), String(answer.status));
        for (const grant of await on.store.listGrants({ userId }, on.clock.now())) {
          const was = before.find(({ id }) => id === grant.id);
          assert.ok(grant.scope.every((name) => was?.scope.includes(name)));
          assert.ok((grant.expiresAt ?? Infinity) <= (was?.expiresAt ?? Infinity));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('[CON-07] everything is disconnected after a question', async () => {
    const { browser, userId } = await connected(on, 'dora');
    await signInAndDecide(on.dynamicUrl(), { username: 'dora', password, decision: 'allow' }, { browser });

    const question = await browser.open('/account/agents/disconnect-all');
    assert.match(question.html, /2 agents lose access at once/);
    const done = await press(browser, question, '/disconnect-all');
    assert.match(done.html, /All agents are disconnected/);
    assert.match(done.html, /No agents can act for you/);
    assert.deepEqual(await on.store.listGrants({ userId }, on.clock.now()), []);
  });

  test('many agents are chosen from by server and by disuse', async () => {
    const { browser, grantId } = await connected(on, 'mary');
    const other = await on.addServer({ resource: 'https://notes.example.com/mcp', name: 'Notes', scopes: [{ name: 'notes:read' }] });
    for (const name of ['One', 'Two', 'Three']) {
      const { id } = await on.addClient({ metadata: { clientName: `Agent ${name}`, redirectUris: [webRedirect] } });
      const url = on.url({ client_id: id, redirect_uri: webRedirect, resource: other.resource, scope: 'notes:read' });
      const { code = '' } = answerOf(await signInAndDecide(url, { username: 'mary', password, decision: 'allow' }, { browser }));
      await on.request('/token', form({ grant_type: 'authorization_code', client_id: id, code, code_verifier: pkce.verifier }));
    }

    const notes = await browser.open(`/account/agents?server=${encodeURIComponent(other.resource)}`);
    assert.deepEqual([/Agent Two/.test(notes.html), /Claude Code/.test(notes.html)], [true, false]);
    assert.match((await browser.open('/account/agents?unused=1')).html, /No agent fits/);
    on.clock.advance(15 * 86_400);
    await browser.submit(await browser.open('/login'), { username: 'mary', password });
    await on.store.recordUse({ grants: new Map([[grantId, on.clock.now()]]), keys: new Map(), clients: new Map() });
    const unused = await browser.open('/account/agents?unused=1');
    assert.deepEqual([/Agent Two/.test(unused.html), /Claude Code/.test(unused.html)], [true, false]);
  });
});
