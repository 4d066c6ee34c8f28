/**
 * Chromium, started once for all files, and a person who sits in front of it: a context of its own with cookies, and eyes for what must never happen (a broken
 * content policy, a script error, a request to a stranger). Not here: the servers (stand.ts), the stories (*.test.ts).
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Why the pages cannot be proven here, for `describe(…, { skip })`. Under CI nothing is skipped: the start fails instead. */
export const noBrowser = existsSync(executablePath) || process.env.CI === 'true' ? false : `no Chromium at ${executablePath}; set CHROMIUM_PATH`;

/** Starts Chromium. `hosts` maps names to ports of this computer, so that pages have the addresses they would have in real life. */
export function startBrowser(hosts: Record<string, number>): Promise<Browser> {
  const rules = Object.entries(hosts).map(([host, port]) => `MAP ${host}:443 127.0.0.1:${port}`);
  const quiet = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...quiet, `--host-resolver-rules=${rules.join(', ')}`] });
}

export type PersonOptions = {
  /** JavaScript; on by default. */
  script?: boolean;
  scheme?: 'light' | 'dark';
  width?: number;
  height?: number;
  forcedColors?: 'active';
  touch?: boolean;
  contrast?: 'more';
};

export type Person = {
  page: Page;
  context: BrowserContext;
  /** Violations of the content policy, script errors and failed requests to our own origin, as the console tells them. */
  complaints: string[];
  /** Every address asked for, oldest first. */
  requested: string[];
  /** Resolves to the next or an earlier address that a page wanted to go to, whether the browser could open it or not. */
  sentTo(pattern: RegExp): Promise<string>;
  close(): Promise<void>;
};

/** Opens a window without cookies. */
export async function openPerson(
  browser: Browser,
  { script = true, scheme = 'light', width = 1280, height = 800, touch, ...media }: PersonOptions = {},
): Promise<Person> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    javaScriptEnabled: script,
    colorScheme: scheme,
    viewport: { width, height },
    locale: 'en',
    ...media,
    ...(touch ? { hasTouch: true, isMobile: true } : {}),
  });
  // Generous: a loaded machine is slow, and nothing waits longer than it must.
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => void (/content security policy|refused to/i.test(message.text()) && complaints.push(message.text())));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requested.push(request.url()));
  return { page, context, complaints, requested, sentTo: await watchNavigations(page), close: () => context.close() };
}

/** An app's own scheme never becomes a request; the wish to go there is seen in the protocol of the developer tools only. */
async function watchNavigations(page: Page): Promise<Person['sentTo']> {
  const cdp = await page.context().newCDPSession(page);
  const seen: string[] = [];
  const waiting: { pattern: RegExp; resolve(url: string): void }[] = [];
  const note = ({ url }: { url: string }) => {
    seen.push(url);
    for (const { pattern, resolve } of waiting) if (pattern.test(url)) resolve(url);
  };
  cdp.on('Page.frameRequestedNavigation', note);
  cdp.on('Network.requestWillBeSent', ({ request, redirectResponse }) => redirectResponse && note(request));
  await cdp.send('Page.enable');
  await cdp.send('Network.enable');
  return (pattern) => {
    const earlier = seen.find((url) => pattern.test(url));
    if (earlier !== undefined) return Promise.resolve(earlier);
    return new Promise((resolve, reject) => {
      waiting.push({ pattern, resolve });
      AbortSignal.timeout(30_000).addEventListener('abort', () => reject(new Error(`nobody was sent to ${pattern}; seen: ${seen.join(' ')}`)));
    });
  };
}

/** Fails if anything was complained about, or anybody but `origins` was asked for something. */
export function assertQuiet({ complaints, requested }: Person, origins: readonly string[]): void {
  assert.deepEqual(complaints, []);
  const strangers = requested.filter((url) => !url.startsWith('data:') && !origins.some((origin) => url.startsWith(origin)));
  assert.deepEqual(strangers, []);
}

/** The one heading of the page. */
export function heading(page: Page): Promise<string> {
  return page.locator('h1').innerText();
}

/** Fills in the sign-in form and sends it. */
export async function signIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('E-mail or username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Presses Allow, or the button of that place with other words, as soon as it can be pressed. */
export async function allow(page: Page): Promise<void> {
  await page.locator('button[value=allow]:not([aria-disabled])').click();
}

export async function deny(page: Page): Promise<void> {
  await page.locator('button[value=deny]').click();
}
