/**
 * Opens the person's browser. Only http(s), only as one argument of a program that is no shell: the address comes from a server (CVE-2025-6514).
 */
import { execFile } from 'node:child_process';

export type Launch = { file: string; args: string[] };

/** The program that opens `url` on a platform. @throws {TypeError} when it is not an http(s) URL. */
export function launchOf(url: URL, platform: NodeJS.Platform): Launch {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError(`${url.protocol} is not opened`);
  if (platform === 'darwin') return { file: 'open', args: [url.href] };
  // Not `start`, which is a word of cmd.exe and would read & and % of the address.
  if (platform === 'win32') return { file: 'rundll32.exe', args: ['url.dll,FileProtocolHandler', url.href] };
  return { file: 'xdg-open', args: [url.href] };
}

/** Tries to open it. Where there is no browser nothing happens: the address was printed. */
export function openBrowser(url: URL): void {
  const { file, args } = launchOf(url, process.platform);
  execFile(file, args, { timeout: 10_000, windowsHide: true }, () => {}).unref();
}
