/**
 * What people read when something is wrong: the situation by its name, the way out for them, what helps whoever built the agent, and nothing that a machine would
 * say. Each case is one situation; that nobody is sent anywhere is told in authorize-request.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { FetchFailure } from '../../src/clients/fetch-failure.ts';
import { form, issuer } from '../harness.ts';
import { type Stage, stage } from './authorize-stage.ts';

const browser = { Accept: 'text/html,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'none' };

describe('an error page', () => {
  let on: Stage;
  before(async () => {
    on = await stage({ fetchDocument: () => Promise.reject(new FetchFailure('status', 'not found', { status: 404 })) });
  });
  after(() => on.close());

  async function shown(
    path: string,
    init: RequestInit & { address?: string } = { headers: browser },
  ): Promise<{ status: number; html: string; headers: Headers }> {
    const response = await on.request(path, init);
    // Names and codes stand apart from the words around them; here only what they say counts.
    const html = (await response.text()).replace(/<\/?bdi>/g, '');
    return { status: response.status, html, headers: response.headers };
  }
  const heading = (html: string) => /<h1>([^<]*)<\/h1>/.exec(html)?.[1];

  test('[AZ-03] a registration that is gone: the fix for the agent that comes back to such an address, and for no other', async () => {
    const { status, html } = await shown(on.url({ client_id: 'client_gone', redirect_uri: 'cursor://anysphere.cursor-mcp/oauth/callback' }));

    assert.equal(status, 400);
    assert.equal(heading(html), 'This app&#39;s registration is no longer known here');
    assert.match(html, /<dt>Cursor<\/dt>/);
    assert.doesNotMatch(html, /<dt>Claude Code<\/dt>/);
  });

  test('[AZ-03] a registration that was removed says when, and the agent is told by its name', async () => {
    const removed = await on.addClient({ metadata: { clientName: 'Codex' } });
    await on.store.removeClient(removed.id, auditEvent('client.removed', on.clock.now(), 'test'));
    const { html } = await shown(on.url({ client_id: removed.id, redirect_uri: 'https://else.example/cb' }));

    assert.match(html, /<dt>Codex<\/dt> ?<dd>codex mcp logout/);
    assert.match(html, /<dt>removed<\/dt> <dd><code>2027-01-15T08:00:00\.000Z<\/code>/);
  });

  test('[AZ-04] a redirect URI that does not match is laid over the one that was meant, character by character', async () => {
    const { status, html } = await shown(on.url({ redirect_uri: 'http://localhost:4711/callback/' }));

    assert.equal(status, 400);
    assert.match(html, /<code dir="ltr">http:\/\/localhost:4711\/callback<mark>\/<\/mark><\/code>/);
    assert.match(html, /A slash at the end makes another address\./);
    assert.match(html, /Only on http loopback may the port differ/);
  });

  test('[AZ-04] localhost and 127.0.0.1 are said to be two hosts', async () => {
    assert.match(
      (await shown(on.url({ redirect_uri: 'http://127.0.0.1:4711/callback' }))).html,
      /localhost, 127\.0\.0\.1 and \[::1\] are three different hosts/,
    );
  });

  test('[AZ-15] an unknown resource is shown beside the registered one that differs by a slash, by http or by the path', async () => {
    for (const [resource, said] of [
      [`${on.mcp.resource}/`, 'A slash at the end'],
      [on.mcp.resource.replace('https', 'http'), 'http and https are two addresses'],
      [new URL(on.mcp.resource).origin, 'The path is part of the address'],
      [`${on.mcp.resource}/tools/list`, 'The path is part of the address'],
    ] as const) {
      const { html } = await shown(on.dynamicUrl({ resource }));
      assert.match(html, new RegExp(said), resource);
      assert.ok(html.includes(`<code>${on.mcp.resource}</code>`), resource);
    }
  });

  test('[AZ-15] an unknown resource on another host learns of none of ours', async () => {
    const { html } = await shown(on.dynamicUrl({ resource: 'https://elsewhere.example/mcp' }));

    assert.match(html, /We don&#39;t know this server/);
    assert.ok(!html.includes(on.mcp.resource));
  });

  test('[CIMD-12] a description that could not be read: why, what is read, and a command that shows the same', async () => {
    const { status, html } = await shown(on.url({ client_id: 'https://app.example/client.json' }));

    assert.equal(status, 400);
    assert.match(html, /was not answered with status 200\. The address is asked without following redirects/);
    assert.match(html, /curl -si https:\/\/app\.example\/client\.json/);
    assert.match(html, /<dt>Status<\/dt> <dd><code>404<\/code>/);
  });

  test('[LOG-02] a form without our cookie says so, and says which address the service has', async () => {
    const { status, html } = await shown(
      '/login',
      form({ csrf: 'x', username: 'ada', password: 'x' }, { Host: 'localhost:8080', Origin: 'http://localhost:8080' }),
    );

    assert.equal(status, 403);
    assert.equal(heading(html), 'This form came from another site');
    const own = await shown('/login', form({ csrf: 'x' }, { Host: 'localhost:8080', 'Sec-Fetch-Site': 'same-origin' }));
    assert.equal(own.status, 403);
    assert.equal(heading(own.html), 'Your browser didn&#39;t send our cookie');
    assert.ok(own.html.includes(`open ${issuer} in the same window`));
    assert.match(own.html, /another host than that of the issuer/);
  });

  test('[LOG-02] a form of another page or another time is told apart from a missing cookie', async () => {
    const person = on.browser();
    const page = await person.open('/login');

    const refused = await person.submit(page, { csrf: 'x', username: 'ada', password: 'x' });

    assert.equal(refused.status, 403);
    assert.match(refused.title, /^This page was no longer current/);
  });

  test('[RATE-03] whoever is too fast reads when to try again', async () => {
    const fast = () => shown(on.url(), { headers: browser, address: '198.51.100.9' });
    let last = await fast();
    for (let tries = 0; last.status !== 429 && tries < 700; tries++) last = await fast();

    assert.equal(last.status, 429);
    assert.equal(heading(last.html), 'Slow down');
    assert.match(last.html, /Wait (a|\d+) (second|minute)s?, then try again\./);
    assert.match(last.headers.get('retry-after') ?? '', /^\d+$/);
  });

  test('a person who opens the address of a machine reads a page; the machine gets JSON', async () => {
    for (const path of ['/token', '/introspect', '/register', '/api/servers', '/userinfo']) {
      const page = await shown(path);
      const machine = await shown(path, { headers: { Accept: '*/*' } });

      assert.match(page.headers.get('content-type') ?? '', /^text\/html/, path);
      assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.equal(page.headers.get('access-control-allow-origin'), null);
      assert.equal(machine.headers.get('content-type'), 'application/json', path);
      assert.equal(page.status, machine.status);
      assert.equal(JSON.parse(machine.html).error_uri, `${issuer}/docs/errors/${JSON.parse(machine.html).error}`);
    }
  });

  test('what a page says is JSON for whoever asks for JSON', async () => {
    const { status, html, headers } = await shown(on.url({ client_id: 'client_gone' }), { headers: { Accept: 'application/json' } });

    assert.equal(status, 400);
    assert.equal(headers.get('content-type'), 'application/json');
    assert.equal(JSON.parse(html).error, 'invalid_client');
  });
});
