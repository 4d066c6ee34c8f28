/**
 * Owns: saying in one line where the browser goes after a decision, and whether that place belongs to the publisher of the app.
 * Not owned: whether the redirect URI is registered (rules/redirect-uri). RFC 8252 §7; MCP security, "Localhost Redirect URI Risks".
 */
import { visibleText } from './display-text.ts';
import type { Words } from './words.ts';

/** Where an answer goes. `code-page` is the out-of-band page of development mode; `unknown` is anything we would not vouch for. */
export type RedirectKind = 'loopback' | 'https' | 'custom-scheme' | 'code-page' | 'unknown';

export type RedirectTarget = {
  kind: RedirectKind;
  /** The sentence for the page, already in words. */
  line: string;
  /** Host with port for loopback, host for https, `scheme://` for an app; what the eye must find in `line`. */
  place: string;
  /** The end of `place` that someone had to register, to be printed strongest; a guess for the eye, never for a decision. */
  owner: string;
  /** Set when the answer leaves the publisher's own domain. */
  warning?: string;
  /** Any program on this computer could receive the answer (CON-02). */
  anyProgram: boolean;
};

/** Says whether a URL hostname can only be this computer. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/**
 * Describes the redirect URI of this request. `publisher.host` is the host of the metadata document, when there is one;
 * `belongs` overrides our comparison where the caller knows better (a public suffix list, an allow-list).
 * @example describeRedirect('http://localhost:3000/callback', wordsFor('en')).line // 'a program on this computer (localhost:3000)'
 */
export function describeRedirect(redirectUri: string, words: Words, publisher: { host?: string; belongs?: boolean } = {}): RedirectTarget {
  const { t } = words;
  if (/^urn:ietf:wg:oauth:2\.0:oob(:auto)?$/.test(redirectUri))
    return { kind: 'code-page', line: t('redirect.codePage'), place: '', owner: '', anyProgram: false };
  if (!URL.canParse(redirectUri)) return unknownTarget(redirectUri, words);

  const url = new URL(redirectUri);
  const overHttp = url.protocol === 'http:' || url.protocol === 'https:';
  if (overHttp && isLoopbackHost(url.hostname))
    return { kind: 'loopback', line: t('redirect.loopback', { place: url.host }), place: url.host, owner: url.host, anyProgram: true };
  if (url.protocol === 'https:') return httpsTarget(url, words, publisher);
  if (overHttp) return unknownTarget(redirectUri, words);
  const place = `${url.protocol}//`;
  return { kind: 'custom-scheme', line: t('redirect.scheme', { place }), place, owner: place, anyProgram: true };
}

/** Describes where the answer to a device goes: no redirect, but the device that waits. */
export function describeDevice({ t }: Words): Pick<RedirectTarget, 'place' | 'line'> {
  return { place: 'device', line: t('redirect.deviceUnnamed') };
}

function httpsTarget(url: URL, { t }: Words, { host, belongs }: { host?: string; belongs?: boolean }): RedirectTarget {
  const target: RedirectTarget = { kind: 'https', line: url.host, place: url.host, owner: ownerPart(url.host), anyProgram: false };
  if (belongs ?? (host === undefined || isSameSite(url.hostname, host))) return target;
  return {
    ...target,
    warning: host ? t('redirect.foreign', { place: url.host, host: visibleText(host) }) : t('redirect.foreignUnknown', { place: url.host }),
  };
}

function unknownTarget(redirectUri: string, { t }: Words): RedirectTarget {
  const place = visibleText(redirectUri);
  return { kind: 'unknown', line: place, place, owner: place, warning: t('redirect.unknown'), anyProgram: true };
}

/**
 * Without a public suffix list only a host and what lies below it are surely one owner. Siblings (`a.github.io`, `b.github.io`)
 * count as strangers: a warning too many is true, a warning too few is an attack.
 */
function isSameSite(redirectHost: string, publisherHost: string): boolean {
  const publisher = publisherHost.toLowerCase().replace(/:\d+$/, '');
  if (redirectHost === publisher) return true;
  const [shorter, longer] = redirectHost.length < publisher.length ? [redirectHost, publisher] : [publisher, redirectHost];
  return shorter.includes('.') && longer.endsWith(`.${shorter}`);
}

/** Two labels, or three below endings such as `co.uk`; an address in numbers is whole. */
function ownerPart(host: string): string {
  if (/^[\d.:]+$|^\[/.test(host)) return host;
  const labels = host.split('.');
  const ending = labels.at(-1)?.replace(/:\d+$/, '') ?? '';
  const underCountry = ending.length === 2 && (labels.at(-2)?.length ?? 0) <= 3;
  return labels.slice(underCountry ? -3 : -2).join('.');
}
