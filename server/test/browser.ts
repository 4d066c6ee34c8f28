/**
 * A small browser for tests: keeps cookies, follows redirects on its own site, reads forms and presses their buttons, and sends what Chromium sends with them
 * (`Origin: null` under our referrer policy, Fetch Metadata). It runs no script and leaves the site only by telling where it was sent.
 */
import assert from 'node:assert/strict';

/** How a browser reaches the site: a test server's `request`, or the real `fetch`. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export type Page = {
  /** The address in the bar; of another site when `left`. */
  url: string;
  status: number;
  headers: Headers;
  html: string;
  title: string;
  forms: PageForm[];
  /** The site sent the browser elsewhere; nothing was fetched there. */
  left: boolean;
  /** Where a `<meta http-equiv="refresh">` points: the way back to a client. */
  refresh?: string;
};
export type PageForm = { action: string; method: string; fields: Field[]; buttons: { name: string; value: string }[] };
/** `ticked` is undefined for what is no checkbox and no radio button. */
export type Field = { name: string; value: string; ticked?: boolean; radio?: true };

/** What to fill in: a text replaces the value of a field, a list ticks exactly these boxes of a name. */
export type Filled = Record<string, string | readonly string[]>;

export type Browser = {
  /** Name to value. */
  cookies: Map<string, string>;
  /** Every Set-Cookie line received, oldest first. */
  setCookies: string[];
  open(url: string): Promise<Page>;
  /** Sends the form that has all the filled names, and the button; `button` is the value of the button pressed, by default the first (as Enter does). */
  submit(page: Page, filled?: Filled, button?: string): Promise<Page>;
};

/** Starts a browser without cookies. `site` is an origin. */
export function openBrowser(fetch: Fetch, site: string): Browser {
  const cookies = new Map<string, string>();
  const setCookies: string[] = [];

  async function load(url: string, init: RequestInit & { headers: Record<string, string> }): Promise<Page> {
    let current = { url, init };
    for (let hop = 0; hop < 10; hop++) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { Accept: 'text/html,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate', ...(cookie ? { Cookie: cookie } : {}), ...current.init.headers };
      const response = await fetch(current.url, { ...current.init, headers, redirect: 'manual' });
      keepCookies(response);
      const location = response.headers.get('location');
      if (location === null) return pageOf(current.url, response, await response.text());
      const next = new URL(location, current.url);
      if (next.origin !== new URL(site).origin) return { ...pageOf(location, response, ''), left: true };
      current = { url: next.href, init: { headers: { 'Sec-Fetch-Site': current.init.headers['Sec-Fetch-Site'] ?? 'none' } } };
    }
    throw new Error(`too many redirects at ${current.url}`);
  }

  function keepCookies(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      setCookies.push(line);
      const [pair = ''] = line.split(';');
      const name = pair.slice(0, pair.indexOf('='));
      if (/; Max-Age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, pair.slice(name.length + 1));
    }
  }

  return {
    cookies,
    setCookies,
    open: (url) => load(new URL(url, site).href, { headers: { 'Sec-Fetch-Site': 'none' } }),
    submit(page, filled = {}, button) {
      const fitting = page.forms.filter((one) => Object.keys(filled).every((name) => one.fields.some((field) => field.name === name)));
      const form = fitting.find((one) => button === undefined || one.buttons.some(({ value }) => value === button)) ?? fitting[0];
      assert.ok(form, `no form with ${Object.keys(filled).join(', ') || 'anything'} on "${page.title}"`);
      const pressed = button === undefined ? form.buttons[0] : form.buttons.find((one) => one.value === button);
      const body = filledIn(form, filled);
      if (pressed?.name) body.append(pressed.name, pressed.value);
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'null', 'Sec-Fetch-Site': 'same-origin' };
      return load(new URL(form.action, page.url).href, { method: 'POST', body: body.toString(), headers });
    },
  };
}

export type Person = { username: string; password: string; decision: 'allow' | 'deny'; scopes?: readonly string[] };

/**
 * Opens an authorization URL, signs in where asked and decides. `scopes` names the boxes to tick, by default all. Resolves to the URL the client would be
 * called back at, which is not opened. `fetch` is how the site is reached, by default over the network; `browser` is one that has cookies already.
 */
