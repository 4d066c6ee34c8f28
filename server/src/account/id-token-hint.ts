/**
 * Reads `id_token_hint`: an ID token of ours that says of whom, or of whose session, a client speaks (OIDC Core §3.1.2.1, RP-Initiated Logout §2). A hint proves that the
 * client once had this person here, and signs nobody in.
 */
import type { Context } from '../context.ts';

export type IdTokenHint = { clientId: string; subject?: string; sid?: string };

/** The facts of a genuine one, else nothing. LO-03: expired ones are welcome, "the OP SHOULD accept ID Tokens [...] even when the exp time has passed". */
export async function readIdTokenHint(token: string | undefined, context: Context): Promise<IdTokenHint | undefined> {
  const jwt = token === undefined ? undefined : (await context.signing.current()).verify(token);
  if (jwt?.header.typ !== 'JWT' || jwt.claims.iss !== context.issuer) return undefined;
  const { aud, exp, sid, sub } = jwt.claims;
  // Signed userinfo has the same typ and no exp.
  if (typeof aud !== 'string' || typeof exp !== 'number') return undefined;
  return { clientId: aud, subject: typeof sub === 'string' ? sub : undefined, sid: typeof sid === 'string' ? sid : undefined };
}
