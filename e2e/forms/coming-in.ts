/** Forms by which somebody gets an account: sign-up, invitation, first setup, a new password. */
import assert from 'node:assert/strict';
import { makeInvitation, makeResetLink } from '../../server/src/account/operator-links.ts';
import { makeSetupLink } from '../../server/src/account/setup.ts';
import { auditEvent } from '../../server/src/audit/event.ts';
import type { Context } from '../../server/src/context.ts';
import { codeIn } from '../../server/test/flows/mail-stage.ts';
import { issuer, passwordless } from '../stand.ts';
import { accountMade, askedToSignUp, newAddress, newPassword, startingWith } from './scenes.ts';
import type { FormStory } from './story.ts';

export const comingIn: readonly FormStory[] = [
  {
    name: 'ask for an account',
    button: 'form[action="/signup"] button',
    stranger: true,
    at: '/signup',
    hands: (scene) => [['#email', newAddress(scene)]],
    effect: async (scene) => {
      await scene.page.waitForURL(/\/code\?/);
      assert.match(codeIn(await scene.world.mailTo(newAddress(scene))), /\d/);
    },
  },
  {
    name: 'make an account',
    button: 'form[action="/signup/account"] button[type=submit]',
    stranger: true,
    at: async (scene) => {
      const { ahead, world } = scene;
      return (await ahead.submit(await askedToSignUp(scene), { code: codeIn(await world.mailTo(newAddress(scene))) })).url;
    },
    hands: () => [
      ['#name', 'Lin'],
      ['#password', newPassword],
    ],
    effect: (scene) => accountMade(scene, newAddress(scene)),
  },
  {
    name: 'accept an invitation',
    button: 'form[action="/invite"] button[type=submit]',
    stranger: true,
    at: (scene) => makeInvitation({ email: newAddress(scene), role: 'user' }, scene.world.context),
    hands: () => [
      ['#name', 'Guest'],
      ['#password', newPassword],
    ],
    effect: (scene) => accountMade(scene, newAddress(scene)),
  },
  {
    name: 'accept an invitation with an account elsewhere',
    button: 'form[action="/invite/upstream"] button',
    stranger: true,
    at: (scene) => makeInvitation({ email: newAddress(scene), role: 'user' }, scene.world.context),
    effect: ({ acme, sentTo }) => sentTo(startingWith(`${acme.issuer}/authorize?`)),
  },
  {
    name: 'accept an invitation where there are no passwords',
    button: 'form[action="/t/codes/invite"] button[type=submit]',
    stranger: true,
    at: async (scene) => makeInvitation({ email: newAddress(scene), role: 'user' }, await passwordless(scene.world)),
    hands: () => [['#name', 'Guest']],
    effect: async (scene) => {
      await scene.page.waitForURL(`${issuer}/t/codes/account/agents`);
      const found = await (await passwordless(scene.world)).store.findUserByLogin(newAddress(scene));
      assert.deepEqual([found?.user.name, found?.passwordHash], ['Guest', undefined]);
    },
  },
  {
    name: 'set the service up where there are no passwords',
    button: 'form[action="/t/codes/setup"] button[type=submit]',
    stranger: true,
    at: async ({ world }) => firstLink(await passwordless(world)),
    hands: (scene) => [
      ['#username', `operator-${scene.user.username}`],
      ['#email', newAddress(scene)],
    ],
    effect: async ({ world, user, page }) => {
      await page.locator('#owner-token').waitFor();
      assert.equal((await (await passwordless(world)).store.findUserByLogin(`operator-${user.username}`))?.user.role, 'operator');
    },
  },
  {
    name: 'set the service up',
    button: 'form[action="/setup"] button[type=submit]',
    stranger: true,
    at: ({ world }) => firstLink(world.context),
    hands: (scene) => [
      ['#username', `operator-${scene.user.username}`],
      ['#email', newAddress(scene)],
      ['#password', newPassword],
    ],
    effect: async ({ world, user, page }) => {
      await page.locator('#owner-token').waitFor();
      assert.equal((await world.store.findUserByLogin(`operator-${user.username}`))?.user.role, 'operator');
    },
  },
  {
    name: 'ask for a new password',
    button: 'form[action="/reset"]:has(input:not([readonly])#username) button',
    stranger: true,
    at: '/reset',
    hands: ({ user }) => [['#username', user.username]],
    effect: async ({ world, user, page }) => {
      await page.waitForURL(`${issuer}/reset/sent`);
      assert.match((await world.mailTo(user.email ?? '')).text, /\/reset\?token=/);
    },
  },
  {
    name: 'choose a new password',
    button: 'form[action="/reset"]:has(#password) button[type=submit]',
    stranger: true,
    at: ({ world, user }) => makeResetLink(user, world.context),
    hands: () => [['#password', newPassword]],
    effect: ({ page }) => page.waitForURL(/\/reset\/done/),
  },
];

/** A link is for the first operator: whoever came by one before goes. */
async function firstLink(context: Context): Promise<string> {
  const { store, now } = context;
  for (const { id, role } of await store.listUsers())
    if (role === 'operator') await store.setUserDisabled(id, true, auditEvent('user.disabled', now(), 'test'));
  return makeSetupLink(context);
}
