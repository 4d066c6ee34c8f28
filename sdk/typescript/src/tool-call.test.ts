import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeAnswer, optionsFor, playAuthorizationServer, resource } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';
import { protect } from './adapters/fetch.ts';
import type { ScopeRequirement } from './scope.ts';
import { maxBodyBytes } from './tool-call.ts';

interface File {
  readonly required_scopes: string[];
  readonly tool_scopes: Record<string, ScopeRequirement>;
  readonly cases: {
    name: string;
    requirements: string[];
    body: string;
    granted: string[];
    headers?: Record<string, string>;
    status: number;
    challenge?: string[];
  }[];
}

const file = readVectors<File>('tool-calls');

for (const vector of file.cases) {
  test(`${titleOf(vector)} (tool calls)`, async (t) => {
    const played = await playAuthorizationServer(t);
    played.reply = () => ({ body: activeAnswer(played.url, { scope: vector.granted.join(' ') }) });
    const handle = protect({ ...optionsFor(played), resource, requiredScopes: file.required_scopes, toolScopes: file.tool_scopes }, async (request) => {
      return new Response(await request.text());
    });

    const response = await handle(
      new Request(resource, {
        method: 'POST',
        body: vector.body,
        headers: { Authorization: 'Bearer abc', 'Content-Type': 'application/json', ...vector.headers },
      }),
    );

    assert.equal(response.status, vector.status);
    if (vector.status === 200) assert.equal(await response.text(), vector.body);
    if (vector.challenge) assert.match(response.headers.get('www-authenticate') ?? '', new RegExp(`scope="${vector.challenge.join(' ')}"`));
  });
}

test('[RS-16] a body too large to look at is refused, not waved through', async (t) => {
  const played = await playAuthorizationServer(t);
  const handle = protect({ ...optionsFor(played), resource, toolScopes: { write_file: ['files:write'] } }, () => new Response('reached'));
  const huge = ' '.repeat(maxBodyBytes + 1);

  for (const body of [huge, new Blob([huge]).stream()]) {
    const init = { method: 'POST', body, headers: { Authorization: 'Bearer abc' }, duplex: 'half' } as RequestInit;
    const response = await handle(new Request(resource, init));

    assert.equal(response.status, 413);
  }
});

test('[RS-16] the method of the request cannot hide a call: a body counts on PUT as on POST, with any content type', async (t) => {
  const played = await playAuthorizationServer(t);
  const handle = protect({ ...optionsFor(played), resource, toolScopes: { write_file: ['files:write'] } }, () => new Response('reached'));
  const body = '{"method":"tools/call","params":{"name":"write_file"}}';

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const response = await handle(new Request(resource, { method, body, headers: { Authorization: 'Bearer abc', 'Content-Type': 'text/plain' } }));

    assert.equal(response.status, 403, method);
  }
});
