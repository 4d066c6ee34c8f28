/**
 * A tool that needs more than the agent has: the example server refuses, the official client asks again, and the person who is asked reads which call it was. By hand in
 * Chromium, with and without JavaScript.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { openAgent, v2 } from '../server/test/interop/agents.ts';
import { openStand } from '../server/test/interop/stand.ts';
import { allow, heading, noBrowser, openPerson, type Person, signIn, startBrowser } from './browser.ts';

const password = 'correct horse battery staple';

describe('an agent that asks for more', { skip: noBrowser }, () => {
  async function begin(t: TestContext, script: boolean) {
    const stand = await openStand(t);
    const browser = await startBrowser({});
    t.after(() => browser.close());
    const person = await openPerson(browser, { script });
    // Where the official client waits in real life.
    await person.context.route('http://localhost:7777/**', (route) => route.fulfill({ contentType: 'text/html', body: '<h1>The agent has its answer</h1>' }));
    const { url } = await stand.files();
    return { person, url };
  }

  for (const script of [true, false]) {
    test(`[ACT-06] [CON-03] [RS-16] the page says which call was refused a moment ago, and what for, ${script ? 'with' : 'without'} JavaScript`, async (t) => {
      const { person, url } = await begin(t, script);
      const { page } = person;
      const asked: string[] = [];
      const agent = openAgent(v2, {
        url,
        async visit(authorizationUrl) {
          await page.goto(authorizationUrl.href);
          if (/^Sign in/.test(await heading(page))) await signIn(page, 'ada', password);
          await page.locator('.decide').waitFor();
          asked.push(await page.locator('main').innerText());
          return decided(person);
        },
      });
      t.after(agent.close);
      await agent.connect();

      const wrote = await agent.call('write_file', { name: 'a.txt', text: 'A' });

      assert.equal(wrote, 'Wrote a.txt');
      assert.equal(asked.length, 2);
      assert.doesNotMatch(asked[0] ?? '', /Why now/);
      assert.match(asked[1] ?? '', /asks for more on “Files”/);
      assert.match(asked[1] ?? '', /Why now\s.* it tried write_file and Files refused it, because that needs: \S/);
      assert.match(asked[1] ?? '', /files:write/);
      assert.deepEqual(person.complaints, []);
    });
  }
});

/** Allows. Resolves to the answer that the browser brought to the agent. */
async function decided({ page }: Person): Promise<URL> {
  await allow(page);
  await page.getByRole('heading', { name: 'The agent has its answer' }).waitFor();
  return new URL(page.url());
}
