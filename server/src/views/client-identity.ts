/**
 * Owns: who is asking, in the exact words of the four tiers, and the doubts that go with them. Pure.
 * A metadata document proves who wrote the description, never which program asks; so a name is quoted and never called verified
 * (client ID metadata documents; MCP security, "Localhost Redirect URI Risks").
 */
import { displayText, hasMixedScripts, visibleText } from './display-text.ts';
import { agoText } from './moments.ts';
import type { MessageKey, Words } from './words.ts';

/** `document` has published a metadata document at `host`; `dynamic` registered itself; `registeredAt` is epoch seconds. */
export type ClientTier = 'approved' | 'document' | 'dynamic' | 'demo';
export type ClientView = {
  name: string;
  tier: ClientTier;
  host?: string;
  registeredAt?: number;
  /** Whom this one is easily taken for. */
  lookAlikeOf?: LookAlike;
  everyRedirectLoopback?: boolean;
};

/** `host`: who may bear the name. `elsewhere`: this app is shown to come from another host; else nothing shows where it comes from. */
export type LookAlike = { name: string; host?: string; kind: 'agent' | 'client' | 'server' | 'service'; elsewhere: boolean };

export type ClientIdentity = {
  tier: ClientTier;
  /** The name, fit to show, never empty. */
  name: string;
  /** The sentence, with `{proof}` where the strong part stands and `{name}` where the quoted name stands. */
  line: MessageKey;
  /** What is printed biggest: the publishing domain, or the plain judgement. */
  proof: string;
  disclosure: string;
  warnings: string[];
};

type Frame = Words & { serviceName: string; now?: number };

/** Describes a client. `serviceName` names who approved it; `now` (epoch seconds) turns the time of registration into "2 minutes ago". */
export function clientIdentity(client: ClientView, page: Frame): ClientIdentity {
  const { t } = page;
  const identity = { tier: client.tier, name: clientName(client, page), warnings: warningsOf(client, page) };
  if (client.tier === 'approved')
    return { ...identity, line: 'client.approved', proof: t('client.approved.proof', { service: page.serviceName }), disclosure: t('client.approved.why') };
  if (client.tier === 'demo') return { ...identity, line: 'client.demo', proof: t('client.demo.proof'), disclosure: t('client.demo.why') };
  // A document without a host proves nothing, so it is shown as what it is worth.
  if (client.tier === 'document' && client.host) {
    const host = visibleText(client.host);
    return { ...identity, line: 'client.document', proof: host, disclosure: t('client.document.why', { host }) };
  }
  return { ...identity, tier: 'dynamic', line: 'client.dynamic', proof: t('client.dynamic.proof'), disclosure: registeredText(client, page) };
}

/** The name as shown anywhere on a page; put it in `<bdi>`. */
function clientName(client: ClientView, { t }: Words): string {
  return displayText(client.name) || t('client.unnamed');
}

function registeredText(client: ClientView, page: Frame): string {
  const { t } = page;
  if (client.registeredAt === undefined) return t('client.dynamic.why');
  return t('client.dynamic.whyWhen', { when: agoText(client.registeredAt, page) });
}

function warningsOf(client: ClientView, page: Words): string[] {
  const warnings: string[] = [];
  if (client.lookAlikeOf) warnings.push(lookAlikeText(client.lookAlikeOf, page));
  if (hasMixedScripts(client.name)) warnings.push(page.t('client.mixedScripts'));
  return warnings;
}

/** Where nothing shows where an app comes from, it may be whom it names: that is said as it is. */
function lookAlikeText({ name, host, kind, elsewhere }: LookAlike, { t }: Words): string {
  const original = displayText(name);
  if (kind === 'service') return t('client.lookAlikeService', { original });
  if (host === undefined) return t('client.lookAlike', { original });
  return t(elsewhere ? 'client.lookAlikeHost' : 'client.lookAlikeUnproven', { original, host: visibleText(host) });
}
