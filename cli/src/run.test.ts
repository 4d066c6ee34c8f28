import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { auditEvent, openDatabase, openStorage, ROOT_TENANT } from 'auth-agent-mcp-server/node';
import { commands } from './commands/index.ts';
import { exitCodes } from './exit-codes.ts';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-cli-'));
after(() => rmSync(folder, { recursive: true }));
const databaseUrl = `sqlite:${join(folder, 'auth-agent.db')}`;
const env = {
  AUTH_AGENT_DATABASE_URL: databaseUrl,
  AUTH_AGENT_ISSUER: 'https://auth.example.com',
  AUTH_AGENT_SECRET: randomBytes(32).toString('base64'),
  LANG: 'en_US.UTF-8',
};
const password = 'correct horse battery';

type Given = { input?: string; env?: Record<string, string>; tty?: boolean };
async function cli(line: string | string[], given: Given = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    env: { ...env, ...given.env },
    stdin: Object.assign(Readable.from([given.input ?? '']), { isTTY: given.tty ?? false }),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text), isTTY: given.tty ?? false },
    untilStopped: async () => 'SIGINT' as const,
  };
  const exit = await run(typeof line === 'string' ? line.split(' ') : line, terminal);
  return { exit, out: out.join(''), err: err.join('') };
}
/** The data of a --json run that must succeed. */
async function data(line: string | string[], given?: Given) {
  const { exit, out, err } = await cli([...(typeof line === 'string' ? line.split(' ') : line), '--json'], given);
  const envelope = JSON.parse(out);
  assert.deepEqual([exit, envelope.v, envelope.ok], [0, 1, true], out + err);
  return envelope.data;
}

let server = '';
before(async () => {
  await data('db migrate');
  await data('users add op --role operator --email op@example.com --password-stdin', { input: `${password}\n` });
  server = (await data('servers add https://files.example.com/ --name Files --scope files:read --scope files:write')).server_id;
});

test('every command has help with an example that begins with its name, and its flags are known to the parser', async () => {
  for (const { name, examples } of commands) {
    const { exit, out } = await cli([...name.split(' '), '--help']);

    assert.equal(exit, 0, name);
    for (const example of examples) assert.ok(out.includes(example) && example.includes(`auth-agent ${name}`), example);
    assert.doesNotMatch(out, /may be repeated; may be repeated/, name);
  }
  const all = await cli('--help');
  for (const { name, hidden = false } of commands) assert.equal(all.out.includes(`\n  ${name} `), !hidden, name);
  for (const code of Object.values(exitCodes)) assert.match(all.out, new RegExp(`^  ${code} `, 'm'));
});

test('what is not understood is exit 2 with what was probably meant', async () => {
  const cases: [string, RegExp][] = [
    ['severs list', /servers list/],
    ['servers lst', /servers list/],
    ['servers list --ownr ada', /--owner/],
    ['servers list extra', /Too many arguments/],
    ['keys create', /<server-id>/],
    ['servers list --json=yes', /takes no value/],
    ['servers list --owner', /needs a value/],
    ['servers show -Qx', /Unknown flag -Q[\s\S]*a value that begins with a dash goes behind --/],
    ['nonsense', /--help/],
  ];
  for (const [line, text] of cases) {
    const { exit, out, err } = await cli(line);

    assert.equal(exit, 2, line);
    assert.equal(out, '');
    assert.match(err, text, line);
  }
  assert.equal((await cli([])).exit, 2);
  assert.equal((await cli('servers')).exit, 2);
  assert.equal((await cli('servers --help')).exit, 0);
});

test('config print says what is set and where, and no secret', async () => {
  const { set } = await data('config print --port 9100');
  const of = (name: string) => set.find((one: { name: string }) => one.name === name);
  assert.deepEqual([of('port'), of('secret').value], [{ name: 'port', variable: 'AUTH_AGENT_PORT', value: '9100', source: '--port' }, '***']);

  const { exit, out } = await cli('config print --all');
  assert.equal(exit, 0);
  assert.match(out, /issuer +https:\/\/auth\.example\.com +AUTH_AGENT_ISSUER/);
  assert.match(out, /AUTH_AGENT_MAX_REQUESTS +requests that wait/);
  assert.ok(!out.includes(env.AUTH_AGENT_SECRET));
});

test('a value that begins with a dash is taken behind --', async () => {
  const { exit, err } = await cli('signing-keys drop --yes -- -Qx');

  assert.equal(exit, 4);
  assert.match(err, /There is no published key -Qx/);
});

test('a failure with --json is one envelope on stdout and nothing else', async () => {
  const { exit, out } = await cli('servers show srv_nowhere --json');

  assert.equal(exit, 4);
  assert.deepEqual(JSON.parse(out), {
    v: 1,
    ok: false,
    error: { code: 'notFound', message: 'There is no server srv_nowhere', fix: 'auth-agent servers list' },
  });
});

test('a failure for people says what, why and fix with a word beside every sign, coloured at a terminal only', async () => {
  const plain = await cli('servers add https://a.example --scope a --owner nobody');
  const dumb = await cli('servers show srv_x', { env: { TERM: 'dumb' }, tty: true });
  const colour = await cli('servers show srv_x', { tty: true });
  const quiet = await cli('servers show srv_x', { tty: true, env: { NO_COLOR: '1' } });

  assert.match(plain.err, /^✗ fail {2}There is no person nobody\n {2}Fix {3}auth-agent users list\n$/);
  assert.match(dumb.err, /^x fail /);
  assert.ok(colour.err.startsWith('\u001b[31m✗ fail\u001b[0m'));
  assert.ok(!quiet.err.includes('\u001b'));
});

