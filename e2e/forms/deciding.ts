/** Forms that answer an agent or a device. */
import assert from 'node:assert/strict';
import { hostedOrigin } from '../callbacks.ts';
import { connected, grantsOf, headed, onlyGrant, paused, startingWith, stays } from './scenes.ts';
import type { FormStory } from './story.ts';

export const deciding: readonly FormStory[] = [
  {
    name: 'allow, with a box and a duration',
    button: 'form[action="/consent"] button[value=allow]',
    at: ({ world }) => world.url({ ...stays, scope: 'files:read files:write offline_access' }),
    hands: () => [
      ['input[name=scope][value="files:write"]', 'Space'],
      ['input[name=duration]', 'ArrowDown'],
    ],
    effect: async (scene) => {
      await scene.sentTo(/\/stay\?.*code=ac_/);
      const grant = await onlyGrant(scene);
      assert.deepEqual(grant.scope.toSorted(), ['files:read', 'files:write', 'offline_access']);
      assert.ok(grant.expiresAt !== undefined, 'the duration was not chosen');
    },
  },
  {
    name: 'deny',
    button: 'form[action="/consent"] button[value=deny]',
    at: ({ world }) => world.url(stays),
    effect: async (scene) => {
      await scene.sentTo(/\/stay\?.*error=access_denied/);
      assert.equal((await grantsOf(scene)).length, 0);
    },
  },
  {
    name: 'resume on the way',
    button: 'form[action="/consent"] button[value=resume]',
    at: async (scene) => {
      await paused(scene, await connected(scene));
      return scene.world.url(stays);
    },
    effect: async (scene) => {
      await headed(scene.page, /^Reconnect/);
      assert.equal((await onlyGrant(scene)).pausedAt, undefined);
    },
  },
  {
    name: 'one more minute to carry a code',
    button: 'form[action="/authorize/return"] button',
    at: async ({ world, ahead }) => {
      const asked = await ahead.open(world.url({ scope: 'files:read' }));
      return (await ahead.submit(asked, { hand_off: '1' }, 'allow')).url;
    },
    effect: async ({ page }) => {
      await page.locator('form[action="/authorize/return"]').waitFor({ state: 'detached' });
      await page.locator('#command').waitFor();
    },
  },
  {
    name: 'post the answer to the agent',
    button: 'form:not([action^="/"]) button',
    onlyWithoutScript: true,
    at: async ({ world, ahead }) => (await ahead.submit(await ahead.open(world.url({ ...stays, response_mode: 'form_post' })), {}, 'allow')).url,
    effect: ({ sentTo }) => sentTo(startingWith(`${hostedOrigin}/stay`)),
  },
  {
    name: 'enter the code of a device',
    button: 'form[action="/device"]:has(#user_code) button',
    at: '/device',
    hands: async ({ world }) => [['#user_code', (await world.device(world.approved.id, 'files:read')).user_code.toLowerCase()]],
    effect: ({ page }) => headed(page, /^Does your device show/),
  },
  ...(['allow', 'deny'] as const).map(
    (decision): FormStory => ({
      name: `${decision} a device`,
      button: `form[action="/device"] button[value=${decision}]`,
      at: async ({ world }) => `/device?user_code=${(await world.device(world.approved.id, 'files:read')).user_code}`,
      onward: async ({ page }) => {
        await page.locator('form[action="/device"] button').click();
        await headed(page, /^Does your device show/);
      },
      effect: async (scene) => {
        await headed(scene.page, decision === 'allow' ? 'Connected' : 'Nothing was shared');
        assert.equal((await grantsOf(scene)).length, decision === 'allow' ? 1 : 0);
      },
    }),
  ),
];
