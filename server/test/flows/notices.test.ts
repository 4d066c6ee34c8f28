/**
 * Security notices: what people are told by mail about their account and their agents, when, once, and with links that lead to this server only.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeResetLink } from '../../src/account/operator-links.ts';
import type { MailSender, OutgoingMail, ServerOptions } from '../../src/options.ts';
import { type Browser, openBrowser } from '../browser.ts';
import { issuer } from '../harness.ts';
import { password, stage as peopleStage, type Stage } from './authorize-stage.ts';
import { stage as deviceStage } from './device-stage.ts';
import { stage as tokenStage } from './token-stage.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

function mailing(): { sent: OutgoingMail[]; options: Partial<ServerOptions> } {
  const sent: OutgoingMail[] = [];
  const sendMail: MailSender = async (mail) => {
    sent.push(mail);
    return 'sent';
  };
  return { sent, options: { sendMail } };
}

/** A stage whose mail is kept. `mails` sends what has gathered and hands out what is new. */
async function withMail<On extends Awaited<ReturnType<typeof tokenStage>> | Stage>(make: (options: Partial<ServerOptions>) => Promise<On>) {
  const { sent, options } = mailing();
  const on = await make(options);
  const mails = async () => {
    on.clock.advance(61);
    await on.server.maintain();
    return sent.splice(0);
  };
  return { ...on, mails };
}
type People = Awaited<ReturnType<typeof withMail<Stage>>>;

async function signedInFrom(on: People, userAgent: string, address: string): Promise<Browser> {
  const browser = openBrowser(
    (url, init) => on.request(url, { ...init, address, headers: { ...(init.headers as Record<string, string>), 'User-Agent': userAgent } }),
    issuer,
  );
  await browser.submit(await browser.open('/login'), { username: on.user.username, password });
  return browser;
}
const allow = async (browser: Browser, url: string, filled = {}) => browser.submit(await browser.open(url), filled, 'allow');

test('the first time an agent is allowed, its person gets one mail that says which, where and from where', async () => {
  const on = await withMail(peopleStage);
  const browser = await signedInFrom(on, firefox, '203.0.113.7');

  await allow(browser, on.url());

  const [mail = assert.fail(), ...others] = await on.mails();
  assert.deepEqual([mail.to, others], [on.user.email, []]);
  assert.equal(mail.subject, 'Claude Code can now act for you');
  for (const said of ['on My File Server', 'Firefox on Linux', '203.0.113.7', `${issuer}/account/agents/pause?grant=grant_`])
    assert.ok(mail.text.includes(said), said);
  await allow(browser, on.url());
  assert.deepEqual(await on.mails(), []);
});

test('the link of a notice asks before it pauses, changes nothing by being looked at, and is of use to nobody else', async () => {
  const on = await withMail(peopleStage);
  await on.addUser({ username: 'eve', password });
  const browser = await signedInFrom(on, firefox, '203.0.113.7');
  await allow(browser, on.url());
  const [mail = assert.fail()] = await on.mails();
  const link = /https:\/\/\S+pause\S+/.exec(mail.text)?.[0] ?? assert.fail(mail.text);
  const eve = on.browser();
  await eve.submit(await eve.open('/login'), { username: 'eve', password });
  const isPaused = async () => (await on.store.listAgents(on.user.id, on.clock.now())).map(({ pausedAt }) => pausedAt !== undefined);

  const stranger = on.browser();
  const signIn = await stranger.open(link);
  assert.match(signIn.url, /\/login\?to=pause&grant=grant_/);
  assert.equal((await stranger.submit(signIn, { username: on.user.username, password })).url, link);
  assert.match((await eve.open(link)).url, /\/account\/agents$/);
  const page = await browser.open(link);
  assert.match(page.title, /^Pause Claude Code\?/);
  assert.deepEqual(await isPaused(), [false]);

  await browser.submit(page, { grant: page.forms[0]?.fields.find(({ name }) => name === 'grant')?.value ?? '' });
  assert.deepEqual(await isPaused(), [true]);
  assert.match((await browser.open(link)).url, /\/account\/agents$/);
});

test('several agents within a minute are told in one mail', async () => {
  const on = await withMail(peopleStage);
  const browser = await signedInFrom(on, firefox, '203.0.113.7');

  await allow(browser, on.url());
  await allow(browser, on.dynamicUrl());

  const mails = await on.mails();
  assert.deepEqual(
    mails.map(({ subject }) => subject),
    ['2 agents can now act for you'],
  );
  assert.match(mails[0]?.text ?? '', /- Claude Code on My File Server.*\n- “Unknown Agent” \(unverified\) on My File Server/);
});

