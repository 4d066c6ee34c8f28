/** How a scene comes about, by the store and the wire and not by clicking, and what is looked for afterwards. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { auditEvent } from '../../server/src/audit/event.ts';
import { codeOfStep } from '../../server/src/crypto/totp.ts';
import type { Grant, User } from '../../server/src/storage/store.ts';
import { type Page as PageAhead, signInAndDecide } from '../../server/test/browser.ts';
import { hostedOrigin } from '../callbacks.ts';
import { issuer, password, type Stand } from '../stand.ts';
import type { Scene } from './story.ts';

export const newPassword = 'seven quiet otters sing';
export const stays = { redirect_uri: `${hostedOrigin}/stay`, scope: 'files:read' };

export function startingWith(address: string): RegExp {
  return new RegExp(`^${address.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
}

export async function headed(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

export async function said(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor();
}

export function newAddress({ user }: Scene): string {
  return `new-${user.username}@acme.example`;
}

export async function accountMade({ world, page }: Scene, email: string): Promise<void> {
  await page.waitForURL(`${issuer}/account/agents`);
  assert.ok((await world.store.findUserByLogin(email))?.passwordHash);
}

export async function askedToSignUp(scene: Scene): Promise<PageAhead> {
  return scene.ahead.submit(await scene.ahead.open('/signup'), { email: newAddress(scene) });
}

let lastArrival: Promise<unknown> = Promise.resolve();

/** Goes to the upstream from a page of ours and agrees there, one after the other: it has one person at a time. Resolves to the page where the answer leads. */
export function cameFromUpstream({ acme, user, ahead }: Scene, path: string): Promise<string> {
  const sub = `subject of ${user.id}`;
  const arrival = lastArrival.then(async () => {
    Object.assign(acme, { claims: { sub }, userinfo: { ...acme.userinfo, sub, email: `${user.id}@hopper.example` } });
    const left = await ahead.submit(await ahead.open(path), {}, 'acme');
    return (await ahead.open(acme.agree(left.refresh ?? ''))).url;
  });
  lastArrival = arrival.catch(() => undefined);
  return arrival;
}

export async function twoAccounts({ world, ahead }: Scene): Promise<void> {
  const other = await world.somebody();
  await ahead.submit(await ahead.open('/login?switch=new'), { username: other, password });
}

export async function connected(scene: Scene, more: Record<string, string> = {}): Promise<Grant> {
  const { world, user, ahead } = scene;
  const request: Record<string, string> = { ...stays, ...more };
  const callback = await signInAndDecide(world.url(request), { username: user.username, password, decision: 'allow' }, { browser: ahead });
  await world.redeem(new URL(callback), request['client_id'] ?? world.approved.id);
  return (await grantsOf(scene))[0] ?? assert.fail('nothing was connected');
}

export async function fourAgents(scene: Scene): Promise<void> {
  for (const name of ['Goose', 'Cline', 'Zed', 'Roo']) await connected(scene, { client_id: await scene.world.register(name, [stays.redirect_uri]) });
}

export async function paused({ world, user }: Scene, { id }: Grant): Promise<void> {
  await world.store.pauseAgent(user.id, id, auditEvent('grant.paused', world.clock.now(), 'test'));
}

export function grantsOf({ world, user }: Scene): Promise<Grant[]> {
  return world.store.listGrants({ userId: user.id }, world.clock.now());
}

export async function onlyGrant(scene: Scene): Promise<Grant> {
  const grants = await grantsOf(scene);
  assert.equal(grants.length, 1);
  return grants[0] as Grant;
}

export async function freshUser({ world, user }: Scene): Promise<User> {
  return (await world.store.findUserByLogin(user.username))?.user ?? assert.fail('they are gone');
}

export async function passkeyOf({ world, user }: Scene): Promise<void> {
  const now = world.clock.now();
  const plain = { userId: user.id, userHandle: user.id, publicKey: 'none', counter: 0, transports: [], backedUp: true, backupEligible: true, createdAt: now };
  await world.store.addPasskey({ ...plain, id: `pk_${user.id}`, credentialId: user.id, aaguid: 'unknown' }, auditEvent('passkey.added', now, 'test'));
}

export function appCode(world: Stand, secret: Buffer): string {
  return codeOfStep(secret, Math.floor(world.clock.now() / 30));
}

/** The bytes of a key as people type it (RFC 4648 §6). */
export function fromBase32(key: string): Buffer {
  const bits = [...key.replaceAll(/\s/g, '')].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'));
  return Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
