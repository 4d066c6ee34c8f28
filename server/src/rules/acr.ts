/**
 * How strongly somebody signed in: the level that a client may ask for by name (`acr`, RFC 9470) follows from the methods that were used (`amr`, RFC 8176).
 * Pure. Not here: which methods there are (account/methods/).
 */

/** Names after NIST SP 800-63B, weakest first: a stronger level meets a demand for a weaker one. */
const levels = ['aal1', 'aal2'];

/** The level that the methods of one sign-in reach; undefined when none is known. */
export function acrOf(amr: readonly string[] | undefined): string | undefined {
  if (amr === undefined || amr.length === 0) return undefined;
  return amr.includes('mfa') ? 'aal2' : 'aal1';
}

/** Whether a sign-in meets one of the wanted levels. Nothing wanted is always met. */
export function meetsAcr(amr: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean {
  if (wanted === undefined || wanted.length === 0) return true;
  const reached = levels.indexOf(acrOf(amr) ?? '');
  return wanted.some((name) => levels.includes(name) && levels.indexOf(name) <= reached);
}
