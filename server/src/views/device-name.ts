/**
 * Owns: a browser's user agent as the words by which its owner recognises it, such as "Firefox on Linux". What a browser says of itself proves nothing.
 */
import type { Words } from './words.ts';

/** The first that fits: others' names are in most of them. */
const browsers: readonly [RegExp, string][] = [
  [/\b(?:Edg|EdgA|EdgiOS)\//, 'Edge'],
  [/\b(?:OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bVersion\/[\d.]+.*\bSafari\//, 'Safari'],
];
const systems: readonly [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

/** @example deviceText('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', page) // 'Firefox on Linux' */
export function deviceText(userAgent: string | undefined, { t }: Words): string {
  const [browser, system] = [named(browsers, userAgent), named(systems, userAgent)];
  if (browser !== undefined && system !== undefined) return t('device.name', { browser, system });
  return browser ?? system ?? t('device.unknown');
}

function named(names: readonly [RegExp, string][], userAgent = ''): string | undefined {
  return names.find(([pattern]) => pattern.test(userAgent))?.[1];
}
