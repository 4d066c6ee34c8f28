/**
 * What stands before the servers of a story: one server in this process, several on one database of which each request meets the next, or one in workerd. What a
 * runtime does by its clock is done by all of them.
 */
import type { AuthServer } from '../src/app.ts';

/** A server that stands in another process. */
export type Elsewhere = Pick<AuthServer, 'fetch' | 'flush'> & { maintain(): Promise<void> };

/** The first of `nodes` as everybody sees it. */
export function frontOf(nodes: [AuthServer, ...AuthServer[]], elsewhere?: Elsewhere): AuthServer {
  const [first] = nodes;
  let turn = 0;
  return {
    ...first,
    fetch: (request, connection) => (elsewhere ?? (nodes[turn++ % nodes.length] as AuthServer)).fetch(request, connection),
    async flush() {
      for (const node of nodes) await node.flush();
      for (const fellow of nodes.slice(1)) await (await fellow.context())?.mail.idle();
      await elsewhere?.flush();
    },
    async maintain() {
      if (elsewhere) {
        await elsewhere.maintain();
        return {};
      }
      const node = nodes[turn++ % nodes.length] as AuthServer;
      const found = await node.maintain();
      await handedOver(node);
      return found;
    },
    async close() {
      for (const node of nodes) await node.close();
    },
    storage: {
      ...first.storage,
      async close() {
        for (const node of nodes) await node.storage.close();
      },
    },
  };
}

/** A node waits for nobody to whom it hands something over; a story does. */
async function handedOver(node: AuthServer): Promise<void> {
  const context = await node.context();
  for (const relay of context ? [context.logouts, context.mail, context.webhooks] : []) await relay.idle();
}
