/** Proves the guard of outgoing fetches against a real https server on loopback: what it connects to, what it takes, when it gives up. */
import assert from 'node:assert/strict';
import { promises as dns } from 'node:dns';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { selfSigned } from '../../test/self-signed.ts';
import { FetchFailure, type FetchFailureKind } from '../clients/fetch-failure.ts';
import { isPublicAddress, type PinnedFetchOptions, pinnedFetcher, pinnedPoster, pinnedUpstreamFetch } from './pinned-fetch.ts';

const certificate = selfSigned(['localhost', 'app.test', '127.0.0.1']);
const closing: (() => void)[] = [];
after(() => {
  for (const close of closing) close();
});

async function serve(listener: RequestListener): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const server: Server = createServer(certificate, (incoming, answer) => {
    seen.push(`${incoming.method} ${incoming.headers.host} ${incoming.url} ${JSON.stringify(incoming.headers)}`);
    listener(incoming, answer);
  });
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { port: (server.address() as AddressInfo).port, seen };
}

const onLoopback = (more: PinnedFetchOptions = {}) =>
  pinnedFetcher({
    dangerouslyAllowLoopback: true,
    ca: certificate.cert,
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    ...more,
  });
const ok = (answer: ServerResponse, body: string | Buffer, headers: Record<string, string> = {}) =>
  answer.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(body);

async function failure(fetched: Promise<unknown>): Promise<FetchFailure> {
  const error = await fetched.then(
    () => assert.fail('it was fetched'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof FetchFailure, String(error));
  return error;
}
const kind = async (fetched: Promise<unknown>): Promise<FetchFailureKind> => (await failure(fetched)).kind;

test('[CIMD-03] special-use addresses of both families are not public, in any spelling', () => {
  const special =
    '0.0.0.0 10.1.2.3 100.64.0.1 100.127.255.255 127.0.0.1 127.255.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 ' +
    '198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::1 100::1 fe80::1 fc00::1 ' +
    'fd12:3456::1 ff02::1 2001::1 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 not-an-address';
  for (const address of special.split(' ')) assert.equal(isPublicAddress(address), false, address);
  for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1']) assert.equal(isPublicAddress(address), true, address);
});

test('[CIMD-03] [CIMD-04] a host that is or resolves to a special-use address is refused, and no connection is made', async () => {
  const { port, seen } = await serve((_, answer) => ok(answer, '{}'));
  const fetcher = pinnedFetcher({ ca: certificate.cert });
  for (const host of [
    'localhost',
    '127.0.0.1',
    '0x7f.1',
    '2130706433',
    '0177.0.0.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[fe80::1]',
    '0.0.0.0',
  ]) {
    assert.equal(await kind(fetcher(`https://${host}:${port}/client`)), 'refused', host);
  }
  assert.deepEqual(seen, []);
});

test('[CIMD-03] one special-use address among public ones refuses the name', async () => {
  const resolving = (...addresses: string[]) =>
    pinnedFetcher({ dangerouslyAllowLoopback: true, lookup: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })) });

  assert.equal(await kind(resolving('93.184.216.34', '127.0.0.1')('https://app.test/client')), 'refused');
  assert.equal(await kind(resolving('93.184.216.34', '10.0.0.1')('https://app.test/client')), 'refused');
  assert.equal(await kind(resolving('2606:4700::1111', 'fd00::1')('https://app.test/client')), 'refused');
  assert.equal(await kind(resolving('127.0.0.1', '192.168.0.1')('https://app.test/client')), 'refused');
  assert.equal(await kind(resolving('::ffff:127.0.0.1')('https://app.test/client')), 'refused');
  assert.equal(await kind(resolving()('https://app.test/client')), 'transport');
});

test('[CIMD-03] the name is resolved once, and the connection goes to the vetted address with Host and SNI of the name', async () => {
  const { port, seen } = await serve((_, answer) => ok(answer, '{"a":1}', { 'Cache-Control': 'max-age=60' }));
  let asked = 0;
  // The second answer is where a rebinding attacker would want us.
  const fetcher = onLoopback({ lookup: async () => [{ address: asked++ === 0 ? '127.0.0.1' : '127.0.0.99', family: 4 }] });

  const answer = await fetcher(`https://app.test:${port}/client?x=1`);

  assert.equal(asked, 1);
  assert.equal(Buffer.from(answer.body).toString(), '{"a":1}');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['cache-control'], 'max-age=60');
  assert.match(seen[0] ?? '', new RegExp(`^GET app.test:${port} /client\\?x=1 `));
});

