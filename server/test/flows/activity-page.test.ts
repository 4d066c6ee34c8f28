/**
 * What people see of what their agents did, what they do about it, and that a refused call is the reason a step-up names.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, type Page, signInAndDecide } from '../browser.ts';
import { form, pkce } from '../harness.ts';
import { answerOf, password, type Stage, stage } from './authorize-stage.ts';

async function connected(on: Stage, username: string): Promise<{ browser: Browser; userId: string; grantId: string }> {
  const user = await on.addUser({ username, password });
  const browser = on.browser();
  const back = await signInAndDecide(on.url({ scope: 'files:read' }), { username, password, decision: 'allow' }, { browser });
  const { code = '' } = answerOf(back);
  await on.request('/token', form({ grant_type: 'authorization_code', client_id: on.client.id, code, code_verifier: pkce.verifier }));
  const [grant] = await on.store.listGrants({ userId: user.id }, on.clock.now());
  return { browser, userId: user.id, grantId: grant?.id ?? '' };
}

function press(browser: Browser, page: Page, action: string): Promise<Page> {
  return browser.submit({ ...page, forms: page.forms.filter((each) => each.action.endsWith(action)) });
}

const cookieOf = (browser: Browser) => [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');

describe('what agents did', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
  });
  after(() => on.close());
  const acted = async (grantId: string, action: string, refused?: string) => {
    const reported = { action, outcome: refused ? ('refused' as const) : ('allowed' as const), missing: refused ? [refused] : [], times: 1 };
    on.context.activity.add({ serverId: 'srv', grantId }, reported, on.clock.now());
    await on.context.activity.flush();
  };

  test('[ACT-04] calls are told in runs with their results, and what happened to the access between them', async () => {
    const { browser, grantId } = await connected(on, 'rita');
    await acted(grantId, 'read_file');
    on.clock.advance(20 * 60);
    await acted(grantId, 'read_file');
    await acted(grantId, '<b>create</b>', 'files:write');
    on.clock.advance(31 * 60);
    await acted(grantId, 'list_files');

    const { html } = await browser.open('/account/activity');

    assert.equal(html.match(/This wasn’t me/g)?.length, 2);
    assert.match(html, /3 actions/);
    assert.match(html, /read_file<\/bdi><\/code> <span class="muted">×2<\/span> · allowed/);
    assert.match(html, /&lt;b&gt;create&lt;\/b&gt;<\/bdi><\/code> · refused, needs <code><bdi>files:write/);
    assert.match(html, /Allowed by you/);
    assert.match((await browser.open('/account/agents')).html, /4 actions, 1 refused/);
    const refused = (await browser.open('/account/activity?result=refused')).html;
    assert.ok(refused.includes('create') && !refused.includes('list_files') && !refused.includes('Allowed by you'));
    assert.ok(!(await browser.open('/account/activity?day=2020-01-01')).html.includes('read_file'));
    assert.ok((await browser.open(`/account/activity?agent=${grantId}`)).html.includes('list_files'));
  });

  test('[ACT-04] the same goes as CSV, where no name becomes a formula, and as JSON; nobody else sees it', async () => {
    const { browser, grantId } = await connected(on, 'carl');
    const other = await connected(on, 'olga');
    await acted(grantId, '=HYPERLINK("x")');
    const get = (path: string, who: Browser) => on.request(path, { headers: { Cookie: cookieOf(who) } });

    const table = await get('/account/activity.csv', browser);
    const rows = (await (await get('/account/activity.json', browser)).json()) as { action: string }[];

    assert.match(table.headers.get('content-type') ?? '', /^text\/csv/);
    assert.match(await table.text(), /"'=HYPERLINK\(""x""\)"/);
    assert.deepEqual(
      rows.map(({ action }) => action),
      ['=HYPERLINK("x")'],
    );
    assert.deepEqual(await (await get('/account/activity.json', other.browser)).json(), []);
    assert.ok(!(await get(`/account/activity?agent=${grantId}`, other.browser).then((response) => response.text())).includes('HYPERLINK'));
    for (const path of ['/account/activity', '/account/activity.csv', '/account/activity.json']) assert.equal((await on.request(path)).status, 303);
  });

  test('[ACT-05] "This wasn’t me" stops the agent at once and says what else to do', async () => {
    const { browser, grantId } = await connected(on, 'nora');
    await acted(grantId, 'delete_all');

    const after = await press(browser, await browser.open('/account/activity'), '/not-me');

    assert.match(after.html, /is paused\./);
    assert.match(after.html, /Change your password/);
    assert.equal((await on.store.standing({ grantId, jti: 'j', now: on.clock.now() }))?.active, false);
    const forged = await on.request('/account/activity/not-me', { ...form({ grant: grantId, csrf: 'x' }, { Cookie: cookieOf(browser) }) });
    assert.equal(forged.status, 403);
  });

  test('[ACT-06] a step-up says which call was refused, for ten minutes and for the scope that is asked', async () => {
    const { browser, grantId } = await connected(on, 'stef');
    await acted(grantId, 'create_file', 'files:write');
    on.clock.advance(12);

    const more = on.url({ scope: 'files:read files:write' });
    assert.match((await browser.open(more)).html, /12 seconds ago it tried <code><bdi>create_file/);
    assert.doesNotMatch((await browser.open(on.url({ scope: 'files:read files:delete' }))).html, /create_file/);
    on.clock.advance(600);
    assert.doesNotMatch((await browser.open(more)).html, /create_file/);
  });
});
