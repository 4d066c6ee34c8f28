import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  AuthServerUnavailable,
  type DeviceLoginOptions,
  type DevicePrompt,
  deviceLogin,
  resumeLogin,
  type SavedLogin,
  TokenRequestRefused,
} from 'auth-agent-mcp-sdk/agent';
import { startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';

interface Exchange {
  readonly request: string;
  readonly form?: Record<string, string>;
  readonly json?: object;
  readonly unreachable?: true;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

type Wire = Readonly<Record<string, unknown>>;
interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly options: { resource: string; scopes?: string[]; client_id?: string; client_name?: string; client_secret?: string };
  readonly exchanges: Exchange[];
  readonly waits: number[];
  readonly prompt?: Wire;
  readonly expect: 'unavailable' | { saved?: Wire; refused?: string; wrong_use?: string };
}

interface Step {
  readonly at: number;
  readonly token_endpoint: ('unreachable' | { status: number; body: unknown })[];
  readonly sent: string[];
  readonly changes: [string, string][];
  readonly expect: string;
  readonly code?: string;
}

const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
const ours = (wire: Wire) =>
  Object.fromEntries(Object.entries(wire).map(([name, value]) => (name === 'expires_in' ? ['expiresAt', startOfTime + Number(value)] : [camel(name), value])));

/** A world in which exactly these requests are made; time stands still but for the waits. */
function world(exchanges: readonly Exchange[]) {
  const left = [...exchanges];
  const waits: number[] = [];
  let now = startOfTime;
  const play: typeof fetch = async (input, init = {}) => {
    const next = left.shift();
    const text = init.body === undefined ? undefined : String(init.body);
    assert.equal(`${init.method ?? 'GET'} ${String(input)}`, next?.request);
    assert.equal(init.redirect, 'manual');
    if (next?.form) assert.deepEqual(Object.fromEntries(new URLSearchParams(text)), next.form);
    if (next?.json) assert.deepEqual(JSON.parse(text ?? ''), next.json);
    if (next?.unreachable) throw new TypeError('fetch failed');
    return new Response(next?.body === undefined ? null : JSON.stringify(next.body), {
      status: next?.status ?? 500,
      ...(next?.headers && { headers: next.headers }),
    });
  };
  const wait = async (seconds: number) => {
    waits.push(seconds);
    now += seconds;
  };
  return { fetch: play, wait, waits, left, now: () => now };
}

describe('device login', () => {
  for (const vector of readVectors<{ cases: Case[] }>('device-login').cases)
    test(`${titleOf(vector)} (device login)`, async () => {
      const { fetch, wait, waits, left, now } = world(vector.exchanges);
      const shown: DevicePrompt[] = [];
      const kept: SavedLogin[] = [];
      const given = Object.fromEntries(Object.entries(vector.options).map(([name, value]) => [camel(name), value]));
      const options = { ...given, onPrompt: (prompt: DevicePrompt) => void shown.push(prompt), onChange: (login: SavedLogin) => void kept.push(login) };

      const outcome = await deviceLogin({ ...options, fetch, wait, now } as unknown as DeviceLoginOptions).catch((error: unknown) => error);

      const { expect } = vector;
      if (expect === 'unavailable') assert.ok(outcome instanceof AuthServerUnavailable, inspect(outcome));
      else if (expect.refused) assert.ok(outcome instanceof TokenRequestRefused && outcome.code === expect.refused, inspect(outcome));
      else if (expect.wrong_use) assert.ok(outcome instanceof TypeError && outcome.message.includes(`"${camel(expect.wrong_use)}"`), inspect(outcome));
      else assert.deepEqual((outcome as { saved(): SavedLogin }).saved?.(), ours(expect.saved ?? {}), inspect(outcome));
      assert.deepEqual([waits, left], [vector.waits, []]);
      assert.deepEqual(kept, typeof expect === 'object' && expect.saved ? [ours(expect.saved)] : []);
      if (vector.prompt) assert.deepEqual(shown, [ours(vector.prompt)]);
    });

  test('an option that does not exist is refused before anybody is asked', async () => {
    const { fetch, now } = world([]);
    const options = { resource: 'https://files.example.com/mcp', onPrompt() {}, fetch, now, scope: 'files:read' };
    await assert.rejects(deviceLogin(options), { name: 'TypeError', message: /^"scope" is no option; .*scopes/ });
  });

  test('[CL-22] no address that a server names can drive a terminal', async () => {
    const { cases } = readVectors<{ cases: Case[] }>('device-login');
    const plain = cases[0]?.exchanges ?? [];
    const changed = (path: string, members: object) =>
      plain.map((one) => (one.request.endsWith(path) ? { ...one, body: { ...(one.body as object), ...members } } : one));
    const begin = async (exchanges: Exchange[]) => {
      const { fetch, now } = world(exchanges);
      const shown: DevicePrompt[] = [];
      const options = {
        resource: 'https://files.example.com/mcp',
        clientId: 'client_1',
        fetch,
        now,
        onPrompt: (prompt: DevicePrompt) => void shown.push(prompt),
      };
      const outcome = await deviceLogin({ ...options, wait: () => Promise.reject(new Error('enough')) }).catch((error: unknown) => error);
      return { shown, outcome };
    };

    for (const sign of ['\x1b', '\x07', '\x9b', '\x7f', '\u202e', ' ']) {
      const address = `https://auth.example.com/device${sign}]0;x`;
      const { shown, outcome } = await begin(changed('/device_authorization', { verification_uri: address }));
      assert.deepEqual([shown, (outcome as TokenRequestRefused).code], [[], 'wrong_page']);
      const complete = await begin(changed('/device_authorization', { verification_uri_complete: address }));
      assert.deepEqual([complete.shown.length, complete.shown[0]?.verificationUriComplete], [1, undefined]);
      const named = await begin(changed('/.well-known/oauth-protected-resource/mcp', { authorization_servers: [`https://auth.example.com/${sign}`] }));
      assert.equal((named.outcome as TokenRequestRefused).code, 'wrong_metadata');
      assert.ok(!(named.outcome as Error).message.includes(sign === ' ' ? '/ ' : sign));
    }
  });

  for (const [name, value] of [
    ['device_code', ''],
    ['user_code', '\x1b'],
  ] as const)
    test(`an answer without a ${name} names its address`, async () => {
      const { cases } = readVectors<{ cases: Case[] }>('device-login');
      const at = 'https://auth.example.com/device_authorization';
      const change = (one: Exchange) => (one.request === `POST ${at}` ? { ...one, body: { ...(one.body as object), [name]: value } } : one);
      const { fetch, wait, now } = world((cases[0]?.exchanges ?? []).map(change));
      const login = deviceLogin({ resource: 'https://files.example.com/mcp', clientId: 'client_1', fetch, wait, now, onPrompt() {} });

      await assert.rejects(login, { message: `The authorization server cannot be reached: "${at}" answered without a usable ${name}` });
    });

  test('[CL-19] it ends with its signal, in the middle of a wait', async () => {
    const { cases } = readVectors<{ cases: Case[] }>('device-login');
    const { fetch, now } = world(cases[0]?.exchanges ?? []);
    const over = new AbortController();
    const login = deviceLogin({
      resource: 'https://files.example.com/mcp',
      clientId: 'client_1',
      signal: over.signal,
      fetch,
      now,
      onPrompt: () => over.abort('enough'),
    });

    await assert.rejects(login, (reason) => reason === 'enough');
  });
});

describe('a login that goes on', () => {
  const vectors = readVectors<{ saved: Wire; cases: { name: string; requirements: string[]; no_refresh_token?: true; steps: Step[] }[] }>('login');
  const saved = ours(vectors.saved) as unknown as SavedLogin;

  for (const vector of vectors.cases)
    test(`${titleOf(vector)} (login)`, async () => {
      let now = startOfTime;
      const sent: unknown[] = [];
      const changes: unknown[] = [];
      let answers: Step['token_endpoint'] = [];
      const play: typeof fetch = async (input, init) => {
        const form = new URLSearchParams(String(init?.body));
        assert.deepEqual(
          [String(input), form.get('grant_type'), form.get('resource'), form.get('client_id')],
          [saved.tokenEndpoint, 'refresh_token', saved.resource, 'client_1'],
        );
        sent.push(form.get('refresh_token'));
        const answer = answers.shift() ?? 'unreachable';
        if (answer === 'unreachable') throw new TypeError('fetch failed');
        return new Response(JSON.stringify(answer.body), { status: answer.status });
      };
      const { refreshToken: _, ...without } = saved;
      const onChange = (login: SavedLogin) => void changes.push([login.accessToken, login.refreshToken]);
      const login = resumeLogin(vector.no_refresh_token ? without : saved, { fetch: play, now: () => now, onChange });

      for (const step of vector.steps) {
        now = startOfTime + step.at;
        answers = [...step.token_endpoint];
        sent.length = changes.length = 0;

        const outcomes = await Promise.all([login.token(), login.token()].map((one) => one.catch((error: unknown) => error)));

        for (const outcome of outcomes) {
          if (step.expect === 'unavailable') assert.ok(outcome instanceof AuthServerUnavailable, inspect(outcome));
          else if (step.expect === 'refused') assert.equal((outcome as TokenRequestRefused).code, step.code);
          else assert.equal(outcome, step.expect);
        }
        assert.deepEqual([sent, changes, answers], [step.sent, step.changes, []]);
      }
    });

  test('what was kept is judged before it is used', () => {
    const wrong: [object | null, object, RegExp][] = [
      [null, {}, /onChange/],
      [{ ...saved, accessToken: 'a b' }, {}, /"accessToken"/],
      [{ ...saved, refreshToken: 7 }, {}, /"refreshToken"/],
      [{ ...saved, expiresAt: '7' }, {}, /"expiresAt"/],
      [{ ...saved, clientId: undefined }, {}, /"clientId"/],
      [{ ...saved, tokenEndpoint: 'http://auth.example.com/token' }, {}, /"tokenEndpoint"/],
      [{ ...saved, resource: 'files' }, {}, /"resource"/],
      [saved, { dpop: true }, /"dpop"/],
      [{ ...saved, bound: true }, {}, /"dpop"/],
      [saved, { onChanged() {} }, /"onChanged" is no option; there are onChange,/],
    ];

    assert.ok(resumeLogin(saved));
    for (const [login, options, message] of wrong) assert.throws(() => resumeLogin(login as never, options), { name: 'TypeError', message });
  });
});
