import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { Call } from '../command.ts';
import { personAt } from './person.ts';

/** Whether a code is shown: because it was asked for, because there is no browser here, or not at all. */
function wayOf(env: Record<string, string>, flags: Call['flags'] = {}): 'asked for' | 'where offered' | 'browser' {
  const stream = { write: () => true };
  const terminal = { env, stdin: new PassThrough(), stdout: stream, stderr: stream, untilStopped: async () => 'SIGINT' as const };
  const { device } = personAt({ args: [], flags, terminal }, async () => undefined);
  return device === undefined ? 'browser' : device.always ? 'asked for' : 'where offered';
}

test('a code is the way where --device asks for it, and over SSH unless there is a screen', () => {
  const ssh = { SSH_CONNECTION: '203.0.113.7 50000 10.0.0.1 22' };

  assert.equal(wayOf({}), 'browser');
  assert.equal(wayOf({}, { device: true }), 'asked for');
  assert.equal(wayOf(ssh), 'where offered');
  assert.equal(wayOf(ssh, { device: true }), 'asked for');
  assert.equal(wayOf({ ...ssh, DISPLAY: ':0' }), 'browser');
  assert.equal(wayOf({ ...ssh, WAYLAND_DISPLAY: 'wayland-0' }), 'browser');
});