test('[TOK-10] secrets are never arguments, and a refused one is not repeated', async () => {
  for (const line of ['start --secret hunter2', 'users add bob --password hunter2', 'users add bob --password=hunter2', 'keys create srv_x --key hunter2']) {
    const { exit, out, err } = await cli(line);

    assert.equal(exit, 2, line);
    assert.ok(!`${out}${err}`.includes('hunter2'), line);
  }
});

test('a person is added with a password from a pipe or a file; a short one, a taken name and no terminal are refused', async () => {
  const file = join(folder, 'password');
  writeFileSync(file, `${password}\n`);

  const ada = await data(['users', 'add', 'ada', '--role', 'owner', '--name', 'Ada Lovelace', '--password-file', file]);

  assert.deepEqual([ada.username, ada.role, ada.name], ['ada', 'owner', 'Ada Lovelace']);
  assert.equal((await cli('users add short --password-stdin', { input: 'short' })).exit, 6);
  assert.match((await cli('users add usual --password-stdin', { input: 'password1234' })).err, /one of those that are tried first/);
  assert.match((await cli('users add grasshopper --password-stdin', { input: 'my grasshopper sings' })).err, /contains the name/);
  assert.equal((await cli('users add ADA --password-stdin', { input: password })).exit, 5);
  assert.equal((await cli('users add carl')).exit, 2);
  assert.equal((await cli('users add a@b --password-stdin', { input: password })).exit, 2);
  assert.equal((await cli('users add dora --role admin --password-stdin', { input: password })).exit, 2);
  const { users } = await data('users list');
  assert.deepEqual(users.map((user: { username: string }) => user.username).sort(), ['ada', 'op']);
  assert.ok(!JSON.stringify(users).includes('scrypt'));
});

test('a second step is taken away by an operator who is sure, with an event, and only where there is one', async () => {
  await data('users add lost --password-stdin', { input: password });
  const { users } = await data('users list');
  const lost = users.find((user: { username: string }) => user.username === 'lost').user_id;
  const storage = openStorage(await openDatabase(databaseUrl));
  const store = storage.forTenant(ROOT_TENANT);
  await store.addSecondFactor({ userId: lost, secretSealed: 'sealed', step: 1, recoveryHashes: ['a'] }, auditEvent('second_factor.added', 1, 'test'));

  assert.equal((await cli('users reset-factors lost')).exit, 2);
  assert.deepEqual(await data('users reset-factors lost --yes'), { user_id: lost });
  assert.equal(await store.findSecondFactor(lost), undefined);
  assert.deepEqual(
    (await store.listEvents({ type: 'second_factor.reset', limit: 9 })).map(({ userId, actor }) => [userId, actor]),
    [[lost, 'cli']],
  );
  assert.equal((await cli('users reset-factors lost --yes')).exit, 4);
  await storage.close();
});

test('a person is deleted by an operator who is sure, but nobody who owns servers', async () => {
  await data('users add gone --password-stdin', { input: password });
  const { users } = await data('users list');
  const { user_id: gone } = users.find((user: { username: string }) => user.username === 'gone');

  assert.equal((await cli('users rm gone')).exit, 2);
  assert.deepEqual(await data('users rm gone --yes'), { user_id: gone });
  assert.equal((await cli('users rm gone --yes')).exit, 4);
  assert.match((await cli('users rm op --yes')).err, /op owns servers/);
  assert.equal((await cli('users rm op --yes')).exit, 5);
});

test('a server is added once, by the rules of the management API, for the owner that was named', async () => {
  const own = await data('servers add https://ada.example.com --owner ada --scope a:read');
  const shown = await data(`servers show ${own.server_id}`);
  const listed = await data('servers list --owner ada');

  assert.equal(shown.protected_resource_metadata_url, `https://auth.example.com/.well-known/oauth-protected-resource/${own.server_id}`);
  assert.deepEqual(listed.servers, [shown]);
  assert.equal((await cli('servers add HTTPS://FILES.example.com:443 --scope a')).exit, 5);
  assert.equal((await cli('servers add https://auth.example.com --scope a')).exit, 5);
  for (const bad of ['http://files.example.com', 'https://x.example.com/#f', 'nonsense'])
    assert.equal((await cli(`servers add ${bad} --scope a`)).exit, 2, bad);
  assert.equal((await cli('servers add https://b.example.com')).exit, 2);
  assert.equal((await cli('servers add https://b.example.com --scope openid')).exit, 2);
});

test('a key is printed once as lines of an .env file, listed without its secret, and revoked', async () => {
  const printed = await cli(['keys', 'create', server, '--name', 'Production Key']);
  const values = Object.fromEntries(
    printed.out
      .trim()
      .split('\n')
      .map((line) => line.split('=')),
  );
  const id = values.AUTH_AGENT_API_KEY.slice(0, 15);

  assert.deepEqual([printed.exit, values.AUTH_AGENT_URL, values.AUTH_AGENT_SERVER_ID], [0, 'https://auth.example.com', server]);
  assert.match(values.AUTH_AGENT_API_KEY, /^sk_[A-Za-z0-9]{12}_[A-Za-z0-9_-]{43}[0-9a-z]{7}$/);
  const listed = await cli(`keys list ${server}`);
  assert.ok(listed.out.includes(id) && !listed.out.includes(values.AUTH_AGENT_API_KEY));
  assert.equal((await cli(`keys revoke ${server} ${id}`)).exit, 2, 'without a terminal it needs --yes');
  assert.deepEqual(await data(`keys revoke ${server} ${id} --yes`), { key_id: id, revoked: true });
  assert.deepEqual(await data(`keys revoke ${server} ${id} --yes`), { key_id: id, revoked: false });
  assert.equal((await cli(`keys revoke ${server} sk_never --yes`)).exit, 4);
  assert.equal((await data(`keys list ${server}`)).keys[0].status, 'revoked');
  const month = await data(`keys create ${server} --days 30`);
  assert.equal((Date.parse(month.expires_at) - Date.parse(month.created_at)) / 86400_000, 30);
});

