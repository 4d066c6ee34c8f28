/**
 * Workload identity (SEP-1933): a program shows the token its platform gave it (Kubernetes, CI) and acts as the machine client that an operator named for its
 * subject. No secret is kept anywhere. Not here: what a machine may do (grants/client-credentials.ts).
 */
import { addressBucket } from '../../clients/address-bucket.ts';
import { findClientForToken } from '../../clients/find.ts';
import type { Context, Exchange } from '../../context.ts';
import { readForeignJwt } from '../../crypto/foreign-jwt.ts';
import { sha256 } from '../../crypto/hash.ts';
import { OAuthError } from '../../errors.ts';
import type { Answer } from '../../route.ts';
import type { Parameters } from '../../rules/parameters.ts';
import type { Client, Workload } from '../../storage/store.ts';
import { redeemAsMachine } from '../grants/client-credentials.ts';
import type { TokenRequest } from '../grants/grant-type.ts';
import { secretGuesses } from '../secret-guesses.ts';
import { believe, notValid, useUp } from './trusted-assertion.ts';

/** Kubernetes says nothing, CI services say JWT, SPIFFE may say JOSE; a token with a type of its own is for something else. */
const types = [undefined, 'jwt', 'jose'];
/** Tokens that a platform mounts live for hours, and are shown again until it renews them. */
const maxLifetimeSeconds = 86_400;

type Sent = { exchange: Exchange; parameters: Parameters };

/** The client a workload acts as. @throws {OAuthError} invalid_grant whatever is wrong, too_many_requests while failures are slowed down */
export async function workloadClient(assertion: string, { exchange, parameters }: Sent, context: Context): Promise<Client> {
  const guesses = secretGuesses(context);
  const bucket = `${addressBucket(exchange.address)} ${sha256(assertion.split('.')[1] ?? '').slice(0, 2)}`;
  guesses.refuseBlocked(bucket);
  try {
    const client = await actsAs(assertion, context);
    if ((parameters.get('client_id') ?? client.id) !== client.id) throw notValid('its subject acts as another client');
    return client;
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_grant') await guesses.countFailure(bucket);
    throw error;
  }
}

/** What a machine gets for its secret. `assertion` is the one that {@link workloadClient} believed. */
export function redeemWorkloadToken(assertion: string, request: TokenRequest, context: Context): Promise<Answer> {
  return redeemAsMachine(request, context, () => useUpIfOnce(assertion, context));
}

/** Not while finding out who asks: a request that is refused, or repeated with a nonce, must not cost a platform its token. @throws {OAuthError} invalid_grant */
async function useUpIfOnce(assertion: string, context: Context): Promise<void> {
  const claims = readForeignJwt(assertion)?.claims ?? {};
  const issuer = await context.store.findIssuer(String(claims.iss));
  if (!issuer) throw notValid('its issuer is not trusted any more');
  if (issuer.once) await useUp({ issuer, claims }, context);
}

async function actsAs(assertion: string, context: Context): Promise<Client> {
  const believed = await believe(assertion, { kind: 'workload', types, maxLifetimeSeconds }, context);
  const workload = matching(await context.store.listWorkloads(believed.issuer.issuer), believed.subject);
  if (!workload) throw notValid('its subject is no workload here');
  const found = await findClientForToken(workload.clientId, context);
  // CC-03: ids of people begin with `usr_`.
  if (found.state !== 'active' || found.client.registration !== 'manual' || found.client.id.startsWith('usr_'))
    throw notValid('the client of its subject is gone');
  return found.client;
}

/** The exact subject, else the longest beginning with a `*` after it. */
function matching(workloads: readonly Workload[], subject: string): Workload | undefined {
  const fits = workloads.filter((one) => one.subject === subject || (one.subject.endsWith('*') && subject.startsWith(one.subject.slice(0, -1))));
  return fits.sort((left, right) => Number(right.subject === subject) - Number(left.subject === subject) || right.subject.length - left.subject.length)[0];
}