export async function signInAndDecide(
  url: string,
  person: Person,
  { fetch = globalThis.fetch, browser = openBrowser(fetch, new URL(url).origin) }: { fetch?: Fetch; browser?: Browser } = {},
): Promise<string> {
  let page = await browser.open(url);
  for (let step = 0; step < 6; step++) {
    if (page.left) return page.url;
    if (page.refresh !== undefined) return page.refresh;
    if (hasField(page, 'password')) page = await browser.submit(page, { username: person.username, password: person.password });
    else if (hasButton(page, 'decision')) page = await browser.submit(page, ticks(page, person.scopes), person.decision);
    else break;
  }
  throw new Error(`stopped at ${page.status} "${page.title}"`);
}

/** Opens the page of devices, signs in where asked, enters the code (or finds it filled in) and decides. Resolves to the last page. */
export async function decideDevice(
  url: string,
  code: string,
  person: Person,
  { fetch = globalThis.fetch, browser = openBrowser(fetch, new URL(url).origin) }: { fetch?: Fetch; browser?: Browser } = {},
): Promise<Page> {
  let page = await browser.open(url);
  if (hasField(page, 'password')) page = await browser.submit(page, { username: person.username, password: person.password });
  page = await browser.submit(page, { user_code: code });
  return browser.submit(page, { user_code: code, ...ticks(page, person.scopes) }, person.decision);
}

export function hasField(page: Page, name: string): boolean {
  return page.forms.some((form) => form.fields.some((field) => field.name === name));
}

export function hasButton(page: Page, name: string): boolean {
  return page.forms.some((form) => form.buttons.some((button) => button.name === name));
}

/** The boxes of the page, by value. */
export function boxes(page: Page): string[] {
  return page.forms.flatMap((form) => form.fields.filter((field) => field.name === 'scope' && field.ticked !== undefined).map((field) => field.value));
}

function ticks(page: Page, scopes: readonly string[] | undefined): Filled {
  const offered = boxes(page);
  return offered.length === 0 ? {} : { scope: scopes ? offered.filter((scope) => scopes.includes(scope)) : offered };
}

function filledIn(form: PageForm, filled: Filled): URLSearchParams {
  const body = new URLSearchParams();
  for (const { name, value, ticked } of form.fields) {
    const given = filled[name];
    if (ticked === undefined) body.append(name, typeof given === 'string' ? given : value);
    else if (given === undefined ? ticked : given === value || (Array.isArray(given) && given.includes(value))) body.append(name, value);
  }
  return body;
}

function pageOf(url: string, response: Response, html: string): Page {
  const refresh = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(html)?.[1];
  return {
    url,
    status: response.status,
    headers: response.headers,
    html,
    title: unescaped(/<title>([^<]*)<\/title>/.exec(html)?.[1] ?? ''),
    forms: [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, attributes = '', inner = '']) => formOf(attributes, inner)),
    left: false,
    refresh: refresh === undefined ? undefined : unescaped(refresh),
  };
}

function formOf(attributes: string, inner: string): PageForm {
  const fields = [...inner.matchAll(/<input\b([^>]*)>/g)].map(([, text = '']) => text);
  const buttons = [...inner.matchAll(/<button\b([^>]*)>/g)].map(([, text = '']) => text).filter((text) => attribute(text, 'type') === 'submit');
  return {
    action: attribute(attributes, 'action') ?? '',
    method: attribute(attributes, 'method') ?? 'get',
    fields: [
      ...fields.map((text) => ({
        name: attribute(text, 'name') ?? '',
        value: attribute(text, 'value') ?? '',
        ...(['checkbox', 'radio'].includes(attribute(text, 'type') ?? '') ? { ticked: /\schecked\b/.test(text) } : {}),
        ...(attribute(text, 'type') === 'radio' ? { radio: true as const } : {}),
      })),
      ...[...inner.matchAll(/<textarea\b([^>]*)>([^<]*)<\/textarea>/g)].map(([, area = '', value = '']) => ({ name: attribute(area, 'name') ?? '', value })),
      ...[...inner.matchAll(/<select\b([^>]*)>[\s\S]*?<option\b([^>]*\sselected\b[^>]*)>/g)].map(([, select = '', option = '']) => ({
        name: attribute(select, 'name') ?? '',
        value: attribute(option, 'value') ?? '',
      })),
    ],
    buttons: buttons.map((text) => ({ name: attribute(text, 'name') ?? '', value: attribute(text, 'value') ?? '' })),
  };
}

function attribute(text: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1];
  return value === undefined ? undefined : unescaped(value);
}

function unescaped(text: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text.replace(/&(?:(amp|lt|gt|quot)|#(\d+));/g, (_, name: string, code: string) => named[name] ?? String.fromCodePoint(Number(code)));
}

/** The text of a page without its tags. */
export function textOf({ html }: Page): string {
  return unescaped(html.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ');
}
