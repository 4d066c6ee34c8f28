/**
 * A person who disconnects an agent ends what it listens to as well: an event stream of a protected server, opened before, is over at the next look of the SDK.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { protect } from 'auth-agent-mcp-sdk';
import { filesServer } from '../../../examples/typescript-server/src/files-server.ts';
import { openAgent, v2 } from './agents.ts';
import { openStand } from './stand.ts';

const lookMs = 30_000;
const folder = { list: async () => [], read: async () => '', write: async () => {}, remove: async () => {} };

/** The looks of all streams, to be made by the test. */
function looksOf(t: TestContext): (() => Promise<void>)[] {
  const looks: (() => Promise<void>)[] = [];
  const set = globalThis.setTimeout;
  t.mock.method(globalThis, 'setTimeout', (act: () => Promise<void>, ms: number, ...rest: unknown[]) => {
    if (ms !== lookMs) return set(act, ms, ...rest);
    looks.push(act);
    return set(() => {}, 0);
  });
  return looks;
}

test('[RS-10] an agent that was disconnected hears nothing more through a stream that it opened before, and others go on', async (t) => {
  const stand = await openStand(t);
  const hung: boolean[] = [];
  function stream(): Response {
    const index = hung.push(false) - 1;
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: hello\n\n')),
      cancel: () => {
        hung[index] = true;
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  }
  const { url } = await stand.serve('/mcp', (options) => {
    const [mcp, events] = [filesServer(folder, options), protect(options, stream)];
    return (request) => (request.url.endsWith('/events') ? events(request) : mcp.fetch(request));
  });
  const tokens: string[] = [];
  for (const agent of [openAgent(v2, { url, visit: stand.allow }), openAgent(v2, { url, visit: stand.allow })]) {
    await agent.connect();
    await agent.close();
    tokens.push(agent.kept.tokens?.access_token ?? '');
  }
  const looks = looksOf(t);
  const readers = [];
  for (const token of tokens) {
    const { body } = await fetch(`${url}/events`, { headers: { Authorization: `Bearer ${token}` } });
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), 'data: hello\n\n');
    readers.push(reader);
  }

  await stand.disconnect();
  for (const look of looks.splice(0)) await look();

  const ended = hung.indexOf(true);
  assert.deepEqual([hung.filter(Boolean).length, looks.length], [1, 1]);
  assert.equal((await readers[ended]?.read())?.done, true);
  assert.equal((await fetch(`${url}/events`, { headers: { Authorization: `Bearer ${tokens[ended]}` } })).status, 401);
  await readers[1 - ended]?.cancel();
});