test('more to change or delete is told, more to see is not', async () => {
  const on = await withMail(peopleStage);
  await on.addServer({
    id: 'srv_b',
    resource: 'https://b.example.com',
    ownerId: on.user.id,
    scopes: [{ name: 'a:read' }, { name: 'b:read' }, { name: 'b:purge' }],
  });
  const browser = await signedInFrom(on, firefox, '203.0.113.7');
  const url = (scope: string) => on.url({ resource: 'https://b.example.com', scope });
  await allow(browser, url('a:read'));
  await on.mails();

  await allow(browser, url('a:read b:read'));
  assert.deepEqual(await on.mails(), []);
  await on.context.store.listAgents(on.user.id, on.clock.now());
  await browser.submit(await browser.open('/login?reason=confirm'), { username: on.user.username, password });
  await allow(browser, url('a:read b:purge'));
  assert.deepEqual(
    (await on.mails()).map(({ subject }) => subject),
    ['Claude Code can now do more'],
  );
});

test('who denies is told nothing, and nothing is said about a request that was answered before', async () => {
  const on = await withMail(peopleStage);
  const browser = await signedInFrom(on, firefox, '203.0.113.7');

  await browser.submit(await browser.open(on.url()), {}, 'deny');
  assert.deepEqual(await on.mails(), []);
  const page = await browser.open(on.url());
  await Promise.all([browser.submit(page, {}, 'allow'), browser.submit(page, {}, 'allow')]);
  assert.equal((await on.mails()).length, 1);
});

test('a device that is allowed is told like any agent', async () => {
  const { sent, options } = mailing();
  const on = await deviceStage(options);
  const browser = await on.signedIn();

  await on.decide(browser, (await on.codes()).user_code, 'allow');
  on.clock.advance(61);
  await on.server.maintain();

  assert.deepEqual(
    sent.map(({ subject }) => subject),
    ['Headless Agent can now act for you'],
  );
});

test('a refresh token that comes back after its grace is told once, however often it comes', async () => {
  const on = await withMail(tokenStage);
  const { refresh_token } = await on.tokens();
  await on.refresh(refresh_token);
  assert.deepEqual(await on.mails(), []);

  await Promise.all([on.refresh(refresh_token), on.refresh(refresh_token)]);
  await on.refresh(refresh_token);

  const mails = await on.mails();
  assert.deepEqual(
    mails.map(({ subject }) => subject),
    ['Access of Claude Code was ended'],
  );
  assert.match(mails[0]?.text ?? '', /used twice/);
});

test('a sign-in with another browser or from another network is told, the first one and the same again are not', async () => {
  const on = await withMail(peopleStage);
  await signedInFrom(on, firefox, '203.0.113.7');
  await signedInFrom(on, firefox.replaceAll('140.0', '141.0'), '203.0.113.99');
  assert.deepEqual(await on.mails(), []);

  await signedInFrom(on, chrome, '203.0.113.7');
  await signedInFrom(on, chrome, '203.0.113.8');
  await signedInFrom(on, firefox, '198.51.100.4');
  await signedInFrom(on, firefox, '2001:db8:1:2::3');
  await signedInFrom(on, firefox, '2001:db8:1:9::3');

  const mails = await on.mails();
  assert.deepEqual(
    mails.map(({ subject }) => subject),
    Array.from({ length: 3 }, () => 'New sign-in at Auth-Agent'),
  );
  assert.ok(mails.some(({ text }) => text.includes('Chrome on Windows') && text.includes('203.0.113.7')));
});

test('a wrong password from anywhere tells nobody anything by mail', async () => {
  const on = await withMail(peopleStage);
  await signedInFrom(on, firefox, '203.0.113.7');
  const browser = openBrowser((url, init) => on.request(url, { ...init, address: '198.51.100.4' }), issuer);

  await browser.submit(await browser.open('/login'), { username: on.user.username, password: 'wrong' });

  assert.deepEqual(await on.mails(), []);
});

test('who has no e-mail address, and a server without mail, work as before', async () => {
  const on = await withMail(peopleStage);
  await on.addUser({ username: 'bob', email: undefined, password });
  const browser = on.browser();
  await browser.submit(await browser.open('/login'), { username: 'bob', password });
  assert.ok((await allow(browser, on.url())).refresh?.includes('code='));
  assert.deepEqual(await on.mails(), []);

  const without = await peopleStage();
  assert.ok((await allow(await without.signedIn(), without.url())).refresh?.includes('code='));
  assert.deepEqual(await without.store.claimMail(without.clock.now() + 90, 10), []);
});

test('a link for a new password that an operator made is told to its person, without the link', async () => {
  const on = await withMail(peopleStage);

  const link = await makeResetLink(on.user, on.context);

  const [mail = assert.fail('nobody was told'), ...more] = await on.mails();
  assert.deepEqual([mail.to, mail.subject, more], [on.user.email, 'A link for a new password was made at Auth-Agent', []]);
  const token = new URL(link).searchParams.get('token') ?? assert.fail(link);
  assert.ok(!`${mail.text}${mail.html}`.includes(token));
  await on.close();
});