test('a list says how many days are left once they are fewer than 30, and what to do about a key', async () => {
  const marked = async (list: string) => (await cli(list)).out.match(/\(\d+ days? left\)/g)?.toSorted();
  await data(`keys create ${server} --days 31`);
  const before = await cli(`keys list ${server}`);
  assert.deepEqual([before.out.includes('left'), before.err], [false, '']);

  for (const days of [29, 1]) await data(`keys create ${server} --days ${days}`);
  const { key_id } = await data(`keys create ${server} --days 2`);
  await data(`keys revoke ${server} ${key_id} --yes`);
  const { token_id } = await data('owner-tokens create op --days 29');

  assert.deepEqual(await marked(`keys list ${server}`), ['(1 day left)', '(29 days left)']);
  assert.match((await cli(`keys list ${server}`)).err, new RegExp(`auth-agent keys create ${server}`));
  assert.match((await cli('owner-tokens list')).out, new RegExp(`${token_id} .*\\(29 days left\\)`));
  assert.deepEqual(Object.keys((await data(`keys list ${server}`)).keys[0]).slice(0, 5), ['key_id', 'name', 'status', 'created_at', 'expires_at']);
});

test('an owner token opens the management API for owners and operators only', async () => {
  await data('users add plain --password-stdin', { input: password });
  const { token, user_id } = await data('owner-tokens create op --name CI --days 1');

  assert.match(token, /^aat_[A-Za-z0-9_-]{43}$/);
  assert.ok(user_id.startsWith('usr_'));
  assert.equal((await cli('owner-tokens create plain')).exit, 6);
  assert.equal((await cli('owner-tokens create nobody')).exit, 4);
});

test('owner tokens are listed without their values, and a leaked one is revoked while the others go on', async () => {
  const leaked = await data('owner-tokens create op --name Leaked');
  const other = await data('owner-tokens create op --name Other');

  const { tokens } = await data('owner-tokens list');
  const statusOf = async (id: string) => (await data('owner-tokens list')).tokens.find((one: { token_id: string }) => one.token_id === id);
  assert.deepEqual([(await statusOf(leaked.token_id)).status, (await statusOf(leaked.token_id)).username], ['active', 'op']);
  assert.ok(!JSON.stringify(tokens).includes(leaked.token.slice(4)));

  assert.equal((await cli(`owner-tokens revoke ${leaked.token_id}`)).exit, 2);
  assert.deepEqual(await data(`owner-tokens revoke ${leaked.token_id} --yes`), { token_id: leaked.token_id, revoked: true });
  assert.equal((await data(`owner-tokens revoke ${leaked.token_id} --yes`)).revoked, false);
  assert.deepEqual([(await statusOf(leaked.token_id)).status, (await statusOf(other.token_id)).status], ['revoked', 'active']);
  assert.equal((await data('audit list --type owner_token.revoked')).events.length, 1);
  assert.equal((await cli('owner-tokens revoke oat_nowhere --yes')).exit, 4);
});

test('clients: public, confidential and machine, each with what it needs, its secret shown once', async () => {
  const open = await data(['clients', 'add', '--name', 'Desktop App', '--redirect-uri', 'http://127.0.0.1/callback', '--redirect-uri', 'com.example.app:/cb']);
  const web = await data('clients add --name Web --confidential --redirect-uri https://app.example.com/cb');
  const machine = await data([
    'clients',
    'add',
    '--name',
    'Nightly',
    '--machine',
    '--scope',
    'files:read',
    '--resource',
    'https://files.example.com/',
    '--id',
    'nightly',
  ]);

  assert.deepEqual([open.client_secret, open.token_endpoint_auth_method, open.grant_types], [undefined, 'none', ['authorization_code', 'refresh_token']]);
  assert.deepEqual([web.client_secret.length > 40, web.token_endpoint_auth_method], [true, 'client_secret_basic']);
  assert.deepEqual(
    [machine.client_id, machine.grant_types, machine.default_resource, machine.scope],
    ['nightly', ['client_credentials'], 'https://files.example.com', 'files:read'],
  );
  const speaker = await data(['clients', 'add', '--name', 'Files', '--speaks-for', server, '--redirect-uri', 'https://files.example.com/approved']);
  assert.deepEqual(
    [speaker.speaks_for, speaker.grant_types, speaker.token_endpoint_auth_method],
    [server, ['urn:ietf:params:oauth:grant-type:token-exchange'], 'client_secret_basic'],
  );
  const { clients } = await data('clients list');
  assert.equal(clients.length, 4);
  assert.ok(!JSON.stringify(clients).includes(web.client_secret));
  for (const [line, exit] of [
    ['clients add --name Evil --redirect-uri javascript:alert(1)', 6],
    ['clients add --name Plain --redirect-uri http://app.example.com/cb', 6],
    ['clients add --name None', 2],
    ['clients add --redirect-uri https://a.example/cb', 2],
    ['clients add --name M --machine', 2],
    ['clients add --name M --machine --scope a --redirect-uri https://a.example/cb', 2],
    ['clients add --name M --machine --scope a --resource https://nowhere.example', 4],
    [`clients add --name M --machine --scope a --speaks-for ${server}`, 2],
    ['clients add --name S --speaks-for srv_nowhere --redirect-uri https://a.example/cb', 4],
    ['clients add --name Again --machine --scope a --id nightly', 5],
  ] as const)
    assert.equal((await cli(line)).exit, exit, line);
  assert.equal((await cli('clients rm nightly')).exit, 2);
  assert.deepEqual(await data('clients rm nightly --yes'), { client_id: 'nightly', grants_revoked: 0 });
  assert.equal((await cli('clients rm nightly --yes')).exit, 4);
  assert.equal((await data('clients list --all')).clients.find((one: { client_id: string }) => one.client_id === 'nightly').status, 'removed');
});

