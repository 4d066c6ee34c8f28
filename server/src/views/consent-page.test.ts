import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConsentPageValues, consentPage } from './consent-page.ts';
import type { PageFrame } from './layout.ts';
import { stylesheet } from './stylesheet.ts';
import { wordsFor } from './words.ts';

const page: PageFrame = { ...wordsFor('en'), serviceName: 'ACME', host: 'auth.example.com', requestId: 'req_1', base: '' };
const values: ConsentPageValues = {
  tx: 'tx_1',
  csrf: 'token',
  client: { name: 'Claude Code', tier: 'document', host: 'claude.ai' },
  user: { name: 'Ada', email: 'ada@acme.test' },
  server: { name: 'My File Server', host: 'your-mcp-server.com', resource: 'https://your-mcp-server.com' },
  redirectUri: 'http://localhost:3000/callback',
  scopes: [{ name: 'files:read' }, { name: 'files:write', optional: true }],
  offline: true,
  lasts: { unused: 30, most: 90 },
  technical: {
    clientId: 'https://claude.ai/client.json',
    redirectUri: 'http://localhost:3000/callback',
    scope: 'files:read files:write',
    resource: 'https://your-mcp-server.com',
    codeChallengeMethod: 'S256',
    responseMode: 'query',
  },
};
const render = (changes: Partial<ConsentPageValues> = {}) => consentPage(page, { ...values, ...changes });
/** What a reader sees: no tags, entities resolved. */
const text = (html: string) =>
  html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, ' ');
