/**
 * The stage for stories about devices: the one for stories about people, with a client that may use the device grant, and short ways to ask, poll and answer.
 */
import assert from 'node:assert/strict';
import type { ServerOptions } from '../../src/options.ts';
import { deviceCodeGrant } from '../../src/rules/device-grant.ts';
import type { Client } from '../../src/storage/store.ts';
import type { Browser, Filled, Page } from '../browser.ts';
import { form } from '../harness.ts';
import * as people from './authorize-stage.ts';

type Json = Record<string, unknown>;
export type Codes = {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
  interval: number;
};
export type Answered = { status: number; headers: Headers; body: Json };

export type DeviceStage = people.Stage & {
  device: Client;
  /** POST /device_authorization of `device`, changed by `more`; an empty value takes a parameter away. */
  ask(more?: Record<string, string>, init?: { headers?: Record<string, string>; address?: string }): Promise<Answered>;
  /** The same, which must work. */
  codes(more?: Record<string, string>): Promise<Codes>;
  poll(deviceCode: string, more?: Record<string, string>, headers?: Record<string, string>): Promise<Answered>;
  /** Opens the page and enters a code there. */
  enter(browser: Browser, code: string): Promise<Page>;
  /** Enters the code and decides. */
  decide(browser: Browser, code: string, decision: 'allow' | 'deny', filled?: Filled): Promise<Page>;
};

export const grantTypes = ['authorization_code', 'refresh_token', deviceCodeGrant];

export async function stage(overrides: Partial<ServerOptions> = {}): Promise<DeviceStage> {
  const on = await people.stage(overrides);
  const device = await on.addClient({ id: 'client_device', metadata: { clientName: 'Headless Agent', redirectUris: [], grantTypes } });

  const answered = async (response: Response): Promise<Answered> => ({
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Json,
  });
  const enter = async (browser: Browser, code: string) => browser.submit(await browser.open('/device'), { user_code: code });
  const self: DeviceStage = {
    ...on,
    device,
    async ask(more = {}, { headers, address } = {}) {
      const values = { client_id: device.id, resource: on.mcp.resource, scope: 'files:read', ...more };
      const sent = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
      return answered(await on.request('/device_authorization', { ...form(sent, headers), address: address ?? '198.51.100.4' }));
    },
    async codes(more) {
      const { status, body } = await self.ask(more);
      assert.equal(status, 200, JSON.stringify(body));
      return body as Codes;
    },
    poll: async (deviceCode, more = {}, headers = {}) =>
      answered(await on.request('/token', form({ grant_type: deviceCodeGrant, device_code: deviceCode, client_id: device.id, ...more }, headers))),
    enter,
    decide: async (browser, code, decision, filled = {}) => browser.submit(await enter(browser, code), { user_code: code, ...filled }, decision),
  };
  return self;
}
