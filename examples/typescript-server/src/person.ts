/**
 * The person: opens what a browser would open, fills in what they would fill in. It reads the pages as HTML and posts their forms, so the check needs no
 * browser; the pages themselves are tested in a real one elsewhere.
 */

export type Person = {
  /** Opens an authorization URL, signs in if asked, allows, and arrives at the agent's callback address. */
  allow(authorizationUrl: URL): Promise<Allowed>;
  /** Opens the Connected agents page of the authorization server and presses Disconnect until there is nothing left to disconnect. */
  disconnect(site: string): Promise<void>;
};

/** `asked` are the scopes the consent page asked for; what was allowed before is not among them. */
export type Allowed = { callback: URL; asked: string[] };

type Page = { url: string; html: string };

/** Gives a person a browser of their own, without cookies. */
export function openPerson(username: string, password: string): Person {
  const cookies = new Map<string, string>();

  async function load(url: string, form?: URLSearchParams): Promise<Page> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { method: form ? 'POST' : 'GET', body: form, headers: { Cookie: cookie, Accept: 'text/html' }, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location !== null) return load(new URL(location, url).href);
    const html = await response.text();
    if (!response.ok) throw new Error(`${response.status} at ${url}: ${/<h1>(.*?)<\/h1>/.exec(html)?.[1]}`);
    return { url, html };
  }

  /** Submits the first form of a page, or the first that goes to `path`: its hidden fields, and what the person adds. */
  function submit({ url, html }: Page, filled: Record<string, string>, path = ''): Promise<Page> {
    const forms = [...html.matchAll(/<form method="post" action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)];
    const [, action = '', form = ''] = forms.find(([, to = '']) => to.endsWith(path)) ?? [];
    const body = new URLSearchParams(
      [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, value]),
    );
    for (const [name, value] of Object.entries(filled)) body.set(name, value);
    return load(new URL(action, url).href, body);
  }

  return {
    async allow(authorizationUrl) {
      let page = await load(authorizationUrl.href);
      if (page.html.includes('name="password"')) page = await submit(page, { username, password });
      const asked = scopesAsked(page);
      page = await submit(page, { decision: 'allow' });
      const [, callback = ''] = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(page.html) ?? [];
      return { callback: new URL(callback.replaceAll('&amp;', '&')), asked };
    },
    async disconnect(site) {
      let page = await load(`${site}/account/agents`);
      const path = '/account/agents/disconnect';
      while (page.html.includes(`${path}"`)) page = await submit(page, {}, path);
    },
  };
}

/** A first consent lists what is asked; a step-up marks what is new beside what was allowed before. */
function scopesAsked({ html }: Page): string[] {
  const [permissions = ''] = /<section class="permissions"[\s\S]*?<\/section>/.exec(html) ?? [];
  const listed = [...permissions.matchAll(/(<span class="tag">New<\/span>)?<\/span> <code>([^<]*)<\/code>/g)].map(([, isNew, scope = '']) => ({
    isNew,
    scope,
  }));
  const fresh = listed.filter(({ isNew }) => isNew);
  return (fresh.length > 0 ? fresh : listed).map(({ scope }) => scope);
}
