/**
 * Receipts: word for word what a person saw when they said yes, for them alone, for ever the same.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { auditEvent } from '../../src/audit/event.ts';
import { pageWords } from '../../src/authorize/page-words.ts';
import { signInAndDecide } from '../browser.ts';
import { password, type Stage, stage } from './authorize-stage.ts';

const wordsOf = (words: readonly { text: string }[]) => words.map(({ text }) => text).filter((text) => !text.startsWith('req_'));

describe('a receipt', () => {
  let on: Stage;
  before(async () => {
    on = await stage();
    await on.store.updateServer(
      {
        ...on.mcp,
        scopes: [
          { name: 'files:read', description: 'Read "all" <your> files & folders' },
          { name: 'files:write', optional: true },
        ],
      },
      auditEvent('server.updated', on.clock.now(), 'test'),
    );
  });
  after(() => on.close());

  test('[ACC-03] says all that stood on the page, which boxes were ticked and which length was chosen', async () => {
    const browser = await on.signedIn();
    const asked = await browser.open(on.url({ scope: 'files:read files:write' }));
    await browser.submit(asked, { scope: [], duration: '8_hours' }, 'allow');
    const [grant] = await on.store.listGrants({ userId: on.user.id }, on.clock.now());

    const page = await browser.open(`/account/agents/${grant?.id}/receipt`);
    // The page and the answer are two requests.
    const shown = wordsOf(pageWords(asked.html));
    assert.ok(shown.length > 15);
    for (const text of shown) {
      const escaped = text.replace(/[&<>"']/g, (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[letter] ?? '');
      assert.ok(page.html.includes(escaped), text);
    }
    assert.match(page.html, /files:write <span>not allowed</);
    assert.match(page.html, /8 hours <span>allowed</);
    assert.match(page.html, /<p>30 days<\/p>/);
    const data = await on.request(`/account/agents/${grant?.id}/receipt.json`, {
      headers: { Cookie: [...browser.cookies].map((pair) => pair.join('=')).join('; ') },
    });
    assert.equal(data.headers.get('content-disposition'), `attachment; filename="${grant?.id}.json"`);
    const { v, words } = (await data.json()) as { v: number; words: { text: string }[] };
    assert.deepEqual([v, wordsOf(words)], [2, shown]);
  });

  test('[ACC-03] is the same after the agent, the server and the person are called otherwise, and after the agent is gone', async () => {
    const browser = await on.signedIn();
    await signInAndDecide(on.dynamicUrl(), { username: 'ada', password, decision: 'allow' }, { browser });
    const [grant] = await on.store.listGrants({ clientId: on.dynamic.id }, on.clock.now());
    const before = (await browser.open(`/account/agents/${grant?.id}/receipt`)).html;

    on.clock.advance(3600);
    await on.store.updateServer({ ...on.mcp, name: 'Another name', scopes: [] }, auditEvent('server.updated', on.clock.now(), 'test'));
    await on.store.removeClient(on.dynamic.id, auditEvent('client.removed', on.clock.now(), 'test'));
    assert.equal((await browser.open(`/account/agents/${grant?.id}/receipt`)).html, before);
  });

  test('[ACC-03] is nobody else’s: another person finds nothing, a stranger signs in first', async () => {
    const [grant] = await on.store.listGrants({ userId: on.user.id }, on.clock.now());
    await on.addUser({ username: 'eve', password });
    const eve = on.browser();
    await eve.submit(await eve.open('/login'), { username: 'eve', password });

    for (const path of ['receipt', 'receipt.json']) {
      assert.equal((await eve.open(`/account/agents/${grant?.id}/${path}`)).status, 404);
      assert.equal((await eve.open(`/account/agents/grant_nothing/${path}`)).status, 404);
      assert.equal(new URL((await on.browser().open(`/account/agents/${grant?.id}/${path}`)).url).pathname, '/login');
    }
  });
});
