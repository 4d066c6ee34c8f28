import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { AuthAgentClient, type AuthContext, toAuthInfo } from 'auth-agent-mcp-sdk';
import { AuthServerUnavailable, type TokenExchange, TokenRequestRefused, tokenExchange } from 'auth-agent-mcp-sdk/agent';
import { activeAnswer, optionsFor, type PlayedServer, playAuthorizationServer, resource, startOfTime } from '../test/stage.ts';
import { readVectors, titleOf } from '../test/vectors.ts';

interface Case {
  readonly name: string;
  readonly requirements: string[];
  readonly resource: string;
  readonly scopes?: string[];
  readonly form?: Record<string, string> | null;
  readonly answer?: { status: number; body: Record<string, unknown> };
  readonly expect: string;
  readonly code?: string;
}

const { subject, cases } = readVectors<{ subject: string; cases: Case[] }>('exchange');
const client = { clientId: 'files-service', clientSecret: 'very secret' };
const notes = 'https://notes.example.com/mcp';

/** A caller that was let through, the authorization server that said so, and the exchange of this server. */
async function admitted(t: Parameters<typeof playAuthorizationServer>[0], token = subject) {
  const [played, tokens] = [await playAuthorizationServer(t), await playAuthorizationServer(t)];
  const now = { value: startOfTime };
  const onward = tokenExchange({ ...client, tokenEndpoint: `${tokens.url}/token`, now: () => now.value });
  const auth = await new AuthAgentClient({ ...optionsFor(played), resource }).validateToken(token);
  tokens.reply = () => ({ body: { access_token: `t${tokens.received.length}`, token_type: 'Bearer', expires_in: 600 } });
  return { played, tokens, onward, auth, now };
}

for (const vector of cases) {
  test(`${titleOf(vector)} (exchange)`, async (t) => {
    const { tokens, onward, auth } = await admitted(t);
    tokens.reply = () => vector.answer ?? { status: 500 };

    const outcome = await onward.exchange(auth, vector.resource, vector.scopes).catch((error: unknown) => error);

    if (vector.expect === 'wrong_use') assert.ok(outcome instanceof TypeError, inspect(outcome));
    else if (vector.expect === 'unavailable') assert.ok(outcome instanceof AuthServerUnavailable, inspect(outcome));
    else if (vector.expect === 'refused') assert.equal((outcome as TokenRequestRefused).code, vector.code);
    else assert.equal(outcome, vector.expect);
    assert.ok(!inspect(outcome).includes('very secret'));
    assert.equal(tokens.received.length, vector.form === null ? 0 : 1);
    if (vector.form) assert.deepEqual(Object.fromEntries(tokens.received[0]?.form ?? []), vector.form);
    if (vector.form) assert.equal(tokens.received[0]?.headers.authorization, `Basic ${btoa('files-service:very+secret')}`);
  });
}

test('[RS-09] [RS-20] no helper takes a token and no context gives one away: what came in cannot be passed on', async (t) => {
  const { onward, auth, tokens } = await admitted(t);
  const nobody = { ...auth } as AuthContext;

  for (const wrong of [subject, `Bearer ${subject}`, undefined, null, 5, {}, nobody, { token: subject }, { extra: { user: nobody } }]) {
    assert.throws(() => onward.onBehalfOf(wrong as never, notes), TypeError);
    await assert.rejects(onward.exchange(wrong as never, notes), TypeError);
  }
  assert.equal(tokens.received.length, 0);
  const api = await playAuthorizationServer(t);
  api.reply = () => ({ body: {} });
  const there = onward.onBehalfOf(auth, `${api.url}/mcp`);
  await there.fetch(`${api.url}/mcp`, { headers: { Authorization: `Bearer ${subject}` } });
  await there.fetch(new Request(`${api.url}/mcp`, { headers: { Authorization: `Bearer ${subject}` } }));
  assert.deepEqual(
    api.received.map(({ headers }) => headers.authorization),
    ['Bearer t1', 'Bearer t1'],
  );
  await assert.rejects(there.fetch('https://elsewhere.example.com/mcp'), TypeError);
  for (const shown of [inspect(auth, { depth: 9, showHidden: true }), inspect(there, { showHidden: true }), inspect(onward), JSON.stringify(toAuthInfo(auth))])
    assert.ok(!shown.includes(subject), shown);
});

test('one token per caller, resource and scopes, asked for once however many calls need it at a time', async (t) => {
  const { onward, auth, tokens, now } = await admitted(t);
  const ask = (exchange: TokenExchange = onward) => exchange.exchange(auth, notes, ['notes:read']);

  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), ['t1', 't1', 't1']);
  assert.equal(await onward.exchange(toAuthInfo(auth), notes, ['notes:read']), 't1');
  assert.equal(await onward.exchange(auth, notes), 't2');
  assert.equal(await onward.exchange(auth, 'https://archive.example.com', ['notes:read']), 't3');
  now.value += 541;
  assert.equal(await ask(), 't4');
  assert.equal(tokens.received.length, 4);
});

test('a token is exchanged once also where every request is introspected and has a context of its own', async (t) => {
  const { onward, played, tokens } = await admitted(t);
  const client = new AuthAgentClient({ ...optionsFor(played), resource, cacheTtl: 0 });
  const [first, second] = [await client.validateToken(subject), await client.validateToken(subject)];

  assert.notEqual(first, second);
  assert.equal(await onward.exchange(first, notes), 't1');
  assert.equal(await onward.exchange(second, notes), 't1');
  assert.equal(tokens.received.length, 1);
});

test('what is kept of callers is bounded: who has not called for longest is exchanged again', async (t) => {
  const { onward, auth, played, tokens } = await admitted(t);
  const answer = async () => Response.json(activeAnswer(played.url));
  const client = new AuthAgentClient({ ...optionsFor(played), resource, fetch: answer });
  await onward.exchange(auth, notes);

  for (let index = 0; index < 1000; index += 1) onward.onBehalfOf(await client.validateToken(`other-${index}`), notes);

  assert.equal(await onward.exchange(auth, notes), 't2');
  assert.equal(tokens.received.length, 2);
});

test('two callers never share a token', async (t) => {
  const { onward, auth, played } = await admitted(t);
  const other = await new AuthAgentClient({ ...optionsFor(played), resource }).validateToken('another-token');

  assert.notEqual(await onward.exchange(auth, notes), await onward.exchange(other, notes));
});

test('after a 401 there the exchange is made again once, and its refusal is what the caller sees', async (t) => {
  const { onward, auth, tokens } = await admitted(t);
  const api = await playAuthorizationServer(t);
  api.reply = () => ({ status: 401 });
  const there = onward.onBehalfOf(auth, api.url);
  assert.equal((await there.fetch(api.url)).status, 401);
  tokens.reply = (() => ({ status: 400, body: { error: 'invalid_target', code: 'delegation_not_approved' } })) as PlayedServer['reply'];

  await assert.rejects(there.fetch(api.url), (error) => error instanceof TokenRequestRefused && error.code === 'delegation_not_approved');
});

test('misuse is told at start', () => {
  assert.throws(() => tokenExchange({ ...client, clientSecret: '', issuer: 'https://auth.example.com' }), /"clientSecret"/);
  assert.throws(() => tokenExchange({ ...client } as never), /"issuer" or "tokenEndpoint"/);
});
