/**
 * The consent receipt: what the person saw, in the words they saw, and what came of it. Kept with the grant, so that "what did I agree to" has one answer
 * even after the app or the server describes itself anew. Pure.
 */
import type { Exchange } from '../context.ts';
import type { AskedAccess, ConsentRecord } from '../storage/store.ts';
import { type ClientView, clientIdentity } from '../views/client-identity.ts';
import type { AskedValues } from '../views/consent-page.ts';
import { describeScope } from '../views/describe-scope.ts';
import type { Duration } from '../views/duration-choice.ts';
import type { PageFrame } from '../views/layout.ts';
import { receiptLabels } from '../views/receipt-page.ts';
import { describeRedirect } from '../views/redirect-target.ts';

import type { AllowedAccesses } from './approval.ts';
import type { Lasting } from './duration.ts';
import { type PageWords, pageWords } from './page-words.ts';
import { boxOf } from './scopes.ts';

/** `granted` is of the one server that the receipt is about, `boxes` what was ticked on the page. `asked` is false for an answer from remembered consent, which shows no page. Times are epoch seconds. */
export type Decided = { granted: readonly string[]; boxes?: readonly string[]; asked: boolean; at: number; duration: Duration; lasting: Lasting };
/** Where the answer went, as the page said it. */
export type ReturnsTo = { place: string; line: string; warning?: string };
/** `device`: the device that asked, when and from which address. */
export type Seen = AskedValues & { clientId: string; returnsTo: ReturnsTo; device?: { requestedAt: number; address: string; sameNetwork: boolean } };

/** JSON text. Members are stable: `v` counts changes of the shape. `html` is the page that was shown: its words are kept, and those with which they are shown again. */
export function consentReceipt(frame: PageFrame, seen: Seen, html: string, { granted, boxes = granted, asked, at, duration, lasting }: Decided): string {
  const identity = clientIdentity(seen.client, frame);
  const { device } = seen;
  return JSON.stringify({
    v: 2,
    at,
    asked,
    language: frame.language,
    dir: frame.dir,
    client: { id: seen.clientId, tier: identity.tier, name: identity.name, proof: identity.proof, warnings: identity.warnings },
    server: seen.server,
    returns_to: seen.returnsTo,
    device: device && { requested_at: device.requestedAt, address: device.address, same_network: device.sameNetwork },
    through: seen.through,
    renewable: seen.offline,
    lasts_days: seen.lasts,
    duration: seen.durations && { offered: seen.durations.offered, chosen: duration, ends_at: lasting.expiresAt, once: lasting.once },
    scopes: seen.scopes.map((scope) => ({
      name: scope.name,
      ...describeScope(scope, frame),
      optional: scope.optional === true,
      granted: granted.includes(scope.name),
    })),
    labels: receiptLabels(frame, { at, asked }),
    words: pageWords(html).map((words) => ({ ...words, chosen: chosen(words, boxes, duration) })),
  });
}

/** Of boxes, each says whether it was ticked; of the lengths, only the one that was chosen says so. */
function chosen({ name, value = '' }: PageWords, boxes: readonly string[], duration: Duration): boolean | undefined {
  if (name === 'scope') return boxes.includes(value);
  return name === 'duration' && value === duration ? true : undefined;
}

/** The receipt with where the person sat. */
export function consentRecord(text: string, { address, request }: Exchange): ConsentRecord {
  const userAgent = request.headers.get('user-agent')?.slice(0, 300);
  return { text, address, ...(userAgent === undefined ? {} : { userAgent }) };
}

/** Where a redirect goes. */
export function returnsTo(redirectUri: string, client: ClientView, frame: PageFrame): ReturnsTo {
  const { place, line, warning } = describeRedirect(redirectUri, frame, client);
  return { place, line, warning };
}

/** One receipt for each resource that was allowed: each with the whole page, and with what was granted there. `write` makes one. */
export function receiptsFor<Shown extends AskedValues>(
  shown: Shown,
  [first, ...companions]: readonly [AskedAccess, ...AskedAccess[]],
  write: (seen: Shown, decided: Required<Pick<Decided, 'granted' | 'boxes'>>) => string,
): AllowedAccesses {
  const boxes = [...first.scope, ...companions.flatMap(({ scope, resource }) => scope.map((name) => boxOf(name, resource)))];
  const allowed = (access: AskedAccess, seen: Shown) => ({ access, receipt: write(seen, { granted: access.scope, boxes }) });
  return [allowed(first, shown), ...companions.map((access, index) => allowed(access, { ...shown, ...shown.beside?.[index] }))];
}