test('[CIMD-03] the certificate must be for the name, not for the address', async () => {
  const { port } = await serve((_, answer) => ok(answer, '{}'));

  assert.equal(await kind(onLoopback()(`https://other.test:${port}/client`)), 'transport');
  assert.equal(await kind(pinnedFetcher({ dangerouslyAllowLoopback: true })(`https://localhost:${port}/client`)), 'transport');
});

test('[CIMD-04] development may fetch a loopback name over https', async () => {
  const { port } = await serve((_, answer) => ok(answer, '{}'));
  const fetcher = pinnedFetcher({ dangerouslyAllowLoopback: true, ca: certificate.cert });

  assert.equal((await fetcher(`https://localhost:${port}/client`)).status, 200);
  assert.equal((await fetcher(`https://127.0.0.1:${port}/client`)).status, 200);
});

test('only plain https is fetched', async () => {
  for (const url of ['http://localhost/client', 'ftp://app.test/x', 'https://user@app.test/x', 'https://user:pw@app.test/x', 'file:///etc/passwd', 'no url']) {
    assert.equal(await kind(onLoopback()(url)), 'refused', url);
  }
});

test('[CIMD-05] no redirect is followed, and only 200 is an answer', async () => {
  const { port, seen } = await serve((incoming, answer) => {
    const status = Number(incoming.url?.slice(1));
    answer.writeHead(status, status < 400 ? { Location: '/200' } : {}).end();
  });
  for (const status of [204, 206, 301, 302, 303, 304, 307, 308, 401, 403, 404, 429, 500, 503]) {
    const refusal = await failure(onLoopback()(`https://app.test:${port}/${status}`));
    assert.equal(refusal.kind, 'status');
    assert.equal(refusal.status, status);
  }
  assert.ok(!seen.some((line) => line.includes('/200 ')));
});