/** The same with everything folded away left out. */
const unfolded = (html: string) => text(html.replace(/<details class="(?:group|before)[\s\S]*?<\/details>/g, ''));

test('[CON-01] the page says who asks, for what, where it returns, how long and as whom', () => {
  const shown = text(render());

  for (const part of [
    'Allow “ Claude Code ” to act for you on “ My File Server ”?',
    'publishes this app and calls it “ Claude Code ”',
    'your-mcp-server.com',
    'a program on this computer ( localhost:3000 )',
    'http://localhost:3000/callback',
    'View files',
    'files:write',
    'Until you disconnect it, or it is unused for 30 days; 90 days at most',
    'Signed in as ada@acme.test',
    'Switch account',
    'https://claude.ai/client.json',
  ]) {
    assert.ok(shown.includes(part), part);
  }
  assert.match(render({ tx: 'a&b' }), /href="\/login\?tx=a%26b&amp;switch=1"/);
});

test('[CON-01] without a refresh token the page says that access ends by itself', () => {
  const shown = text(render({ offline: false }));

  assert.ok(shown.includes('Up to one hour. It cannot renew its access without you.'));
  assert.ok(!shown.includes('Until you disconnect it'));
});

test('[CIMD-15] the publishing domain is printed bigger than the name the app chose', () => {
  const size = (selector: string) => Number(new RegExp(`${selector} \\{[^}]*font-size: ([\\d.]+)rem`).exec(stylesheet)?.[1]);

  assert.match(render(), /<strong class="proof"><bdi>claude\.ai<\/bdi><\/strong> publishes this app and calls it “<bdi class="name">Claude Code<\/bdi>”/);
  assert.ok(size('\\.tier-document \\.proof, \\.tier-dynamic \\.proof') > size('h1'));
});

test('[CIMD-15] an https return address outside the publishing domain carries the warning', () => {
  assert.ok(text(render({ redirectUri: 'https://evil.example/cb' })).includes('Returns to evil.example, which is not claude.ai.'));
  assert.ok(!text(render({ redirectUri: 'https://claude.ai/cb' })).includes('which is not'));
});

test('[CIMD-15] a client with nothing but loopback addresses gets one warning more', () => {
  const extra = 'we cannot tell it from another program that uses its description';

  assert.ok(text(render({ client: { ...values.client, everyRedirectLoopback: true } })).includes(extra));
  assert.ok(!text(render()).includes(extra));
});

test('[CON-02] loopback and custom schemes put the notice beside the buttons, https does not', () => {
  const notice =
    'Any program on this computer could be asking. Only allow this if you just started it yourself on this computer. If a message or a website told you to, choose Deny.';

  for (const redirectUri of ['http://127.0.0.1:1/cb', 'cursor://x/cb']) assert.ok(text(render({ redirectUri })).includes(notice), redirectUri);
  assert.ok(!text(render({ redirectUri: 'https://claude.ai/cb' })).includes('Any program'));
});

test('[CON-05] [CON-10] Deny is the first submit button and the twin of Allow, and nothing is focused for the person', () => {
  for (const html of [render(), render({ newScopes: ['files:write'] }), render({ reconnect: true })]) {
    const form = /<form[\s\S]*?<\/form>/.exec(html)?.[0] ?? '';
    const buttons = [...form.matchAll(/<button[^>]*>/g)].map(([tag]) => tag);

    assert.equal(html.match(/<form/g)?.length, 1);
    assert.deepEqual(
      buttons.map((tag) => / value="(\w+)"/.exec(tag)?.[1]),
      ['deny', 'allow'],
    );
    assert.deepEqual(
      buttons.map((tag) => / class="([^"]*)"/.exec(tag)?.[1]),
      ['button even', 'button even'],
    );
    assert.match(buttons[1] ?? '', /data-guard/);
    assert.doesNotMatch(html, /autofocus/);
  }
});

test('[CON-05] the form carries transaction, form token and unticked optional scopes, and nothing of the request that could be changed', () => {
  const names = [...render().matchAll(/<(?:input|button)[^>]* name="(\w+)"/g)].map((match) => match[1]);

  assert.deepEqual(names, ['tx', 'csrf', 'scope', 'decision', 'decision']);
  assert.match(render(), /<input type="checkbox" name="scope" value="files:write" aria-describedby="scope-change">/);
});

test('[CON-01] what can change, delete or administer is never folded away, however long the list', () => {
  const scopes = ['openid', 'profile', 'a:read', 'b:read', 'a:write', 'b:write', 'a:delete', 'b:delete', 'admin:all', 'warp:engage'].map((name) => ({ name }));

  const html = render({ scopes });

  for (const name of ['a:write', 'b:write', 'a:delete', 'b:delete', 'admin:all', 'warp:engage']) assert.ok(unfolded(html).includes(` ${name} `), name);
  assert.ok(text(html).includes('See (2)') && text(html).includes('a:read'), 'what is folded says how much it holds');
});

test('[CON-01] a choice is never folded away', () => {
  const scopes = ['a:read', 'b:read', 'c:read', 'd:read'].map((name) => ({ name, optional: name === 'd:read' }));

  assert.ok(unfolded(render({ scopes })).includes('d:read'));
});

test('[CON-01] scopes the server does not offer are listed, not hidden', () => {
  const shown = text(render({ scopes: [{ name: 'files:read' }, { name: 'teleport:anything', offered: false }] }));

  assert.match(shown, /Not offered by this server \(ignored\) teleport:anything/);
});

test('[CON-03] a step-up marks only the addition as new, keeps the harmful old in sight, and says that Deny changes nothing', () => {
  const html = render({ scopes: [{ name: 'files:read' }, { name: 'db:write' }, { name: 'files:delete' }], newScopes: ['files:delete'] });
  const shown = text(html);

  assert.ok(shown.includes('“ Claude Code ” asks for more on “ My File Server ”'));
  assert.match(html, /Delete files <span class="tag">New<\/span>/);
  assert.equal(html.match(/>New</g)?.length, 1);
  assert.ok(unfolded(html).includes('Create and change db Already allowed'));
  assert.ok(shown.includes('Already allowed (1)') && !unfolded(html).includes('View files'));
  assert.ok(shown.includes('the access it already has stays unchanged'));
  assert.ok(shown.includes('Keep as it is') && shown.includes('Allow the addition'));
});

test('a reconnect says that nothing new is requested and offers no choices', () => {
  const html = render({ reconnect: true });

  assert.ok(text(html).includes('Reconnect “ Claude Code ”?') && text(html).includes('Nothing new is requested.'));
  assert.doesNotMatch(html, /type="checkbox"/);
});

test('an app that wants nothing but the identity is told so', () => {
  assert.ok(text(render({ scopes: [{ name: 'offline_access' }], offline: false })).includes('Only to know who you are.'));
});

test('details for developers name a prompt only where one was asked for: "none" is a value of its own', () => {
  const withPrompt = render({ technical: { ...values.technical, prompt: 'consent' } });

  assert.match(withPrompt, /<dt><code>prompt<\/code><\/dt><dd><code>consent<\/code><\/dd>/);
  assert.doesNotMatch(render(), /<code>prompt<\/code>/);
});
