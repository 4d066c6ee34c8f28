/**
 * The rate limits as a stranger meets them: each is reached, says when to come back, and is as it was when that time has come. Two servers on one database stand
 * for two nodes. Not here: the bucket itself (limits/node-buckets.test.ts, storage/contract/).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { auditEvent } from '../../src/audit/event.ts';
import { nodeBuckets } from '../../src/limits/node-buckets.ts';
import { limitNames, type NodeLimit, nodePolicies, type SharedLimit, sharedPolicies } from '../../src/limits/policies.ts';
import { newOwnerToken } from '../../src/servers/owner-token.ts';
import { form, testServer } from '../harness.ts';
import { stage as peopleStage, signInOn } from './authorize-stage.ts';
import { stage as deviceStage } from './device-stage.ts';
import { mailStage } from './mail-stage.ts';
import { basic, bearer, type Stage, stage as tokenStage } from './token-stage.ts';

type Scene = {
  clock: { advance(seconds: number): void };
  close(): Promise<void>;
  /** Once more what is limited to two in a minute. */
  ask(): Promise<Response>;
  /** The same by somebody whom the limit does not mean. */
  askAsAnother(): Promise<Response>;
};

const two = (name: string) => ({ limits: [`${name}=2/1m`] });
const elsewhere = '198.51.100.200';

/** How a limit is reached over HTTP. */
const scenes: Partial<Record<SharedLimit | NodeLimit, () => Promise<Scene>>> = {
  'authorize.address': async () => {
    const on = await peopleStage(two('authorize.address'));
    const ask = (address?: string) => on.request(on.url(), { address, headers: { Accept: 'text/html' } });
    return { ...on, ask: () => ask(), askAsAnother: () => ask(elsewhere) };
  },
  'authorize.person': async () => {
    const on = await peopleStage(two('authorize.person'));
    const { cookies } = await on.signedIn();
    const Cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const ask = (headers: Record<string, string>) => on.request(on.url(), { headers: { Accept: 'text/html', ...headers } });
    return { ...on, ask: () => ask({ Cookie }), askAsAnother: () => ask({}) };
  },
  'par.client': async () => {
    const on = await peopleStage(two('par.client'));
    const values = Object.fromEntries(new URL(on.url()).searchParams);
    const push = (address?: string) => on.request('/par', { ...form(values), address });
    return { ...on, ask: () => push(), askAsAnother: () => push(elsewhere) };
  },
  'device.client': async () => {
    const on = await deviceStage(two('device.client'));
    const ask = (address?: string) => on.request('/device_authorization', { ...form({ client_id: on.device.id, resource: on.mcp.resource }), address });
    return { ...on, ask: () => ask(), askAsAnother: () => ask(elsewhere) };
  },
  'register.address': () => registering('register.address'),
  'introspect.caller': async () => {
    const on = await tokenStage(two('introspect.caller'));
    const [key, another] = [await on.keyOf(), await on.keyOf()];
    const ask = (secret: string) => on.post('/introspect', { token: 'x' }, bearer(secret));
    return { ...on, ask: () => ask(key.secret), askAsAnother: () => ask(another.secret) };
  },
  'token.client': async () => {
    const on = await tokenStage(two('token.client'));
    const ask = await machines(on);
    return { ...on, ask: () => ask('client_one'), askAsAnother: () => ask('client_two') };
  },
  'refresh.grant': async () => {
    const on = await tokenStage(two('refresh.grant'));
    let newest = (await on.tokens()).refresh_token;
    const other = (await on.tokens()).refresh_token;
    const ask = async () => {
      const response = await on.refresh(newest);
      if (response.status === 200) newest = ((await response.clone().json()) as { refresh_token: string }).refresh_token;
      return response;
    };
    return { ...on, ask, askAsAnother: () => on.refresh(other) };
  },
  'api.owner': async () => {
    const on = await tokenStage(two('api.owner'));
    const [one, another] = await Promise.all(
      ['op', 'oq'].map(async (username) => {
        const { id } = await on.addUser({ username, role: 'operator' });
        const { value, row } = newOwnerToken(id, 'test', on.clock.now());
        await on.store.addOwnerToken(row, auditEvent('owner_token.created', on.clock.now(), 'test'));
        return () => on.request('/api/servers', { headers: bearer(value) });
      }),
    );
    return { ...on, ask: one as () => Promise<Response>, askAsAnother: another as () => Promise<Response> };
  },
};