test('[CIMD-06] an answer beyond the limit is cut off, announced or not', async () => {
  const { port } = await serve((incoming, answer) => {
    const body = 'x'.repeat(Number(incoming.url?.slice(2)));
    if (incoming.url?.startsWith('/a')) ok(answer, body);
    else {
      answer.writeHead(200, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' });
      answer.write(body.slice(0, 100));
      answer.end(body.slice(100));
    }
  });
  assert.equal((await onLoopback()(`https://app.test:${port}/a5120`)).body.length, 5120);
  assert.equal((await onLoopback()(`https://app.test:${port}/c5120`)).body.length, 5120);
  assert.equal(await kind(onLoopback()(`https://app.test:${port}/a5121`)), 'too-large');
  assert.equal(await kind(onLoopback()(`https://app.test:${port}/c5121`)), 'too-large');
  assert.equal((await onLoopback({ maxBytes: 6000 })(`https://app.test:${port}/c6000`)).body.length, 6000);
});

test('[CIMD-06] an endless answer is cut off while it streams', async () => {
  let sent = 0;
  const { port } = await serve((_, answer) => {
    answer.writeHead(200, { 'Content-Type': 'application/json' });
    const more = () => {
      while (!answer.destroyed && answer.write('x'.repeat(1024))) sent += 1024;
    };
    answer.on('drain', more);
    more();
  });

  assert.equal(await kind(onLoopback()(`https://app.test:${port}/`)), 'too-large');
  assert.ok(sent < 10_000_000);
});

test('[CIMD-06] a compressed answer is refused unopened', async () => {
  const { port } = await serve((_, answer) => ok(answer, gzipSync('x'.repeat(1_000_000)), { 'Content-Encoding': 'gzip' }));

  assert.equal(await kind(onLoopback()(`https://app.test:${port}/`)), 'encoding');
});

test('[CIMD-03] the name of a stranger is asked of name servers and never of the pool of threads, which an upstream and development may use', async (t) => {
  const names = new Map([
    ['private.test', ['10.0.0.1']],
    ['mixed.test', ['93.184.216.34', '10.0.0.1']],
  ]);
  const notFound = () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
  const asked: string[] = [];
  t.mock.method(dns.Resolver.prototype, 'resolve4', async (name: string) => {
    asked.push(name);
    return names.get(name) ?? notFound();
  });
  t.mock.method(dns.Resolver.prototype, 'resolve6', async (name: string) => (name === 'six.test' ? ['fd00::1'] : notFound()));
  const system = t.mock.method(dns, 'lookup', async () => [{ address: '10.0.0.1', family: 4 }]);
  const upstream = pinnedUpstreamFetch();

  for (const fetched of [pinnedFetcher(), (url: string) => pinnedPoster()(url, '')]) {
    for (const name of ['private.test', 'mixed.test', 'six.test', 'localhost', 'a.localhost', 'localhost.'])
      assert.equal(await kind(fetched(`https://${name}/client`)), 'refused', name);
    assert.equal(await kind(fetched('https://nowhere.test/client')), 'transport');
  }
  assert.deepEqual(new Set(asked), new Set(['private.test', 'mixed.test', 'six.test', 'nowhere.test']));
  assert.equal(system.mock.callCount(), 0);
  assert.equal(await kind(upstream('https://idp.test/', { method: 'GET', headers: {}, privateNetwork: false })), 'refused');
  assert.equal(await kind(pinnedFetcher({ dangerouslyAllowLoopback: true })('https://here.test/client')), 'refused');
  assert.equal(system.mock.callCount(), 2);
});

test('[CIMD-06] the request carries no cookie and no credential, and asks for JSON as it is', async () => {
  const { port, seen } = await serve((_, answer) => ok(answer, '{}', { 'Set-Cookie': 'a=b' }));
  const fetcher = onLoopback();

  await fetcher(`https://app.test:${port}/`);
  await fetcher(`https://app.test:${port}/`);

  for (const line of seen) {
    const headers = JSON.parse(line.slice(line.indexOf('{'))) as Record<string, string>;
    assert.deepEqual(Object.keys(headers).sort(), ['accept', 'accept-encoding', 'connection', 'host', 'user-agent']);
    assert.equal(headers.accept, 'application/json');
    assert.equal(headers['accept-encoding'], 'identity');
  }
});

test('[CIMD-06] an answer that trickles ends at the total deadline', async () => {
  const { port } = await serve((_, answer) => {
    answer.writeHead(200, { 'Content-Type': 'application/json' });
    const trickle = setInterval(() => answer.write(' '), 5);
    answer.on('close', () => clearInterval(trickle));
  });

  assert.equal(await kind(onLoopback({ timeoutMs: 60 })(`https://app.test:${port}/`)), 'timeout');
});

test('[CIMD-06] a server that never answers, never shakes hands, or has no resolver ends in time', async () => {
  const { port } = await serve(() => undefined);
  const mute = createTcpServer(() => undefined).listen(0, '127.0.0.1');
  closing.push(() => mute.close());
  await new Promise((ready) => mute.once('listening', ready));
  const mutePort = (mute.address() as AddressInfo).port;

  assert.equal(await kind(onLoopback({ timeoutMs: 40 })(`https://app.test:${port}/`)), 'timeout');
  assert.equal((await failure(onLoopback({ connectTimeoutMs: 20 })(`https://app.test:${mutePort}/`))).message, 'no connection in time');
  assert.equal(await kind(onLoopback({ timeoutMs: 20, lookup: () => new Promise(() => undefined) })('https://app.test/')), 'timeout');
});

test('a host that is not there or hangs up is a transport failure', async () => {
  const { port } = await serve((incoming) => incoming.socket.destroy());
  const cut = await serve((_, answer) => {
    answer.writeHead(200, { 'Content-Length': '100' });
    answer.write('{');
    setImmediate(() => answer.destroy());
  });

  assert.equal(await kind(onLoopback()(`https://app.test:${port}/`)), 'transport');
  assert.equal(await kind(onLoopback()(`https://app.test:${cut.port}/`)), 'transport');
  assert.equal(await kind(onLoopback()('https://app.test:1/')), 'transport');
  assert.equal(await kind(pinnedFetcher({ lookup: () => Promise.reject(new Error('ENOTFOUND')) })('https://app.test/')), 'transport');
});

test('limits that make no sense are refused at start', () => {
  assert.throws(() => pinnedFetcher({ timeoutMs: 0 }), /"timeoutMs"/);
  assert.throws(() => pinnedFetcher({ maxBytes: 65 * 1024 }), /"maxBytes"/);
});

test('whatever the address, only a FetchFailure is thrown', async () => {
  const fetcher = pinnedFetcher({ timeoutMs: 1000, lookup: async () => [{ address: '10.0.0.1', family: 4 }] });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.ipV4().map((ip) => `https://10.${ip}`),
      ),
      async (url) => {
        await failure(fetcher(url.startsWith('https://') ? `https://a.test/${encodeURIComponent(url)}` : url));
      },
    ),
    { numRuns: 200 },
  );
});