test('[CA-06] a client with a key has no secret, and its keys are replaced as a whole', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const file = (name: string, json: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(json));
    return path;
  };
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'a' };
  const added = await data(['clients', 'add', '--name', 'Signer', '--machine', '--scope', 'files:read', '--id', 'signer', '--jwks', file('one.json', jwk)]);
  assert.deepEqual([added.token_endpoint_auth_method, added.client_secret], ['private_key_jwt', undefined]);

  const both = { keys: [jwk, { ...jwk, kid: 'b' }] };
  assert.deepEqual((await data(`client-keys set signer --jwks ${file('two.json', both)}`)).jwks, both);
  assert.deepEqual(await data('client-keys set signer --jwks-uri https://app.example.com/keys'), {
    client_id: 'signer',
    jwks_uri: 'https://app.example.com/keys',
  });
  for (const [line, exit] of [
    [`client-keys set signer --jwks ${file('private.json', privateKey.export({ format: 'jwk' }))}`, 6],
    [`client-keys set signer --jwks ${file('empty.json', { keys: [] })}`, 6],
    ['client-keys set signer --jwks-uri http://app.example.com/keys', 6],
    [`client-keys set signer --jwks ${join(folder, 'never.json')}`, 4],
    ['client-keys set signer', 2],
    ['client-keys set nobody --jwks-uri https://app.example.com/keys', 4],
    ['client-secrets add signer', 6],
  ] as const)
    assert.equal((await cli(line)).exit, exit, line);
});

test('[CA-14] a client gets a newer secret while the older works on, and either is ended by itself', async () => {
  await data('clients add --name Turning --id turning --machine --scope files:read');
  const added = await data('client-secrets add turning --days 1');

  assert.match(added.client_secret, /^cs_[A-Za-z0-9_-]{43}$/);
  for (const [line, exit] of [
    ['client-secrets add turning', 5],
    ['client-secrets revoke turning --older', 2],
    ['client-secrets revoke turning --yes', 2],
    ['client-secrets revoke turning --older --newer --yes', 2],
    ['client-secrets revoke nobody --older --yes', 4],
  ] as const)
    assert.equal((await cli(line)).exit, exit, line);
  assert.deepEqual(await data('client-secrets revoke turning --older --yes'), { client_id: 'turning', revoked: 'older' });
  assert.equal((await cli('client-secrets revoke turning --newer --yes')).exit, 5);
});

