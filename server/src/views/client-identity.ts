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
  /** The client this one is easily taken for, for example "Claude Code (claude.ai)". */
  lookAlikeOf?: string;
  everyRedirectLoopback?: boolean;
};

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

function warningsOf(client: ClientView, { t }: Words): string[] {
  const warnings: string[] = [];
  if (client.lookAlikeOf) {
    const original = displayText(client.lookAlikeOf);
    const host = /\(([^()]+)\)$/.exec(original)?.[1];
    warnings.push(host ? t('client.lookAlikeHost', { original, host }) : t('client.lookAlike', { original }));
  }
  if (hasMixedScripts(client.name)) warnings.push(t('client.mixedScripts'));
  return warnings;
}
