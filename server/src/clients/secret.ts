/**
 * Client secrets: made here, shown once, kept as a keyed hash (DCR-20). A secret holds 256 random bits, so a fast hash is enough; the key makes a stolen
 * database useless for checking guesses.
 */
import type { Context } from '../context.ts';
import { randomId } from '../crypto/random.ts';
import type { ClientMetadata } from '../storage/store.ts';

/** A fresh secret for a confidential client. */
export function newClientSecret(): string {
  return randomId('cs_', 32);
}

/** What a row keeps of a secret. Bound to the client: the same secret of another client hashes differently. */
export function clientSecretHash(context: Pick<Context, 'instance'>, clientId: string, secret: string): string {
  return context.instance.mac('client-secret', clientId, secret);
}

/** Whether a client proves who it is with a secret. */
export function usesSecret({ tokenEndpointAuthMethod }: ClientMetadata): boolean {
  return tokenEndpointAuthMethod.startsWith('client_secret_');
}