test('registration tokens are made with a number of uses, listed without their value, and revoked', async () => {
  const made = await data('registration-tokens create --name Partner --uses 5 --days 30');
  const plain = await data('registration-tokens create');

  assert.match(made.token, /^iat_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual([made.name, made.uses_left, plain.uses_left], ['Partner', 5, 1]);
  const { tokens } = await data('registration-tokens list');
  assert.deepEqual(
    tokens.map((one: { token_id: string; status: string }) => [one.token_id, one.status]).toSorted(),
    [
      [made.token_id, 'active'],
      [plain.token_id, 'active'],
    ].toSorted(),
  );
  assert.ok(!JSON.stringify(tokens).includes(made.token.slice(4)));
  for (const line of ['create --uses 0', 'create --uses many', 'create --days 0']) assert.equal((await cli(`registration-tokens ${line}`)).exit, 2, line);
  assert.equal((await cli(`registration-tokens revoke ${plain.token_id}`)).exit, 2);
  assert.deepEqual(await data(`registration-tokens revoke ${plain.token_id} --yes`), { token_id: plain.token_id, revoked: true });
  assert.equal((await data(`registration-tokens revoke ${plain.token_id} --yes`)).revoked, false);
  assert.equal((await cli('registration-tokens revoke rgt_nowhere --yes')).exit, 4);
});

test('a client that waits is listed as pending, and approved once', async () => {
  const storage = openStorage(await openDatabase(databaseUrl));
  const metadata = { clientName: 'Waiting', redirectUris: ['https://a.example/cb'], grantTypes: ['authorization_code'], responseTypes: ['code'] };
  const waiting = { id: 'client_waiting', registration: 'dynamic' as const, createdAt: 1, lastUsedAt: 1, pendingSince: 1 };
  await storage
    .forTenant(ROOT_TENANT)
    .addClient({ ...waiting, metadata: { ...metadata, tokenEndpointAuthMethod: 'none' } }, { id: 'evt_w', at: 1, type: 'client.registered', actor: 'test' });
  await storage.close();
  const status = async () => (await data('clients list')).clients.find((one: { client_id: string }) => one.client_id === 'client_waiting').status;

  assert.equal(await status(), 'pending');
  assert.equal((await cli('clients approve client_waiting')).exit, 2);
  assert.equal(await status(), 'pending');
  assert.match((await cli('clients approve client_waiting --yes')).out, /Approved Waiting: it returns to https:\/\/a\.example\/cb/);
  assert.equal(await status(), 'active');
  assert.equal((await data('clients approve client_waiting')).approved, false);
  assert.equal((await cli('clients approve client_nowhere')).exit, 4);
  await cli('clients rm client_waiting --yes');
});

test('[JAG-10] [JAG-13] issuers are trusted for people or for workloads, and their subjects are somebody only when an operator says so', async () => {
  const idp = 'https://idp.acme.example';
  const platform = 'https://kubernetes.default.svc';
  await data('users add grace --password-stdin', { input: password });
  assert.deepEqual((await data(`issuers add ${idp} --people`)).unknown_people, 'are refused');
  const jwk = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'a' };
  writeFileSync(join(folder, 'cluster.json'), JSON.stringify({ keys: [jwk] }));
  assert.equal((await data(`issuers add ${platform} --workloads --jwks ${join(folder, 'cluster.json')}`)).keys, '1 given');
  const linked = await data(`identities link ${idp} U1 grace`);
  const machine = await data('clients add --name Deploy --id deploy --workload --scope files:read');
  assert.deepEqual([machine.client_secret, machine.token_endpoint_auth_method], [undefined, 'none']);
  await data(`workloads add ${platform} system:serviceaccount:a:b --client deploy`);

  assert.deepEqual((await data(`identities list ${idp}`)).identities, [{ subject: 'U1', user_id: linked.user_id }]);
  assert.deepEqual((await data(`workloads list ${platform}`)).workloads, [{ subject: 'system:serviceaccount:a:b', client_id: 'deploy' }]);
  assert.equal((await data('issuers list')).issuers.length, 2);
  for (const [line, exit] of [
    [`issuers add ${idp} --people`, 5],
    ['issuers add http://idp.example --people', 2],
    ['issuers add https://auth.example.com --people', 6],
    ['issuers add https://x.example', 2],
    ['issuers add https://x.example --people --workloads', 2],
    ['issuers add https://x.example --workloads --create-people', 2],
    [`identities link ${idp} U1 grace`, 5],
    [`identities link ${idp} U2 nobody`, 4],
    [`identities link ${platform} U2 grace`, 4],
    [`workloads add ${platform} * --client deploy`, 6],
    [`workloads add ${platform} a*b --client deploy`, 6],
    [`workloads add ${platform} x`, 2],
    [`workloads add ${platform} x --client turning`, 6],
    [`workloads add ${idp} x --client deploy`, 4],
    ['clients add --name W --workload --scope a --confidential', 2],
    ['clients add --name E --enterprise --machine --scope a', 2],
    [`issuers rm ${idp}`, 2],
    ['issuers rm https://never.example --yes', 4],
  ] as const)
    assert.equal((await cli(line)).exit, exit, line);
  assert.equal((await cli(`workloads rm ${platform} system:serviceaccount:a:b`)).exit, 0);
  assert.equal((await cli(`identities unlink ${idp} U1`)).exit, 0);
  assert.equal((await cli(`issuers rm ${idp} --yes`)).exit, 0);
});

test('[JAG-11] a client takes assertions only where an operator listed it, and is registered for exchange by that', async () => {
  const enterprise = await data('clients add --name Agent --id agent --enterprise');
  assert.deepEqual([enterprise.grant_types, enterprise.token_endpoint_auth_method], [['urn:ietf:params:oauth:grant-type:jwt-bearer'], 'client_secret_basic']);
  await data('clients add --name Sso --id sso --confidential --redirect-uri https://app.example.com/cb');
  await data('clients add --name Pairs --id pairwise --confidential --pairwise --redirect-uri https://pairs.example.com/cb');
  const place = '--audience https://auth.shop.example --resource https://mcp.shop.example';

  const added = await data(`assertion-targets add sso ${place} --as shop-agent --scope files:read`);

  assert.deepEqual([added.client_id_there, added.scope], ['shop-agent', 'files:read']);
  assert.deepEqual((await data('assertion-targets list sso')).targets, [added]);
  const sso = (await data('clients list')).clients.find((one: { client_id: string }) => one.client_id === 'sso');
  assert.ok(sso.grant_types.includes('urn:ietf:params:oauth:grant-type:token-exchange'));
  for (const [line, exit] of [
    [`assertion-targets add sso ${place} --scope files:read`, 5],
    [`assertion-targets add sso ${place}`, 2],
    ['assertion-targets add sso --audience http://x.example --resource https://y.example --scope a', 2],
    [`assertion-targets add nobody ${place} --scope a`, 4],
    [`assertion-targets add pairwise ${place} --scope a`, 6],
    ['assertion-targets rm sso --audience https://auth.shop.example --resource https://other.example', 4],
  ] as const)
    assert.equal((await cli(line)).exit, exit, line);
  assert.equal((await cli(`assertion-targets rm sso ${place}`)).exit, 0);
});

