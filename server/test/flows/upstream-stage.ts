/**
 * The stage for stories about upstreams: the stage of stories about people, with an OpenID provider elsewhere at which they may sign in.
 */
import assert from 'node:assert/strict';
import { auditEvent, type EventType } from '../../src/audit/event.ts';
import type { ServerOptions } from '../../src/options.ts';
import type { Upstream } from '../../src/storage/store.ts';
import { sealCredential } from '../../src/upstream/client.ts';
import type { Browser, Page } from '../browser.ts';
import { start } from '../harness.ts';
import { type Provider, upstreamProvider } from '../upstream-provider.ts';
import { type Stage as PeopleStage, stage as peopleStage } from './authorize-stage.ts';

export type Stage = PeopleStage & {
  acme: Provider;
  /** Lists a provider under an id. */
  list(id: string, provider: Provider, more?: Partial<Upstream>): Promise<Upstream>;
  /** Presses the button of an upstream on a page of ours; resolves to the address that the browser leaves for. */
  leave(browser: Browser, page: Page, id?: string): Promise<string>;
  /** Opens a page of ours, goes to Acme, agrees there and comes back. */
  through(browser: Browser, path?: string): Promise<Page>;
  /** Says that the subject of Acme is this person. */
  linked(userId?: string, subject?: string): Promise<void>;
};

export async function stage(overrides: Partial<ServerOptions> = {}): Promise<Stage> {
  const providers: Provider[] = [];
  let time = () => start;
  const scene = await peopleStage({
    fetchUpstream: (url, request) => {
      const provider = providers.find(({ issuer }) => url.startsWith(issuer));
      return provider ? provider.fetch(url, request) : Promise.reject(new TypeError(`nobody is at ${url}`));
    },
    ...overrides,
  });
  time = scene.clock.now;
  const acme = upstreamProvider('https://login.acme.example', () => time());

  async function list(id: string, provider: Provider, more: Partial<Upstream> = {}): Promise<Upstream> {
    providers.push(provider);
    const upstream: Upstream = {
      id,
      name: id[0]?.toUpperCase() + id.slice(1),
      recipe: 'openid',
      issuer: provider.issuer,
      clientId: provider.clientId,
      credentialSealed: sealCredential(id, { secret: provider.secret }, scene.context),
      scope: ['openid', 'profile', 'email'],
      privateNetwork: false,
      createdAt: scene.clock.now(),
      ...more,
    };
    assert.equal(await scene.store.addUpstream(upstream, event('upstream.added')), 'added');
    return upstream;
  }

  const leave = async (browser: Browser, page: Page, id = 'acme') => {
    const left = await browser.submit(page, {}, id);
    assert.ok(left.refresh, `${left.status} "${left.title}"`);
    return left.refresh;
  };
  await list('acme', acme);
  return {
    ...scene,
    acme,
    list,
    leave,
    through: async (browser, path = '/login') => browser.open(acme.agree(await leave(browser, await browser.open(path)))),
    async linked(userId = scene.user.id, subject = 'subject-1') {
      const identity = { issuer: acme.issuer, subject, upstreamId: 'acme', userId, createdAt: scene.clock.now() };
      assert.equal(await scene.store.linkUpstream(identity, event('upstream.linked')), 'linked');
    },
  };
}

function event(type: EventType) {
  return auditEvent(type, start, 'test');
}
