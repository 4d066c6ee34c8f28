import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthAgentClient } from 'auth-agent-mcp-sdk';
import { agentTokens } from 'auth-agent-mcp-sdk/agent';
import { readBounded } from './bounded-text.ts';

/** A body of mebibytes without end, and how many of them somebody took. */
function endless() {
  const taken = { mebibytes: 0, ended: false };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken.mebibytes += 1;
      // A reader without a bound must not take this test down with it.
      if (taken.mebibytes > 20) controller.close();
      else controller.enqueue(new Uint8Array(1024 * 1024).fill(0x20));
    },
    cancel() {
      taken.ended = true;
    },
  });
  return { taken, body };
}

test('text up to the limit is read whole, also where a character falls between two parts', async () => {
  const bytes = new TextEncoder().encode('añb');
  const stream = () =>
    new ReadableStream<Uint8Array>({ start: (controller) => [...bytes].map((byte) => controller.enqueue(Uint8Array.of(byte))) && controller.close() });

  assert.equal(await readBounded(stream(), 4), 'añb');
  assert.equal(await readBounded(stream(), 3), undefined);
  assert.equal(await readBounded(null, 3), '');
});

test('[CL-14] [RS-17] no answer is read further than its limit, whoever gives it: it is an outage', async () => {
  const options = {
    serverId: 'srv_a',
    apiKey: 'sk_a',
    authServerUrl: 'https://auth.example.com',
    resource: 'https://files.example.com/mcp',
    log: () => undefined,
  };
  const client = { clientId: 'a', clientSecret: 'b' };
  const asks = [
    (fetch: typeof globalThis.fetch) => new AuthAgentClient({ ...options, fetch }).validateToken('abc'),
    (fetch: typeof globalThis.fetch) => agentTokens({ ...client, issuer: 'https://auth.example.com', fetch }).token(),
    (fetch: typeof globalThis.fetch) => agentTokens({ ...client, tokenEndpoint: 'https://auth.example.com/token', fetch }).token(),
  ];

  for (const ask of asks) {
    const { taken, body } = endless();
    await assert.rejects(
      ask(async () => new Response(body)),
      { code: 'auth_server_unavailable', reason: 'not_json' },
    );
    assert.ok(taken.ended && taken.mebibytes <= 3, `${taken.mebibytes} MiB`);
  }
});