test('grants are listed and revoked', async () => {
  const storage = openStorage(await openDatabase(databaseUrl));
  const grant = { id: 'grant_cli', clientId: 'c', resource: 'https://files.example.com', serverId: server, scope: ['files:read'], createdAt: 1, lastUsedAt: 1 };
  await storage.forTenant(ROOT_TENANT).ensureMachineGrant(grant, { id: 'evt_cli', at: 1, type: 'grant.machine_approved', actor: 'test' });
  await storage.close();

  const { grants } = await data(`grants list --server ${server}`);

  assert.deepEqual([grants.length, grants[0].grant_id, grants[0].scope], [1, 'grant_cli', 'files:read']);
  assert.deepEqual(await data('grants revoke grant_cli'), { grant_id: 'grant_cli', revoked: true });
  assert.deepEqual(await data('grants revoke grant_cli'), { grant_id: 'grant_cli', revoked: false });
  assert.equal((await cli('grants revoke grant_never')).exit, 4);
});

test('[ACC-01] an operator stops agents at once and lets them go on, and takes no pause of a person away', async () => {
  const storage = openStorage(await openDatabase(databaseUrl));
  const store = storage.forTenant(ROOT_TENANT);
  const now = Math.floor(Date.now() / 1000);
  const { user_id: userId } = await data('users add pam --email pam@example.com --password-stdin', { input: `${password}\n` });
  const { client_id: clientId } = await data('clients add --name Held --redirect-uri http://localhost/callback');
  const resource = 'https://files.example.com';
  const grant = { id: 'grant_held', userId, clientId, resource, serverId: server, scope: ['files:read'], createdAt: now, lastUsedAt: now };
  const event = (id: string) => ({ id, at: now, type: 'grant.approved' as const, actor: 'test', userId });
  await store.addDeviceCode({
    codeHash: 'd',
    userCodeHash: 'u',
    clientId,
    request: { scope: [], resource },
    address: '',
    createdAt: now,
    expiresAt: now + 60,
    intervalSeconds: 5,
  });
  await store.approveDevice({ codeHash: 'd', grant, authTime: now, now }, event('evt_held'));
  const state = async () => (await data('grants list --user pam')).grants[0].state;

  assert.equal((await cli('panic --yes')).exit, 2);
  assert.equal((await cli('panic --all --user pam --yes')).exit, 2);
  assert.equal((await cli(`panic --client ${clientId}`)).exit, 2);
  for (const nobody of ['--client nobody', '--user nobody', '--server srv_nobody']) assert.equal((await cli(`panic ${nobody} --yes`)).exit, 4);
  const stopped = await cli(`panic --client ${clientId}`, { tty: true, input: `${clientId}\n` });
  assert.match(stopped.err, /This stops the agents of client_\S+ now: 1 grant of 1 person\.\nType client_\S+ to continue/);
  const [incident = ''] = /inc_[A-Za-z0-9_-]+/.exec(stopped.out) ?? [];
  assert.match(stopped.out, new RegExp(`1 grant paused; new ones are born paused\\s+Next\\s+auth-agent grants resume ${incident}`));
  assert.equal(await state(), 'stopped');
  assert.deepEqual(
    (await data('grants incidents')).incidents.map((each: { incident: string; grants: number }) => [each.incident, each.grants]),
    [[incident, 1]],
  );
  assert.equal((await cli('grants pause grant_held')).exit, 5);
  assert.deepEqual(await data(`grants resume ${incident}`), { incident, grants: 1 });
  assert.equal((await cli(`grants resume ${incident}`)).exit, 4);
  assert.equal((await cli('grants resume grant_held')).exit, 5);

  await data('grants pause grant_held');
  assert.equal((await data('grants resume grant_held')).grants, 1);
  assert.equal(await state(), 'active');
  await store.pauseAgent(userId, 'grant_held', event('evt_paused'));
  assert.equal(await state(), 'paused');
  assert.equal((await cli('grants resume grant_held')).exit, 6);
  await store.pauseAllAgents(userId, event('evt_all'));
  assert.equal(await state(), 'paused');
  assert.equal((await cli('grants pause grant_never')).exit, 4);
  await storage.close();
});

test('[KEY-02] [KEY-03] signing keys rotate with overlap, and a compromised one is dropped', async () => {
  const { kid, signs_from } = await data('signing-keys rotate');
  const { keys } = await data('signing-keys list');
  const states = keys.filter((key: { algorithm: string }) => key.algorithm === 'ES256').map((key: { status: string }) => key.status);

  assert.ok(Date.parse(signs_from) > Date.now());
  assert.deepEqual(states.sort(), ['next', 'signing']);
  assert.equal((await cli('signing-keys rotate --algorithm HS256')).exit, 2);
  assert.equal((await cli('signing-keys drop nothing --yes')).exit, 4);
  await data(`signing-keys drop ${kid} --yes`);
  assert.ok(!(await data('signing-keys list')).keys.some((key: { kid: string }) => key.kid === kid));
});

test('a tenant has servers and people of its own', async () => {
  await data('tenants add acme --name Acme');
  assert.equal((await cli('tenants add acme')).exit, 5);
  assert.equal((await cli('tenants add Bad/slug')).exit, 2);
  assert.equal((await cli('servers list --tenant nowhere')).exit, 4);
  await data('users add op --role operator --tenant acme --password-stdin', { input: password });

  const own = await data('servers add https://files.example.com --scope a --tenant acme');

  assert.equal(own.protected_resource_metadata_url, `https://auth.example.com/t/acme/.well-known/oauth-protected-resource/${own.server_id}`);
  assert.equal((await cli(`servers show ${own.server_id}`)).exit, 4);
});

test('a setup link is for the first operator only', async () => {
  assert.equal((await cli('setup-link')).exit, 5);
  await data('tenants add fresh');
  const { url } = await data('setup-link --tenant fresh');

  assert.match(url, /^https:\/\/auth\.example\.com\/t\/fresh\/setup\?token=st_[A-Za-z0-9_-]{43}$/);
});

