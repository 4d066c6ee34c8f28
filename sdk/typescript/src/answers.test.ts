/** What a caller gets, and the developer's log says, for each thing that can go wrong: the table of the SDK's documents, as `sdk/vectors/answers.json`. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { activeAnswer, optionsFor, type PlayedServer, playAuthorizationServer, type Reply, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { protect } from './adapters/fetch.ts';

type Server = 'down' | 'slow' | { status: number; body?: object; active?: Record<string, unknown> };

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly server: Server;
  readonly says?: Record<string, unknown>;
  readonly status: number;
  readonly retry_after?: number;
  readonly error?: string;
  readonly log?: string | null;
}

for (const vector of readVectors<{ cases: Case[] }>('answers').cases) {
  test(`${titleOf(vector)} (answers)`, async (t) => {
    const played = await playAuthorizationServer(t);
    played.reply = () => replyOf(vector.server, played);
    const lines: string[] = [];
    const authServerUrl = vector.server === 'down' ? await nobodyListens() : played.url;
    const timeout = vector.server === 'slow' ? 0.2 : 5;
    const options = { ...optionsFor(played), authServerUrl, resource, timeout, log: (line: string) => lines.push(line) };
    const handle = protect(options, () => Response.json({}, { status: 200 }));

    const response = await handle(new Request(resource, { headers: { Authorization: `Bearer ${tokenOf(vector, played)}` } }));

    const { headers } = response;
    assert.deepEqual([response.status, ((await response.json()) as { error?: string }).error], [vector.status, vector.error]);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('retry-after'), vector.status === 503 ? String(vector.retry_after) : null);
    assert.equal(headers.has('www-authenticate'), vector.status === 401);
    if (vector.status === 401) assert.match(headers.get('www-authenticate') ?? '', /error="invalid_token"/);
    assert.equal(lines.length, vector.log ? 1 : 0, lines.join('\n'));
    assert.ok(
      lines.every((line) => line.includes(vector.log ?? '')),
      lines.join('\n'),
    );
  });
}

function replyOf(server: Server, { url }: PlayedServer): Reply {
  if (typeof server === 'string') return 'hang';
  if (!server.active) return { status: server.status, body: server.body };
  const changes = Object.entries(server.active).map(([name, value]) => [name, typeof value === 'number' ? startOfTime + value : value]);
  return { body: activeAnswer(url, Object.fromEntries(changes)) };
}

/** A JWT that nobody signed. */
function tokenOf({ says }: Case, { url }: PlayedServer): string {
  return says ? `e30.${Buffer.from(JSON.stringify(activeAnswer(url, says))).toString('base64url')}.c2ln` : 'abc';
}

/** An address whose port was free a moment ago. */
async function nobodyListens(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://localhost:${port}`;
}
