import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthAgentClient } from 'auth-agent-mcp-sdk';
import { agentTokens } from 'auth-agent-mcp-sdk/agent';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { activeAnswer, registered, resource, startOfTime } from '../test/stage.ts';
import { createFlights } from './flights.ts';

test('who comes while a flight is under way joins it, who comes after starts another', async () => {
  const flights = createFlights<number>(5);
  let started = 0;
  const start = async () => ++started;

  assert.deepEqual(await Promise.all([flights.join('a', start, 0), flights.join('a', start, 0), flights.join('b', start, 0)]), [1, 1, 2]);
  assert.equal(await flights.join('a', start, 0), 3);
});

test('a flight that failed is over too', async () => {
  const flights = createFlights<number>(5);

  await assert.rejects(
    flights.join('a', async () => Promise.reject(new Error('lost')), 0),
    /lost/,
  );

  assert.equal(flights.has('a'), false);
  assert.equal(await flights.join('a', async () => 1, 0), 1);
});

test('a flight that never lands is joined for as long as it could last, and forgotten then', async () => {
  const flights = createFlights<number>(5);
  const lost = flights.join('a', () => new Promise(() => undefined), 0);

  assert.equal(
    flights.join('a', async () => 2, 4.9),
    lost,
  );
  assert.equal(await flights.join('a', async () => 2, 5), 2);
});

test('one that lands after it was given up does not end its successor', async () => {
  const flights = createFlights<number>(5);
  const late = Promise.withResolvers<number>();
  const believed: boolean[] = [];
  const first = flights.join('a', (isCurrent) => late.promise.finally(() => believed.push(isCurrent())), 0);
  const second = flights.join('a', () => new Promise(() => undefined), 5);

  late.resolve(1);

  assert.equal(await first, 1);
  assert.deepEqual(believed, [false]);
  assert.equal(
    flights.join('a', async () => 3, 6),
    second,
  );
});

test('[RS-17] what died with the request that began it, as on Workers, keeps no later request waiting', { timeout: 20_000 }, async () => {
  const issuer = 'https://auth.example.com';
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const claims = { ...activeAnswer(issuer), sub: 'usr_1', client_id: 'client_a', scope: 'files:read' };
  const token = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' }).sign(privateKey);
  const documents: Record<string, object> = {
    '/introspect': activeAnswer(issuer),
    '/token': { access_token: 't1', token_type: 'Bearer', expires_in: 600 },
    '/.well-known/oauth-protected-resource/srv_a': registered(issuer),
    '/.well-known/jwks.json': { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] },
  };
  const options = { serverId: 'srv_a', apiKey: 'sk_a', authServerUrl: issuer, resource, log: () => undefined };
  type World = { fetch: typeof fetch; now: () => number };
  const asks: Record<string, (world: World) => () => Promise<unknown>> = {
    introspection: (world) => {
      const client = new AuthAgentClient({ ...options, ...world });
      return () => client.validateToken('abc');
    },
    keys: (world) => {
      const client = new AuthAgentClient({ ...options, ...world, verify: 'local' });
      let calls = 0;
      // Another token each time, so that only the keys are shared.
      return async () => client.validateToken(calls++ === 0 ? `${token.slice(0, -4)}AAAA` : token);
    },
    'registered metadata': (world) => {
      const client = new AuthAgentClient({ ...options, ...world });
      return () => client.getServerMetadata();
    },
    'tokens of an agent': (world) => {
      const agent = agentTokens({ clientId: 'a', clientSecret: 'b', tokenEndpoint: `${issuer}/token`, ...world });
      return () => agent.token();
    },
  };

  for (const [name, make] of Object.entries(asks)) {
    let now = startOfTime;
    let asked = 0;
    const play = async (input: unknown) => {
      if (++asked === 1) await new Promise(() => undefined);
      return Response.json(documents[new URL(String(input)).pathname]);
    };
    const ask = make({ fetch: play as typeof fetch, now: () => now });
    void ask();
    while (asked === 0) await new Promise((resolve) => setImmediate(resolve));
    now += 31;

    assert.ok(await ask(), name);
    assert.equal(asked, 2, name);
  }
});
