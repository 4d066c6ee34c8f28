/**
 * Access that ends by itself: when, told once, and in the same words wherever a person reads for how long it lasts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardsOf } from '../../src/account/agent-cards.ts';
import type { OutgoingMail, ServerOptions } from '../../src/options.ts';
import { signInAndDecide } from '../browser.ts';
import { form, issuer, pkce } from '../harness.ts';
import { answerOf, password, type Stage, stage } from './authorize-stage.ts';

const DAY = 86_400;

async function mailing(options: Partial<ServerOptions> = {}) {
  const sent: OutgoingMail[] = [];
  const sendMail = async (mail: OutgoingMail) => {
    sent.push(mail);
    return 'sent' as const;
  };
  return { ...(await stage({ sendMail, ...options })), sent };
}

async function connected(on: Stage, url = on.url()) {
  const browser = on.browser();
  const back = await signInAndDecide(url, { username: on.user.username, password, decision: 'allow' }, { browser });
  const { code = '' } = answerOf(back);
  const answer = await on.request('/token', form({ grant_type: 'authorization_code', client_id: on.client.id, code, code_verifier: pkce.verifier }));
  const { refresh_token } = (await answer.json()) as { refresh_token: string };
  return { browser, refresh: () => on.request('/token', form({ grant_type: 'refresh_token', client_id: on.client.id, refresh_token })) };
}

const lapsed = ({ store }: Stage) => store.listEvents({ type: 'grant.lapsed', limit: 10 });
async function maintained(on: Stage, seconds: number) {
  on.clock.advance(seconds);
  await Promise.all([on.server.maintain(), on.server.maintain(), on.server.maintain()]);
}

test('[RT-07] access unused for the chosen time ends by itself, however many nodes sweep, and its person is told once', async () => {
  const on = await mailing({ dormantSeconds: 10 * DAY });
  const { refresh } = await connected(on);
  await maintained(on, 10 * DAY - 1);
  assert.deepEqual([await lapsed(on), (await on.store.listAgents(on.user.id, on.clock.now())).length], [[], 1]);
  on.sent.length = 0;

  await maintained(on, 1);
  await maintained(on, 61);

  assert.equal((await refresh()).status, 400);
  const [event, ...more] = await lapsed(on);
  assert.deepEqual([event?.actor, event?.userId, event?.detail, more], ['system', on.user.id, { reason: 'unused', days: 10, staysConnected: false }, []]);
  const [mail = assert.fail(), ...others] = on.sent;
  assert.deepEqual([mail.to, mail.subject, others], [on.user.email, 'Access of Claude Code has ended', []]);
  for (const said of ['Nobody used Claude Code on My File Server for 10 days', 'There is nothing to do.', 'connect it again', `${issuer}/account/agents`])
    assert.ok(mail.text.includes(said), said);
  const browser = await on.signedIn();
  assert.match((await browser.open('/account/activity')).html, /Ended by itself after 10 days unused/);
  assert.match((await browser.open('/account/agents')).html, /No agents can act for you/);
});

test('the end of a connection that another one replaced is recorded and no news', async () => {
  const on = await mailing();
  await connected(on);
  on.clock.advance(20 * DAY);
  await connected(on);
  await maintained(on, 61);
  on.sent.length = 0;

  await maintained(on, 10 * DAY);
  await maintained(on, 61);

  assert.deepEqual(
    (await lapsed(on)).map(({ detail }) => detail),
    [{ reason: 'unused', days: 30, staysConnected: true }],
  );
  assert.deepEqual(on.sent, []);
  assert.ok(!(await (await on.signedIn()).open('/account/activity')).html.includes('Ended by itself'));
});

test('[RT-07] with dormantSeconds 0 disuse ends nothing; the longest time does, and no mail says so', async () => {
  const on = await mailing({ dormantSeconds: 0 });
  await connected(on);
  await maintained(on, 61);
  on.sent.length = 0;
  await maintained(on, 90 * DAY - 62);
  assert.deepEqual(await lapsed(on), []);

  await maintained(on, 1);
  await maintained(on, 61);

  assert.deepEqual(
    (await lapsed(on)).map(({ detail }) => detail?.reason),
    ['longest'],
  );
  assert.deepEqual(on.sent, []);
  assert.match((await (await on.signedIn()).open('/account/activity')).html, /Ended by itself after 90 days, the longest possible/);
});

test('[CON-07] what a client never came for is on its card for as long as it is remembered, and ends like the longest access', async () => {
  const on = await mailing();
  const browser = await on.signedIn();
  await browser.submit(await browser.open(on.url()), {}, 'allow');
  const key = { userId: on.user.id, clientId: on.client.id, resource: on.mcp.resource };
  const shown = async () => (await cardsOf(on.user.id, on.context)).length;
  const card = (await browser.open('/account/agents')).html;
  assert.match(card, new RegExp(`<time datetime="${new Date((on.clock.now() + 90 * DAY) * 1000).toISOString()}">`));
  assert.doesNotMatch(card, /unused for/);
  await maintained(on, 90 * DAY - 1);
  assert.deepEqual([await shown(), (await on.store.allowedScopes(key, on.clock.now())).length > 0], [1, true]);

  await maintained(on, 1);

  assert.deepEqual([await shown(), await on.store.allowedScopes(key, on.clock.now())], [0, []]);
  assert.deepEqual(
    (await lapsed(on)).map(({ detail }) => detail),
    [{ reason: 'longest', days: 90, staysConnected: false }],
  );
});

test('every page says the same number of days', async () => {
  const shown = async (dormantSeconds: number) => {
    const on = await mailing({ dormantSeconds });
    const browser = await on.signedIn();
    const consent = await browser.open(on.url());
    await browser.submit(consent, {}, 'allow');
    const agents = await browser.open('/account/agents');
    const link = /href="([^"]*\/account\/agents\/reduce\?grant=[^"]+)"/.exec(agents.html)?.[1] ?? assert.fail();
    return [consent.html, agents.html, (await browser.open(link)).html];
  };

  const [consent = '', , reduce = ''] = await shown(12 * DAY);
  assert.match(consent, /Until you disconnect it, or it is unused for 12 days; 90 days at most/);
  assert.match(reduce, /As now, until/);
  const [never = ''] = await shown(0);
  assert.match(never, /Until you disconnect it, 90 days at most/);
});

test('a card says when disuse will end what it stands for', async () => {
  const on = await mailing({ dormantSeconds: 12 * DAY });
  const { browser } = await connected(on);
  assert.match((await browser.open('/account/agents')).html, /you disconnect it, or it is unused for 12 days/);

  on.clock.advance(9 * DAY);

  assert.match((await (await on.signedIn()).open('/account/agents')).html, /Unused for 9 days\. Ends in 3 days\./);
});

test('dormantSeconds is 0 or an hour to 400 days, and a server with another does not start', async () => {
  for (const dormantSeconds of [1, -1, 3599, 401 * DAY, 7200.5]) await assert.rejects(stage({ dormantSeconds }), /"dormantSeconds"/);
});

test('what ends is swept in the same round, so that the next one does not walk past it', async () => {
  const on = await mailing({ dormantSeconds: 10 * DAY });
  await connected(on);
  const families = async () => (await on.server.options.driver.read({ text: 'select count(*) as many from refresh_tokens', values: [] }))[0]?.many;
  on.clock.advance(10 * DAY - 1);
  await on.server.maintain();
  assert.equal(Number(await families()), 1);
  on.clock.advance(1);
  await on.server.maintain();

  assert.equal((await lapsed(on)).length, 1);
  assert.equal(Number(await families()), 0);
});
