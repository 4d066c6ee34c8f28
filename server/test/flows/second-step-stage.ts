/**
 * The stage for stories about second steps: a person whose app is set up, and that app.
 */

import { newRecoveryCodes, sealSecret } from '../../src/account/second-factor.ts';
import { auditEvent } from '../../src/audit/event.ts';
import { codeOfStep } from '../../src/crypto/totp.ts';
import type { ServerOptions } from '../../src/options.ts';
import type { Browser, Page } from '../browser.ts';
import type { TestServer } from '../harness.ts';
import { type Stage, stage } from './authorize-stage.ts';

export type SecondStepStage = Stage & {
  /** What the app shows now, or so many steps of thirty seconds from now. */
  code(stepsAway?: number): string;
  recoveryCodes: string[];
};

const secret = Buffer.from('12345678901234567890');

/** A server with ada, whose app is set up. */
export async function secondStepStage(overrides: Partial<ServerOptions> = {}): Promise<SecondStepStage> {
  const on = await stage(overrides);
  const recoveryCodes = await setUpApp(on, on.user.id);
  return { ...on, recoveryCodes, code: (stepsAway = 0) => codeOfStep(secret, Math.floor(on.clock.now() / 30) + stepsAway) };
}

/** Sets the app of the stage up for somebody; resolves to their recovery codes. */
export async function setUpApp({ context, store, clock }: Pick<TestServer, 'context' | 'store' | 'clock'>, userId: string): Promise<string[]> {
  const { shown, hashes } = newRecoveryCodes(userId, context);
  const factor = { userId, secretSealed: sealSecret(secret, userId, context), step: 0, recoveryHashes: hashes };
  await store.addSecondFactor(factor, auditEvent('second_factor.added', clock.now(), 'test'));
  return shown;
}

export const isSecondStep = (page: Page): boolean => new URL(page.url).pathname === '/login/second';

export function enter(browser: Browser, page: Page, code: string): Promise<Page> {
  return browser.submit(page, { code });
}
