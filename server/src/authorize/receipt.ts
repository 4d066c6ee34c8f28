/**
 * The consent receipt: what the person saw, in the words they saw, and what came of it. Kept with the grant, so that "what did I agree to" has one answer
 * even after the app or the server describes itself anew (experience §3.3). Pure.
 */
import { clientIdentity } from '../views/client-identity.ts';
import type { ConsentPageValues } from '../views/consent-page.ts';
import { describeScope } from '../views/describe-scope.ts';
import type { PageFrame } from '../views/layout.ts';
import { describeRedirect } from '../views/redirect-target.ts';

/** `asked` is false for an answer from remembered consent, which shows no page. Times are epoch seconds. */
export type Decided = { granted: readonly string[]; asked: boolean; at: number };

/** JSON text. Members are stable: `v` counts changes of the shape. */
export function consentReceipt(frame: PageFrame, shown: Omit<ConsentPageValues, 'tx' | 'csrf'>, { granted, asked, at }: Decided): string {
  const identity = clientIdentity(shown.client, frame);
  const target = describeRedirect(shown.redirectUri, shown.client.host);
  return JSON.stringify({
    v: 1,
    at,
    asked,
    language: frame.language,
    client: { id: shown.technical.clientId, tier: identity.tier, name: identity.name, proof: identity.proof, warnings: identity.warnings },
    server: shown.server,
    returns_to: { place: target.place, line: target.line, warning: target.warning },
    through: shown.through,
    renewable: shown.offline,
    lasts_days: shown.lasts,
    scopes: shown.scopes.map((scope) => ({
      name: scope.name,
      ...describeScope(scope),
      optional: scope.optional === true,
      granted: granted.includes(scope.name),
    })),
  });
}