test('a setup link as SQL opens no database, shows nobody the token but its reader, and works where there is no operator', async () => {
  const nowhere = { AUTH_AGENT_DATABASE_URL: 'postgres://127.0.0.1:1/none', AUTH_AGENT_SECRET: '' };
  const { exit, out: sql, err } = await cli('setup-link --sql', { env: nowhere });
  const token = /https:\/\/auth\.example\.com\/setup\?token=(st_[\w-]{43})\n/.exec(err)?.[1] ?? '';
  const tokenHash = createHash('sha256').update(token).digest('base64url');
  const now = Math.floor(Date.now() / 1000);

  assert.equal(exit, 0);
  assert.ok(token !== '' && !sql.includes(token));
  assert.ok(sql.includes(`'${tokenHash}'`));
  assert.match(sql, /^insert into setup_links .+;\n$/);
  const settled = await openDatabase(databaseUrl);
  const none = await openDatabase('sqlite::memory:');
  await openStorage(none).migrate(1);
  for (const driver of [settled, none]) await driver.script(sql);
  const opens = (driver: typeof none) => openStorage(driver).forTenant(ROOT_TENANT).setupLinkOpen(tokenHash, now);
  assert.deepEqual([await opens(none), await opens(settled)], [true, false]);
  const rows = (driver: typeof none) => driver.read({ text: 'select 1 from setup_links where token_hash = ?1', values: [tokenHash] });
  assert.deepEqual([(await rows(none)).length, (await rows(settled)).length], [1, 0]);
  for (const driver of [settled, none]) await driver.close();

  assert.equal((await cli('setup-link --sql --tenant acme')).exit, 2);
  assert.equal((await cli('setup-link --sql --issuer http://auth.example.com')).exit, 2);
  assert.equal((await cli('setup-link --sql', { env: { AUTH_AGENT_ISSUER: '' } })).exit, 2);
});

test('approving a client shows where it returns to and asks, and nothing happens when something else is typed', async () => {
  const storage = await openStorage(await openDatabase(databaseUrl));
  const metadata = { clientName: 'Shown', redirectUris: ['https://shown.example/cb'], grantTypes: ['authorization_code'], responseTypes: ['code'] };
  const waiting = { id: 'client_shown', registration: 'dynamic' as const, createdAt: 1, lastUsedAt: 1, pendingSince: 1 };
  await storage
    .forTenant(ROOT_TENANT)
    .addClient({ ...waiting, metadata: { ...metadata, tokenEndpointAuthMethod: 'none' } }, { id: 'evt_s', at: 1, type: 'client.registered', actor: 'test' });
  await storage.close();

  const shown = await cli('clients approve client_shown', { tty: true, input: 'yes\n' });

  assert.equal(shown.exit, 10);
  assert.match(shown.err, /Shown \(client_shown\) .*\n +https:\/\/shown\.example\/cb/);
  assert.equal((await data('clients approve client_shown', { tty: true, input: 'client_shown\n' })).approved, true);
  await cli('clients rm client_shown --yes');
});

test('removing a server asks for its name, and nothing happens when another is typed', async () => {
  const { server_id: id } = await data('servers add https://gone.example.com --scope a');

  assert.equal((await cli(`servers rm ${id}`, { tty: true, input: 'yes\n' })).exit, 10);
  assert.equal((await cli(`servers rm ${id}`, { tty: true, input: '' })).exit, 10);
  assert.equal((await cli(`servers show ${id}`)).exit, 0);
  assert.equal((await cli(`servers rm ${id}`, { tty: true, input: `${id}\n` })).exit, 0);
  assert.equal((await cli(`servers show ${id}`)).exit, 4);
});

test('a database that is not there is exit 4, one that is behind exit 1 and 9, one that cannot be reached exit 7', async () => {
  const missing = { env: { AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, 'missing.db')}` } };
  assert.equal((await cli('users list', missing)).exit, 4);
  assert.equal((await cli('db status', missing)).exit, 9);
  const behind = `sqlite:${join(folder, 'behind.db')}`;
  const driver = await openDatabase(behind);
  await driver.script('create table notes (text text)');
  await driver.close();
  const given = { env: { AUTH_AGENT_DATABASE_URL: behind } };
  assert.equal((await cli('users list', given)).exit, 1);
  assert.equal((await cli('db status', given)).exit, 9);
  assert.ok((await data('db migrate', given)).backup.startsWith(join(folder, 'behind.db.backup-')));
  assert.deepEqual(await data('db migrate', given), { applied: [] });
  assert.equal((await cli('db status', given)).exit, 0);
  const away = await cli('db status', { env: { AUTH_AGENT_DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/none' } });
  assert.equal(away.exit, 7);
  assert.ok(!away.err.includes('hunter2'));
});

test('a Postgres that does not let us in says so, is exit 6, and is no fault to report', { skip: !process.env.AUTH_AGENT_TEST_POSTGRES }, async () => {
  const address = new URL(process.env.AUTH_AGENT_TEST_POSTGRES ?? '');
  address.pathname = '/is_nowhere';
  for (const words of ['db migrate', 'db status', 'users list', 'start']) {
    const { exit, err } = await cli(words, { env: { AUTH_AGENT_DATABASE_URL: address.href } });
    assert.equal(exit, 6, `${words}: ${err}`);
    assert.match(err, /refuses this server\n.*database "is_nowhere" does not exist/);
    assert.doesNotMatch(err, /report/);
  }
});

test('a file that is no database, such as a backup, is refused with the way to restore it', async () => {
  const file = join(folder, 'backup-as.db');
  await data(['db', 'backup', '--to', file]);
  for (const words of ['start', 'users list']) {
    const { exit, err } = await cli(words, { env: { AUTH_AGENT_DATABASE_URL: `sqlite:${file}` } });
    assert.equal(exit, 6);
    assert.match(err, /not a database\n.*auth-agent db restore <file>/);
  }
});

test('a database of a newer version, and one whose restore was not finished, are refused by commands as by the start', async () => {
  for (const [name, spoil, said] of [
    ['newer.db', "insert into schema_migrations (name, checksum, applied_at) values ('9999-later', 'x', 1)", /newer version: it has 9999-later/],
    ['half.db', "insert into facts (name, value) values ('restoring', '1')", /restore into this database was not finished/],
  ] as const) {
    const given = { env: { AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, name)}` }, input: `${password}\n` };
    await data('db migrate', given);
    const driver = await openDatabase(given.env.AUTH_AGENT_DATABASE_URL);
    await driver.script(spoil);
    await driver.close();

    for (const words of ['users add eve --password-stdin', 'clients add --name X --machine']) {
      const { exit, err } = await cli(words, given);
      assert.equal(exit, 6, `${words}: ${err}`);
      assert.match(err, said);
    }
  }
});

