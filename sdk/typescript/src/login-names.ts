/**
 * The names of options that a login takes, to begin and to go on. Programs hand one object to both, so going on knows the names of beginning.
 */
import type { DeviceLoginOptions } from './device-login.ts';
import type { Names } from './known-names.ts';

export const loginNames: Names<DeviceLoginOptions> = {
  onChange: true,
  clientSecret: true,
  clientKey: true,
  clientKeyId: true,
  dpop: true,
  timeout: true,
  fetch: true,
  now: true,
  resource: true,
  scopes: true,
  clientId: true,
  clientName: true,
  onPrompt: true,
  signal: true,
  wait: true,
};
