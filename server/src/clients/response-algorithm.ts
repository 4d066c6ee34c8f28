/**
 * What the answers for a client are signed with: the algorithm it registered, if this server has a key for that, else RS256, which it always has
 * (OIDC Discovery §3, RFC 9068 §2.1).
 */
import type { Options } from '../options.ts';
import type { ResponseAlgorithm } from '../storage/store.ts';

export function offeredAlgorithms({ signingAlgorithm }: Options): ResponseAlgorithm[] {
  return signingAlgorithm === 'RS256' ? ['RS256'] : ['RS256', signingAlgorithm];
}

export function responseAlgorithm(asked: ResponseAlgorithm | undefined, options: Options): ResponseAlgorithm {
  return asked !== undefined && offeredAlgorithms(options).includes(asked) ? asked : 'RS256';
}