test('after a change of the secret what the old one sealed says so, and is no fault to report', async () => {
  const given = { env: { AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, 'changed.db')}` } };
  await data('db migrate', given);
  const { id } = await data('webhooks add https://siem.example.com/ --all', given);
  const other = { env: { ...given.env, AUTH_AGENT_SECRET: randomBytes(32).toString('base64') } };
  const { exit, err } = await cli(`webhooks test ${id}`, other);
  assert.equal(exit, 6);
  assert.match(err, /does not open with this secret.*sealed under another AUTH_AGENT_SECRET.*DEPLOYMENT\.md/s);
});

test('with another secret than the one of the database no command writes what would never work', async () => {
  const given = { env: { AUTH_AGENT_DATABASE_URL: `sqlite:${join(folder, 'sealed.db')}` } };
  await data('db migrate', given);
  await data('signing-keys rotate', given);
  const other = { env: { ...given.env, AUTH_AGENT_SECRET: randomBytes(32).toString('base64') } };

  for (const words of ['webhooks add https://hooks.example.com/', 'clients add --name X --machine', 'signing-keys rotate', 'setup-link']) {
    const { exit, err } = await cli(words, other);
    assert.equal(exit, 6, `${words}: ${err}`);
    assert.match(err, /secret does not open the signing keys/);
  }
  assert.deepEqual((await data('webhooks list', given)).webhooks, []);
});

test('names of strangers cannot move the cursor of a terminal', async () => {
  const storage = openStorage(await openDatabase(databaseUrl));
  const metadata = { clientName: 'Evil\u001b[2J\u202Eapp', redirectUris: [], grantTypes: [], responseTypes: [], tokenEndpointAuthMethod: 'none' as const };
  await storage
    .forTenant(ROOT_TENANT)
    .addClient(
      { id: 'client_evil', registration: 'dynamic', metadata, createdAt: 1, lastUsedAt: 1 },
      { id: 'evt_evil', at: 1, type: 'client.registered', actor: 'test' },
    );
  await storage.close();

  const { out } = await cli('clients list');

  assert.ok(out.includes('client_evil') && !out.includes('\u001b') && !out.includes('\u202E'));
});

test('a link for a new password, and one for somebody new, is printed once and opens nothing when it is old', async () => {
  const open = { env: { AUTH_AGENT_SIGN_UP: 'invitation' } };
  await data('users add rita --email rita@example.com --password-stdin', { input: `${password}\n` });

  const reset = await data('users reset-link rita@example.com');
  assert.match(reset.url, /^https:\/\/auth\.example\.com\/reset\?token=ol_[\w-]{43}$/);
  assert.equal(reset.expires_in, 86_400);
  const invited = await data('users invite guest@example.com --role owner', open);
  assert.match(invited.url, /^https:\/\/auth\.example\.com\/invite\?token=ol_[\w-]{43}$/);
  const list = await data('users list');
  assert.deepEqual(
    list.invited.map(({ email, role }: { email: string; role: string }) => [email, role]),
    [['guest@example.com', 'owner']],
  );
  assert.match((await cli('users list')).out, /owner +guest@example\.com +invited/);

  assert.equal((await cli('users invite guest@example.com')).exit, 6);
  assert.equal((await cli('users invite rita@example.com', open)).exit, 5);
  assert.equal((await cli('users invite nowhere', open)).exit, 2);
  assert.equal((await cli('users invite a@example.com --role admin', open)).exit, 2);
  assert.equal((await cli('users reset-link nobody')).exit, 4);
});

test('a disabled person is kept out until enabled, and the only operator stays', async () => {
  await data('users add dan --password-stdin', { input: `${password}\n` });

  assert.equal((await data('users disable dan')).changed, true);
  assert.equal((await data('users disable dan')).changed, false);
  assert.equal((await cli('users reset-link dan')).exit, 5);
  assert.match((await cli('users list')).out, /dan +user +disabled/);
  assert.equal((await data('users enable dan')).disabled_at, undefined);
  const last = await cli('users disable op');
  assert.deepEqual([last.exit, /only operator/.test(last.err)], [5, true]);
  assert.equal((await cli('users disable nobody')).exit, 4);
});