describe('rate limits', () => {
  for (const [name, set] of Object.entries(scenes)) {
    test(`[RATE-01] [RATE-03] ${name} answers 429 with when to come back and by which limit, stops nobody else, and is over when it says so`, async () => {
      const scene = await set();
      const before = [await scene.ask(), await scene.ask()];

      const refused = await scene.ask();

      for (const { status } of before) assert.ok(status < 400, String(status));
      const wait = Number(refused.headers.get('retry-after'));
      assert.equal(refused.status, 429);
      assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 30, String(wait));
      assert.equal(refused.headers.get('ratelimit-policy'), `"${name}";q=2;w=60`);
      assert.equal(refused.headers.get('ratelimit'), `"${name}";r=0;t=${wait}`);
      assert.match(await refused.text(), /too_many_requests/);
      assert.ok((await scene.askAsAnother()).status < 400);
      scene.clock.advance(wait);
      assert.ok((await scene.ask()).status < 400);
      assert.equal((await scene.ask()).status, 429);
      await scene.close();
    });
  }

  test('[RATE-01] every limit of the table gives what it says, refuses the next, and gives one more when it said it would', async () => {
    const on = await testServer();
    const { limits } = on.context;
    for (const [name, { limit }] of Object.entries(sharedPolicies).filter(([, policy]) => policy.limit <= 1000)) {
      let taken = 0;
      let last = await limits.take(name as SharedLimit, 'somebody');
      for (; last.allowed && taken <= limit; taken++) last = await limits.take(name as SharedLimit, 'somebody');
      assert.ok(!last.allowed && taken === limit, `${name}: ${taken}`);
      on.clock.advance(last.retryAfter);
      assert.ok((await limits.take(name as SharedLimit, 'somebody')).allowed, name);
    }
    for (const [name, { limit, periodSeconds }] of Object.entries(nodePolicies)) {
      for (let taken = 0; taken < limit; taken++) limits.checkHere(name as NodeLimit, 'somebody');
      assert.throws(() => limits.checkHere(name as NodeLimit, 'somebody'), { code: 'too_many_requests' });
      limits.checkHere(name as NodeLimit, 'somebody else');
      on.clock.advance(Math.ceil(periodSeconds / limit));
      limits.checkHere(name as NodeLimit, 'somebody');
    }
    await on.close();
  });

  test('[RATE-01] whatever is asked when, the database and the memory of a node give the same', async () => {
    const on = await testServer();
    const of = { limit: 5, periodSeconds: 10 };
    const here = nodeBuckets(of);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 15 }), async (pauses) => {
        const bucket = `run ${run++}`;
        let at = on.clock.now() * 1000;
        for (const pause of pauses) {
          at += pause % 2 ? pause : 0;
          const wait = here.take(bucket, at);
          assert.deepEqual(await on.store.takeFrom(bucket, of, at), wait === 0 ? { allowed: true } : { allowed: false, retryAfter: Math.ceil(wait / 1000) });
        }
      }),
      { numRuns: 30, examples: [[[0, 0, 0, 0, 0, 1001]]] },
    );
    await on.close();
  });

  test('[RATE-01] an operator turns any limit off', async () => {
    const on = await testServer({ limits: limitNames.map((name) => `${name}=off`) });
    for (let asked = 0; asked < 50; asked++) {
      assert.ok((await on.context.limits.take('mail.account', 'somebody')).allowed);
      on.context.limits.checkHere('refresh.grant', 'somebody');
    }
    await on.context.limits.giveBack('mail.account', 'somebody');
    await on.close();
  });

  test('what is set wrongly is refused at the start, by its name', async () => {
    await assert.rejects(testServer({ limits: ['sing-in.address=1/1m'] }), /"limits" knows no limit "sing-in\.address"/);
    await assert.rejects(testServer({ limits: ['mail=lots'] }), /"limits" must say how many in which time/);
  });

  test('[RATE-01] [OPS-05] two nodes on one database share a limit, and what one refused the other refuses', async () => {
    const one = await peopleStage({ limits: ['authorize.address=4/1m'] });
    const other = await testServer({ limits: ['authorize.address=4/1m'], driver: one.server.options.driver });
    const statuses: number[] = [];
    for (let asked = 0; asked < 6; asked++) statuses.push((await (asked % 2 ? one : other).request(one.url())).status);

    assert.deepEqual(statuses, [200, 200, 200, 200, 429, 429]);
    one.clock.advance(15);
    other.clock.advance(15);
    assert.deepEqual([(await other.request(one.url())).status, (await one.request(one.url())).status], [200, 429]);
    await one.close();
  });

  test('[RATE-01] a flood against an empty bucket asks the database no more until it fills', async () => {
    const on = await peopleStage({ limits: ['authorize.address=1/1m'] });
    for (let asked = 0; asked < 2; asked++) await on.request(on.url());
    let taken = 0;
    let parked = 0;
    const { takeFrom, parkRequest } = on.store;
    on.store.parkRequest = (...given) => {
      parked += 1;
      return parkRequest(...given);
    };
    on.store.takeFrom = (...given) => {
      taken += 1;
      return takeFrom(...given);
    };

    for (let asked = 0; asked < 20; asked++) assert.equal((await on.request(on.url())).status, 429);
    assert.deepEqual([taken, parked], [0, 0]);
    on.clock.advance(60);
    assert.equal((await on.request(on.url())).status, 200);
    assert.deepEqual([taken, parked], [1, 1]);
    await on.close();
  });

  test('[RATE-03] people who sign in well never use up what their office or their hosted agent shares', async () => {
    const on = await peopleStage({ limits: ['sign-in.address=2/15m'] });
    const failing = async (login: string) => {
      const browser = on.browser();
      return (await browser.submit(await browser.open('/login'), { username: login, password: 'wrong' })).status;
    };
    for (let person = 0; person < 5; person++) {
      const browser = on.browser();
      assert.equal((await signInOn(browser, await browser.open('/login'))).status, 200);
    }

    assert.deepEqual([await failing('one'), await failing('two'), await failing('three')], [400, 400, 429]);
    await on.close();
  });

  test('[RATE-03] who knows only the id of an API key uses up nothing of its server', async () => {
    const on = await tokenStage({ limits: ['introspect.caller=2/1m', 'introspect.unseen=2/1m'] });
    const key = await on.keyOf();
    const forged = (await on.keyOf()).secret.replace(/^sk_[^_]+_/, `sk_${key.id}_`);
    for (let asked = 0; asked < 5; asked++) await on.post('/introspect', { token: `x.${asked}.y` }, bearer(forged));

    assert.equal((await on.post('/introspect', { token: 'x.y.z' }, bearer(key.secret))).status, 200);
    await on.close();
  });

  test('[RATE-05] a limit says the same of an account that exists and of one that does not', async () => {
    const on = await mailStage({}, { limits: ['mail.account=1/1h'] });
    const asked = async (login: string) => {
      const browser = on.browser();
      const page = await browser.open('/login');
      const csrf = page.forms.flatMap(({ fields }) => fields).find(({ name }) => name === 'csrf')?.value ?? '';
      const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const { status, headers } = await on.request('/login/code', form({ username: login, csrf }, { Cookie }));
      return [status, ...['retry-after', 'ratelimit', 'ratelimit-policy'].map((name) => headers.get(name))];
    };
    const answers = [];
    for (const login of ['ada', 'nobody']) answers.push([await asked(login), await asked(login)]);

    assert.deepEqual(answers[0], answers[1]);
    assert.equal(answers[0]?.[1]?.[0], 429);
    await on.close();
  });
});

async function registering(name: 'register.address'): Promise<Scene> {
  const on = await testServer(two(name));
  const body = JSON.stringify({ redirect_uris: ['http://localhost/callback'], token_endpoint_auth_method: 'none' });
  const ask = (address?: string) => on.request('/register', { method: 'POST', body, headers: { 'Content-Type': 'application/json' }, address });
  return { ...on, ask: () => ask(), askAsAnother: () => ask(elsewhere) };
}

async function machines(on: Stage): Promise<(id: string) => Promise<Response>> {
  const metadata = { grantTypes: ['client_credentials'], redirectUris: [], scope: 'files:read' };
  for (const id of ['client_one', 'client_two']) await on.addClient({ id, secret: 'a secret', metadata });
  return (id) => on.post('/token', { grant_type: 'client_credentials', resource: on.mcp.resource }, basic(id, 'a secret'));
}