test('[LO-05] a form is posted under the same guard: whatever status comes is the answer, and no redirect is followed', async () => {
  const bodies: string[] = [];
  const { port, seen } = await serve(async (incoming, answer) => {
    let body = '';
    for await (const chunk of incoming) body += String(chunk);
    bodies.push(body);
    const [, status = '200'] = (incoming.url ?? '').split('/');
    answer.writeHead(Number(status), { Location: 'https://app.test/200' }).end(status === '200' ? 'x'.repeat(100_000) : '');
  });
  const options: PinnedFetchOptions = { ca: certificate.cert, lookup: async () => [{ address: '127.0.0.1', family: 4 }] };
  const post = pinnedPoster({ ...options, dangerouslyAllowLoopback: true });

  for (const status of [200, 204, 302, 400, 500]) assert.deepEqual(await post(`https://app.test:${port}/${status}`, 'logout_token=a.b.c'), { status });
  assert.deepEqual(new Set(bodies), new Set(['logout_token=a.b.c']));
  assert.equal(seen.length, 5);
  assert.ok(seen.every((line) => line.startsWith('POST app.test') && line.includes('"content-type":"application/x-www-form-urlencoded"')));
  for (const url of [`https://app.test:${port}/200`, 'https://127.0.0.1/x', 'http://app.test/x', 'https://u:p@app.test/x'])
    assert.equal(await kind(pinnedPoster(options)(url, '')), 'refused', url);
});

test('an upstream is spoken to under the same guard, with whatever method, header and status, no redirect followed, at most 64 KiB', async () => {
  const { port, seen } = await serve((incoming, answer) => {
    const [, status = '200', size = '0'] = (incoming.url ?? '').split('/');
    answer.writeHead(Number(status), { Location: 'https://app.test/200', 'Content-Type': 'application/json' }).end('x'.repeat(Number(size)));
  });
  const options: PinnedFetchOptions = { ca: certificate.cert, lookup: async () => [{ address: '127.0.0.1', family: 4 }] };
  const post = { method: 'POST', headers: { authorization: 'Basic x' }, body: 'a=b' };
  const speak = pinnedUpstreamFetch({ ...options, dangerouslyAllowLoopback: true });

  for (const status of [200, 201, 204, 302, 400, 401, 503]) {
    const response = await speak(`https://app.test:${port}/${status}`, { ...post, privateNetwork: false });
    assert.deepEqual([response.status, await response.text()], [status, '']);
  }
  assert.ok(seen.every((line) => line.startsWith('POST app.test') && line.includes('"authorization":"Basic x"') && line.includes('"content-length":"3"')));
  assert.equal(await kind(speak(`https://app.test:${port}/200/65537`, { ...post, privateNetwork: false })), 'too-large');
  assert.equal((await (await speak(`https://app.test:${port}/200/65536`, { ...post, privateNetwork: false })).text()).length, 65536);
});

test('what an operator says is in a private network may be there; without that it is refused, and http is for loopback alone', async () => {
  const { port, seen } = await serve((_, answer) => ok(answer, '{}'));
  const get = { method: 'GET', headers: {} };
  const inside = (address: string) => pinnedUpstreamFetch({ ca: certificate.cert, timeoutMs: 300, lookup: async () => [{ address, family: 4 }] });

  assert.equal(await kind(inside('127.0.0.1')(`https://app.test:${port}/`, { ...get, privateNetwork: false })), 'refused');
  assert.deepEqual(seen, []);
  assert.equal((await inside('127.0.0.1')(`https://app.test:${port}/`, { ...get, privateNetwork: true })).status, 200);
  for (const privateNetwork of [true, false]) {
    assert.equal(await kind(inside('10.0.0.1')('http://app.test/', { ...get, privateNetwork })), 'refused');
    assert.equal(await kind(inside('93.184.216.34')('http://app.test/', { ...get, privateNetwork })), 'refused');
    assert.equal(await kind(inside('127.0.0.1')('ftp://app.test/', { ...get, privateNetwork })), 'refused');
    assert.equal(await kind(inside('127.0.0.1')('https://u:p@app.test/', { ...get, privateNetwork })), 'refused');
  }
  assert.equal(await kind(inside('127.0.0.1')(`http://app.test:${port}/`, { ...get, privateNetwork: false })), 'refused');
});
