/**
 * How the person at this terminal is asked to sign in: the address is always printed, the browser opened unless it is not wanted. Shared by `try` and `shell`.
 */
import { type Call, textFlag } from '../command.ts';
import { Failure } from '../exit-codes.ts';
import { safe, styleOf } from '../terminal.ts';
import { openBrowser } from './browser.ts';
import type { WaitingDevice } from './device-sign-in.ts';
import { openListener, outOfBand, pasteReception, type Reception } from './reception.ts';
import type { DeviceWish } from './session.ts';

export const personFlags = [
  { name: 'device', kind: 'switch' as const, about: 'sign in by a code that you enter elsewhere; the default over SSH' },
  { name: 'no-browser', kind: 'switch' as const, about: 'print the address to sign in at, and open nothing' },
  { name: 'timeout', kind: 'text' as const, value: 'seconds', about: 'how long to wait for the person (300; for a code as long as it lasts)' },
];

export type Person = {
  openReception(ports: number[], redirectUri?: string): Promise<Reception>;
  /** How to sign in by device code, where that was asked for or there is no browser here. */
  device?: DeviceWish;
};

/** The person of a command. `ask` reads a line where one must be typed. */
export function personAt(call: Call, ask: (question: string) => Promise<string | undefined>): Person {
  const seconds = Number(textFlag(call, 'timeout') ?? '300');
  if (!(seconds >= 1 && seconds <= 3600)) throw new Failure('usage', '--timeout is 1 to 3600 seconds');
  const visit = (url: URL): void => {
    call.terminal.stderr.write(`Open this address to sign in:\n${safe(url.href)}\n`);
    if (call.flags.noBrowser !== true) openBrowser(url);
  };
  return {
    device: deviceWish(call, textFlag(call, 'timeout') === undefined ? undefined : seconds),
    openReception: async (ports, redirectUri) => {
      if (redirectUri === outOfBand) return pasteReception(redirectUri, { visit, ask });
      return openListener({ visit, timeoutMs: seconds * 1000, ports, registered: redirectUri });
    },
  };
}

function deviceWish(call: Call, longestSeconds: number | undefined): DeviceWish | undefined {
  const always = call.flags.device === true;
  if (!always && !isRemote(call.terminal.env)) return undefined;
  return { always, longestSeconds, show: (waiting) => showCode(waiting, call) };
}

/** A shell on another computer: a browser here would not be the person's, nor would its answer find the way. */
function isRemote({ SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY }: Call['terminal']['env']): boolean {
  return Boolean(SSH_CONNECTION) && !DISPLAY && !WAYLAND_DISPLAY;
}

/** The code first: whoever opens the address compares what stands there with what stands here. */
export function showCode({ userCode, verificationUri, expiresAt }: WaitingDevice, { terminal: { stderr, env } }: Call): void {
  const minutes = Math.max(1, Math.round((expiresAt - Date.now() / 1000) / 60));
  const { strong } = styleOf(stderr, env);
  stderr.write(`Your code is ${strong(safe(userCode))}. Enter it, on any computer or phone, at\n${safe(verificationUri)}\n`);
  stderr.write(`Waiting for you, ${minutes} minutes at most. Nobody from this service asks for the code.\n`);
}
