/**
 * Who acts for the person, when an MCP server calls another one (RFC 8693 §4.1): the chain of a token, and what a server may ask of it. Pure.
 */
import { ActorRefused, AuthenticationError } from './errors.ts';
import type { AuthContext } from './verify.ts';

/** More than any server hands on; a deeper claim is somebody's experiment. */
const deepest = 16;

/**
 * The ids in an `act` claim, the nearest first; undefined without one.
 *
 * @throws {AuthenticationError} invalid_token for a claim that cannot be read, or a chain of more than `maxActors`.
 */
export function readActors(act: unknown, maxActors: number): string[] | undefined {
  if (act === undefined || act === null) return undefined;
  const actors: string[] = [];
  for (let actor: unknown = act; actor !== undefined && actor !== null; ) {
    const { sub, act: before } = (typeof actor === 'object' ? actor : {}) as { sub?: unknown; act?: unknown };
    if (typeof sub !== 'string' || sub === '' || actors.length === deepest) throw new AuthenticationError('invalid_token', 'act');
    actors.push(sub);
    actor = before;
  }
  if (actors.length > maxActors) throw new AuthenticationError('invalid_token', 'actors');
  return actors;
}

/**
 * Lets only requests through that come from one of these clients in somebody's name: an MCP server that was called by an agent, not the agent itself.
 *
 * @throws {ActorRefused} 403, also when nobody acts for anybody.
 * @example
 *     app.get('/notes', (c) => {
 *       requireActor(c.get('user'), 'client_files');
 *       return c.json(notesOf(c.get('user').id));
 *     });
 */
export function requireActor(auth: Pick<AuthContext, 'actors'>, ...clientIds: readonly [string, ...string[]]): void {
  const [nearest] = auth.actors ?? [];
  if (nearest === undefined || !clientIds.includes(nearest)) throw new ActorRefused();
}
