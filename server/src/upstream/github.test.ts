/** The recipe for GitHub against an imitation of its interface: what is sent, what counts as the person, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testServer } from '../../test/harness.ts';
import type { UpstreamFetch } from '../options.ts';
import type { Upstream } from '../storage/store.ts';
import { sealCredential } from './client.ts';
import { UpstreamFailure } from './failure.ts';
import type { Passage } from './provider.ts';
import { providerOf } from './provider.ts';
import { recipes } from './recipes.ts';

const passage: Passage = {
  state: 'the state',
  nonce: 'unused',
  verifier: 'v'.repeat(43),
  redirectUri: 'https://auth.example.com/login/upstream/github/callback',
};
const account = { id: 583231, login: 'octocat', name: 'The Octocat' };
const addresses = [
  { email: 'other@octo.example', primary: false, verified: true },
  { email: 'octo@octo.example', primary: true, verified: true },
];

type Asked = Parameters<UpstreamFetch>;
type Answers = { token?: () => Response; user?: () => Response; emails?: () => Response };

async function github(answers: Answers = {}) {
  const asked: Asked[] = [];
  const { context } = await testServer({
    fetchUpstream: async (url, request) => {
      asked.push([url, request]);
      if (url === 'https://github.com/login/oauth/access_token')
        return answers.token?.() ?? Response.json({ access_token: 'gho_1', token_type: 'bearer', scope: 'read:user,user:email' });
      if (url === 'https://api.github.com/user') return answers.user?.() ?? Response.json(account);
      if (url === 'https://api.github.com/user/emails') return answers.emails?.() ?? Response.json(addresses);
      return new Response(null, { status: 404 });
    },
  });
  const upstream: Upstream = {
    id: 'github',
    name: 'GitHub',
    recipe: 'github',
    issuer: recipes.github.issuer ?? '',
    clientId: 'Iv1.0',
    credentialSealed: sealCredential('github', { secret: 'shh' }, context),
    scope: [...recipes.github.scope],
    privateNetwork: false,
    createdAt: 0,
  };
  return { provider: providerOf(upstream, context), asked };
}
const back = (parameters: Record<string, string> = {}) =>
  new URL(`${passage.redirectUri}?${new URLSearchParams({ code: 'the code', state: passage.state, ...parameters })}`);
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => assert.fail('it went well'),
    (error: unknown) => (error instanceof UpstreamFailure ? error.kind : assert.fail(String(error))),
  );

test('the browser goes to GitHub with state and an S256 challenge', async () => {
  const { provider } = await github();
  const url = await provider.begin(passage);

  assert.equal(url.origin + url.pathname, 'https://github.com/login/oauth/authorize');
  const { code_challenge: challenge, ...sent } = Object.fromEntries(url.searchParams);
  assert.match(challenge ?? '', /^[\w-]{43}$/);
  assert.deepEqual(sent, {
    client_id: 'Iv1.0',
    redirect_uri: passage.redirectUri,
    response_type: 'code',
    scope: 'read:user user:email',
    state: 'the state',
    code_challenge_method: 'S256',
  });
});

test('[LOG-07] the person is the number of the account; name, login and the verified primary address are told', async () => {
  const { provider, asked } = await github();
  const person = await provider.finish(back(), passage);

  assert.deepEqual([person.issuer, person.subject, person.amr], ['https://github.com/login/oauth', '583231', ['fed']]);
  assert.deepEqual(await person.profile(), { name: 'The Octocat', handle: 'octocat', email: 'octo@octo.example', label: 'octocat' });
  const [[, token] = [], [, user] = []] = asked;
  const body = new URLSearchParams(token?.body);
  assert.deepEqual([body.get('client_secret'), body.get('code'), body.get('code_verifier')], ['shh', 'the code', passage.verifier]);
  assert.equal(user?.headers.authorization, 'Bearer gho_1');
});

test('[LOG-07] an address that is not verified, or not the primary one, is not the person’s', async () => {
  for (const emails of [[{ ...addresses[1], verified: false }], [addresses[0]], [], {}, [null]]) {
    const { provider } = await github({ emails: () => Response.json(emails) });
    assert.equal((await (await provider.finish(back(), passage)).profile()).email, undefined);
  }
});

test('what does not prove an account is nobody', async () => {
  const cases: [Answers, Record<string, string>, UpstreamFailure['kind']][] = [
    [{}, { state: 'another' }, 'invalid'],
    [{}, { error: 'access_denied' }, 'declined'],
    [{}, { iss: 'https://evil.example' }, 'invalid'],
    // GitHub answers 200 with an error in it.
    [{ token: () => Response.json({ error: 'bad_verification_code', error_description: 'x' }) }, {}, 'invalid'],
    [{ token: () => new Response('down', { status: 502 }) }, {}, 'unavailable'],
    [{ user: () => Response.json({ message: 'Bad credentials' }, { status: 401 }) }, {}, 'unavailable'],
    [{ user: () => Response.json({ ...account, id: '583231' }) }, {}, 'invalid'],
    [{ user: () => Response.json({ ...account, id: 1.5 }) }, {}, 'invalid'],
    [{ user: () => Response.json(null) }, {}, 'invalid'],
    [{ user: () => new Response('{') }, {}, 'invalid'],
  ];
  for (const [answers, parameters, kind] of cases) {
    const { provider } = await github(answers);
    assert.equal(await failure(provider.finish(back(parameters), passage)), kind, JSON.stringify(parameters));
  }
});
