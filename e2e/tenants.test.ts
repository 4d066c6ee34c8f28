/**
 * Tenants in Chromium: pages of two tenants and the root in one window, each in its own name and colour, which can be read whatever colour was chosen. Not here: what keeps
 * them apart (server/test/flows/isolation.test.ts).
 */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { auditEvent } from '../server/src/audit/event.ts';
import { noBrowser } from './browser.ts';
import { issuer, ownStand, type Stand } from './stand.ts';

const pictures = new URL('../out/e2e/', import.meta.url);
/** Yellow cannot be read on white, navy not on black. */
const tenants = { yellow: 'ffe600', navy: '#001040' };

describe('tenants in one window', { skip: noBrowser }, () => {
  let world: Stand;
  before(async () => {
    world = await ownStand();
    await mkdir(pictures, { recursive: true });
    for (const [tenant, accentColor] of Object.entries(tenants)) {
      await world.server.storage.addTenant({
        tenant,
        name: tenant,
        createdAt: 0,
        settings: JSON.stringify({ serviceName: `The ${tenant} company`, accentColor }),
      });
      const context = await world.server.context(tenant);
      const user = { id: `usr_${tenant}`, username: 'ada', role: 'user' as const, createdAt: 0 };
      await context?.store.addUser(user, auditEvent('user.added', world.clock.now(), 'test'));
    }
  });

  for (const scheme of ['light', 'dark'] as const) {
    test(`each has its name and colour, and whatever was chosen can be read: ${scheme}`, async () => {
      const person = await world.open({ scheme });
      const { page } = person;
      const buttons: string[] = [];
      for (const base of ['', ...Object.keys(tenants).map((tenant) => `/t/${tenant}`)]) {
        await page.goto(`${issuer}${base}/login`);
        const name = base === '' ? 'Acme sign-in' : `The ${base.slice('/t/'.length)} company`;
        assert.equal(await page.locator('.service bdi').innerText(), name);
        buttons.push(
          await page
            .locator('.button.main')
            .first()
            .evaluate((button) => getComputedStyle(button).backgroundColor),
        );
        const { violations } = await new AxeBuilder({ page }).analyze();
        assert.deepEqual(
          violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
          [],
          base,
        );
        await page.screenshot({ path: new URL(`tenant${base.replaceAll('/', '-')}-${scheme}.png`, pictures).pathname, fullPage: true });
      }
      assert.equal(new Set(buttons).size, 3, buttons.join(' '));
      assert.deepEqual(person.complaints, []);
      await person.close();
    });
  }
});
