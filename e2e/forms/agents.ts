/** Forms on connected agents and what they did. */
import assert from 'node:assert/strict';
import { auditEvent } from '../../server/src/audit/event.ts';
import { connected, fourAgents, freshUser, grantsOf, onlyGrant, paused, said } from './scenes.ts';
import type { FormStory } from './story.ts';

export const agents: readonly FormStory[] = [
  {
    name: 'pause an agent',
    button: 'form[action="/account/agents/pause"] button',
    given: (scene) => connected(scene),
    at: '/account/agents',
    effect: async (scene) => {
      await said(scene.page, 'cannot act until you resume it');
      assert.ok((await onlyGrant(scene)).pausedAt);
    },
  },
  {
    name: 'resume an agent',
    button: 'form[action="/account/agents/resume"] button',
    at: async (scene) => {
      await paused(scene, await connected(scene));
      return '/account/agents';
    },
    effect: async (scene) => {
      await said(scene.page, 'can act for you');
      assert.equal((await onlyGrant(scene)).pausedAt, undefined);
    },
  },
  {
    name: 'disconnect an agent',
    button: 'form[action="/account/agents/disconnect"] button',
    given: (scene) => connected(scene),
    at: '/account/agents',
    effect: async (scene) => {
      await said(scene.page, 'lost access');
      assert.equal((await grantsOf(scene)).length, 0);
    },
  },
  {
    name: 'pause all agents',
    button: 'form[action="/account/agents/pause-all"] button',
    given: (scene) => connected(scene),
    at: '/account/agents',
    effect: async (scene) => {
      await said(scene.page, 'All agents are paused.');
      assert.ok((await freshUser(scene)).agentsPausedAt);
    },
  },
  {
    name: 'resume all agents',
    button: 'form[action="/account/agents/resume-all"] button',
    at: async (scene) => {
      const { world, user } = scene;
      await connected(scene);
      await world.store.pauseAllAgents(user.id, auditEvent('grant.paused', world.clock.now(), 'test'));
      return '/account/agents';
    },
    effect: async (scene) => {
      await scene.page.waitForURL(/done=all/);
      assert.equal((await freshUser(scene)).agentsPausedAt, undefined);
    },
  },
  {
    name: 'disconnect all agents',
    button: 'form[action="/account/agents/disconnect-all"] button',
    given: (scene) => connected(scene),
    at: '/account/agents/disconnect-all',
    effect: async (scene) => {
      await scene.page.waitForURL(/done=all/);
      assert.equal((await grantsOf(scene)).length, 0);
    },
  },
  {
    name: 'reduce what an agent may do',
    button: 'form[action="/account/agents/reduce"] button',
    at: async (scene) => `/account/agents/reduce?grant=${(await connected(scene, { scope: 'files:read files:write' })).id}`,
    hands: () => [['input[name=scope][value="files:write"]', 'Space']],
    effect: async (scene) => {
      await said(scene.page, 'has only what you left it');
      assert.ok(!(await onlyGrant(scene)).scope.includes('files:write'));
    },
  },
  {
    name: 'show only some agents',
    button: 'form[action="/account/agents"].filter button',
    given: fourAgents,
    at: '/account/agents',
    hands: () => [['input[name=unused]', 'Space']],
    effect: ({ page }) => page.waitForURL(/[?&]unused=1/),
  },
  {
    name: 'show only some activity',
    button: 'form[action="/account/activity"] button',
    at: '/account/activity',
    hands: () => [['#result', 'ArrowDown']],
    effect: ({ page }) => page.waitForURL(/[?&]result=allowed/),
  },
  {
    name: 'say that it was not oneself',
    button: 'form[action="/account/activity/not-me"] button',
    at: async (scene) => {
      const { context, clock } = scene.world;
      const { id: grantId } = await connected(scene);
      context.activity.add({ serverId: 'srv_files', grantId }, { action: 'read_file', outcome: 'allowed', missing: [], times: 1 }, clock.now());
      await context.activity.flush();
      return '/account/activity';
    },
    effect: async (scene) => {
      await scene.page.locator('.done[role=status]').waitFor();
      assert.ok((await onlyGrant(scene)).pausedAt);
    },
  },
];
