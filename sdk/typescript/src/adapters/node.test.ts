import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { listen, optionsFor, playAuthorizationServer, resource } from '../../test/stage.ts';
import { AuthorizationError } from '../errors.ts';
import { protect } from './node.ts';

const bearer = { Authorization: 'Bearer abc' };

test('[RS-20] the listener gets the context, and the body untouched', async (t) => {
  const played = await playAuthorizationServer(t);
  const url = await listen(
    t,
    protect({ ...optionsFor(played), resource }, async (request, response, auth) => {
      response.end(`${auth.id} ${await text(request)}`);
    }),
  );

  const response = await fetch(url, { method: 'POST', headers: bearer, body: 'hello' });

  assert.equal(await response.text(), 'usr_1 hello');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('vary'), 'Authorization');
});

test('[RS-04] two Authorization lines on the wire are refused, though node shows only the first', async (t) => {
  const played = await playAuthorizationServer(t);
  const url = await listen(
    t,
    protect({ ...optionsFor(played), resource }, (_request, response) => {
      response.end('reached');
    }),
  );

  const answer = await raw(url, 'GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer abc\r\nauthorization: Bearer def\r\nConnection: close\r\n\r\n');

  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.equal(played.received.length, 0);
});

test('[PRM-07] [RS-18] an absolute request target names no other host and no public place', async (t) => {
  const played = await playAuthorizationServer(t);
  const url = await listen(
    t,
    protect({ ...optionsFor(played), resource }, (_request, response) => {
      response.end('reached');
    }),
  );
  const get = (target: string) => raw(url, `GET ${target} HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n`);

  assert.match(await get('http://evil.example.com/.well-known/oauth-protected-resource'), /"resource":"https:\/\/files\.example\.com\/mcp"/);
  assert.match(await get('http://evil.example.com/mcp'), /^HTTP\/1\.1 401 [\s\S]*resource_metadata="https:\/\/files\.example\.com\//);
});

test('a listener that fails answers 500 and tells only the developer; an error of ours is its challenge', async (t) => {
  const played = await playAuthorizationServer(t);
  const hints: string[] = [];
  const thrown: Error[] = [new Error('the database password is hunter2'), new AuthorizationError(['files:delete'])];
  const url = await listen(
    t,
    protect({ ...optionsFor(played), resource, log: (line) => hints.push(line) }, () => {
      throw thrown.shift() as Error;
    }),
  );

  const failed = await fetch(url, { headers: bearer });
  const forbidden = await fetch(url, { headers: bearer });

  assert.equal(failed.status, 500);
  assert.doesNotMatch(await failed.text(), /hunter2/);
  assert.match(hints.join(''), /hunter2/);
  assert.equal(forbidden.status, 403);
});

test('options that this adapter cannot keep are refused at start', () => {
  const options = { serverId: 'srv_a', apiKey: 'sk_a', authServerUrl: 'https://auth.example.com' };

  assert.throws(() => protect({ ...options, toolScopes: { a: ['b'] } } as never, () => undefined), /"toolScopes"/);
  assert.throws(() => protect({ ...options, publicPaths: ['/health'] } as never, () => undefined), /"publicPaths"/);
});

function raw(url: string, message: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(message);
  return text(socket);
}
