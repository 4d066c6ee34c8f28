/** Polls of devices whose person has not answered (RFC 8628 §3.5), one durable commit per answer. After its first poll each device is told to slow down, at the same price. */
import { deviceCodeGrant } from '../../server/src/rules/device-grant.ts';
import { app, many, resource, scope } from '../subject.ts';
import { type HotPath, http } from './hot-path.ts';

const devices = 1000;

export const path: HotPath = {
  name: 'POST /token device_code, waiting',
  goal: 0.15,
  supply: 'rotate',
  expect: 400,
  async prepare(subject) {
    const { device } = subject.paths;
    if (!device) return [];
    return many(devices, async (index) => {
      const body = new URLSearchParams({ client_id: app.id, resource, scope });
      // Each from an address of its own: one address gets 600 codes in a quarter of an hour.
      const response = await subject.fetch(device, { method: 'POST', body, headers: { 'X-Forwarded-For': `10.0.${index >> 8}.${index & 255}` } });
      const { device_code: code = '' } = (await response.json()) as { device_code?: string };
      return http('POST', subject.paths.token, {}, { grant_type: deviceCodeGrant, client_id: app.id, device_code: code });
    });
  },
};
