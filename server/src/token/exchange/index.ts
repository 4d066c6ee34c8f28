/**
 * The kinds of token that an exchange can ask for. The grant reads this list: adding one here is all it takes.
 */
import { delegatedAccess } from './delegated-access.ts';
import { identityAssertion } from './identity-assertion.ts';
import type { RequestedTokenType } from './token-type.ts';

export const requestedTokenTypes: readonly RequestedTokenType[] = [delegatedAccess, identityAssertion];
