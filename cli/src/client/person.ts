/**
 * How the person at this terminal is asked to sign in: the address is always printed, the browser opened unless it is not wanted. Shared by `try` and `shell`.
 */
import { type Call, textFlag } from '../command.ts';
import { Failure } from '../exit-codes.ts';
import { safe } from '../terminal.ts';
import { openBrowser } from './browser.ts';
import { openListener, outOfBand, pasteReception, type Reception } from './reception.ts';

export const personFlags = [
  { name: 'no-browser', kind: 'switch' as const, about: 'print the address to sign in at, and open nothing' },
  { name: 'timeout', kind: 'text' as const, value: 'seconds', about: 'how long to wait for the person (300)' },
];

export type Person = { openReception(ports: number[], redirectUri?: string): Promise<Reception> };

/** The person of a command. `ask` reads a line where one must be typed. */
export function personAt(call: Call, ask: (question: string) => Promise<string | undefined>): Person {
  const seconds = Number(textFlag(call, 'timeout') ?? '300');
  if (!(seconds >= 1 && seconds <= 3600)) throw new Failure('usage', '--timeout is 1 to 3600 seconds');
  const visit = (url: URL): void => {
    call.terminal.stderr.write(`Open this address to sign in:\n${safe(url.href)}\n`);
    if (call.flags.noBrowser !== true) openBrowser(url);
  };
  return {
    openReception: async (ports, redirectUri) => {
      if (redirectUri === outOfBand) return pasteReception(redirectUri, { visit, ask });
      return openListener({ visit, timeoutMs: seconds * 1000, ports, registered: redirectUri });
    },
  };
}
