/**
 * Secrets of every kind go through a started server, where they belong and where they do not, with everything on that writes: log, metrics, traces, mail, webhooks. Afterwards
 * none stands in what it printed, measured or sent to the traces, nor in clear in the database and its backup (TOK-10). The stories look for the same: server/test/canaries.ts.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { readBackupFile } from 'auth-agent-mcp-server/node';
import { type Browser, openBrowser, type Page } from '../../server/test/browser.ts';
import { canaries } from '../../server/test/canaries.ts';
import { proofKey, proof as proofOf } from '../../server/test/dpop.ts';
import { type MailServer, mailServer } from '../../server/test/mail-server.ts';
import { signer } from '../../server/test/signer.ts';
import { type Provider, upstreamProvider } from '../../server/test/upstream-provider.ts';
import { run } from './run.ts';

/** Short enough that nothing masks it by its looks: it must not have been written in the first place. */
const canary = (): string => `Cn${randomBytes(12).toString('hex')}`;
const main = new URL('./main.ts', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'auth-agent-secrets-'));
const database = join(folder, 'live.db');
const secrets = canaries();
/** What may be stored, as names and addresses are, but not written anywhere else. */
const unwritten = canaries();
const known = <Value extends string>(value: Value): Value => {
  secrets.add(value);
  return value;
};
const misplaced = (): string => {
  const value = canary();
  unwritten.add(value);
  return value;
};

const passwords = { op: known(canary()), ada: known(canary()), next: known(canary()) };
const settings: Record<string, string> = {
  AUTH_AGENT_SECRET: known(randomBytes(48).toString('base64')),
  AUTH_AGENT_DATABASE_URL: `sqlite:${database}`,
  AUTH_AGENT_LOG_LEVEL: 'info',
  AUTH_AGENT_EMAIL_CODE: 'true',
  AUTH_AGENT_SIGN_UP: 'open',
  AUTH_AGENT_MAIL_FROM: 'auth@example.com',
  AUTH_AGENT_METRICS_PORT: '0',
  OTEL_EXPORTER_OTLP_HEADERS: `api-key=${known(canary())}`,
  OTEL_BSP_SCHEDULE_DELAY: '50',
};
const resource = 'https://files.example.com/';
const redirect = 'http://127.0.0.1:4711/callback';
const traces: string[] = [];
const delivered: string[] = [];
const opened: (() => void)[] = [];
let mail: MailServer;
let provider: Provider;
let issuer = '';
let child: ChildProcess;
let printed = '';
let metricsUrl = '';
const made: Record<string, Record<string, string>> = {};

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Runs a command in this process; what it hands out is a secret from then on. */
async function cli(line: string, input = ''): Promise<Record<string, string>> {
  const out: string[] = [];
  const exit = await run([...line.split(' '), '--json'], {
    env: { ...settings, AUTH_AGENT_ISSUER: issuer },
    stdin: Object.assign(Readable.from([input]), { isTTY: false }),
    stdout: { write: (line: string) => out.push(line) },
    stderr: { write: () => true },
    untilStopped: async () => 'SIGINT' as const,
  });
  const { data } = JSON.parse(out.join('')) as { data: Record<string, string> };
  assert.equal(exit, 0, out.join(''));
  for (const [name, value] of Object.entries(data))
    if (/secret|token$|link|url$/.test(name))
      known(new URLSearchParams(String(value).split('?')[1] ?? '').get('token') ?? (/secret|token/.test(name) ? String(value) : ''));
  return data;
}

/** Every request of the test goes through here: what it carries and what comes back is looked for afterwards. */
async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(path, issuer).href;
  secrets.request(url, init);
  const response = await fetch(url, { redirect: 'manual', ...init });
  await secrets.answer(response);
  return response;
}
const post = (path: string, values: Record<string, string>, headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', body: new URLSearchParams(values).toString(), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers } });
const members = async (answer: Promise<Response>) => (await (await answer).json()) as Record<string, string>;
const basic = (id = '', secret = '') => ({ Authorization: `Basic ${btoa(`${id}:${secret}`)}` });
const browser = (): Browser => openBrowser((url, init) => ask(url, init), issuer);

const verifier = known(randomBytes(32).toString('base64url'));
const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))).toString('base64url');
const authorizeUrl = (more: Record<string, string> = {}) =>
  `${issuer}/authorize?${new URLSearchParams({ response_type: 'code', client_id: made.app?.client_id ?? '', redirect_uri: redirect, scope: 'openid files:read offline_access', resource, code_challenge: challenge, code_challenge_method: 'S256', state: misplaced(), nonce: misplaced(), ...more })}`;
const signIn = async (one: Browser, page?: Page, username = 'ada', password = passwords.ada) =>
  one.submit(page ?? (await one.open('/login')), { username, password });

/** From the question to the code. */
async function allowed(one: Browser, url = authorizeUrl()): Promise<string> {
  const page = await one.open(url);
  const asked = page.title.length > 0 && page.forms.some(({ fields }) => fields.some(({ name }) => name === 'password')) ? await signIn(one, page) : page;
  const done = await one.submit(asked, {}, 'allow');
  const code = new URL(done.refresh ?? 'about:blank').searchParams.get('code');
  assert.ok(code, done.title);
  return known(code);
}
const redeem = (code: string, more: Record<string, string> = {}, headers?: Record<string, string>) =>
  post(
    '/token',
    { grant_type: 'authorization_code', code, redirect_uri: redirect, client_id: made.app?.client_id ?? '', code_verifier: verifier, ...more },
    headers,
  );

before(async () => {
  const otlp = await listen(async (request, response) => {
    traces.push(await text(request));
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  });
  const hook = await listen(async (request, response) => {
    delivered.push(await text(request));
    response.writeHead(204).end();
  });
  const upstream = await listen((request, response) => {
    void (async () => {
      const answer = await provider.fetch(provider.issuer + request.url, {
        method: request.method ?? 'GET',
        headers: {},
        body: await text(request),
        privateNetwork: true,
      });
      const body = await answer.text();
      await secrets.answer(new Response(body, answer));
      response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(body);
    })();
  });
  provider = upstreamProvider(upstream, () => Math.floor(Date.now() / 1000));
  provider.secret = known(canary());
  const smtp = { user: 'mailer', pass: known(canary()) };
  mail = await mailServer({ allowInsecureAuth: true, onAuth: ({ username }, _session, done) => done(null, { user: username }) });
  opened.push(() => void mail.close());
  settings.AUTH_AGENT_SMTP_URL = `smtp://${smtp.user}:${smtp.pass}@127.0.0.1:${mail.port}`;
  settings.OTEL_EXPORTER_OTLP_ENDPOINT = otlp;
  issuer = await listen(() => {}).then(async (probe) => probe.replace('127.0.0.1', 'localhost').replace(/\d+$/, String(await freePort())));

  await cli('db migrate');
  await cli('users add op --role operator --email op@example.com --password-stdin', `${passwords.op}\n`);
  await cli('users add ada --email ada@example.com --password-stdin', `${passwords.ada}\n`);
  made.server = await cli(`servers add ${resource} --name Files --scope files:read --scope files:write`);
  made.key = await cli(`keys create ${made.server.server_id}`);
  made.app = await cli(`clients add --name App --redirect-uri ${redirect}`);
  made.web = await cli(`clients add --name Web --confidential --redirect-uri https://app.example.com/cb`);
  made.machine = await cli(`clients add --name Nightly --machine --scope files:read --resource ${resource}`);
  made.device = await cli('clients add --name Tv --device');
  const keys = join(folder, 'machine.jwk');
  writeFileSync(keys, JSON.stringify(machineKey.jwk));
  made.signer = await cli(`clients add --name Signer --machine --scope files:read --resource ${resource} --jwks ${keys}`);
  writeFileSync(join(folder, 'upstream.secret'), provider.secret);
  await cli(
    `upstreams add acme ${provider.issuer} --name Acme --client-id auth-agent --client-secret-file ${join(folder, 'upstream.secret')} --private-network`,
  );
  made.hook = await cli(`webhooks add ${hook}/ --all --private-network`);
  made.owner = await cli('owner-tokens create op');
  made.registration = await cli('registration-tokens create');

  child = spawn(process.execPath, ['--conditions=aa-source', '--import', crashOnSignal, main, 'start', '--port', new URL(issuer).port], {
    cwd: folder,
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8', ...settings, AUTH_AGENT_ISSUER: issuer },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      printed += piece;
    });
  await until(() => /"server\.ready"/.test(printed));
  metricsUrl = /"metrics":"([^"]+)"/.exec(printed)?.[1] ?? '';
});
after(() => {
  child?.kill('SIGKILL');
  for (const close of opened) close();
  rmSync(folder, { recursive: true, force: true });
});

const machineKey = signer('machine-1');
const crashOnSignal = "data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('the crash of a test')})";

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function until(isSo: () => boolean): Promise<void> {
  const late = AbortSignal.timeout(60_000);
  while (!isSo()) {
    late.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('people: sign-in, wrong ones, the password in the wrong box, consent, code, refresh, reuse, introspection, revocation, sign-out', async () => {
  const one = browser();
  await signIn(one, undefined, 'ada', known(canary()));
  await signIn(one, undefined, known(canary()), passwords.ada);
  await signIn(one, undefined, passwords.ada, passwords.ada);
  const code = await allowed(one);

  await redeem(code, { code_verifier: known(canary() + canary()) });
  const again = await allowed(one);
  const tokens = await members(redeem(again));
  assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token);
  await redeem(again);
  const more = await members(redeem(await allowed(one)));
  const refresh = (token = '') => post('/token', { grant_type: 'refresh_token', refresh_token: token, client_id: made.app?.client_id ?? '' });
  const [first, second] = [await members(refresh(more.refresh_token)), undefined as undefined | Record<string, string>];
  assert.ok(first.refresh_token, JSON.stringify(first));
  await refresh(first.refresh_token);
  await refresh(more.refresh_token?.replace(/.$/, 'x'));
  await refresh(known(canary()));
  for (const bearer of [made.key?.key_secret, `${made.key?.key_id}_${known(canary())}`, made.key?.key_id])
    await post('/introspect', { token: first.access_token ?? '' }, { Authorization: `Bearer ${bearer}` });
  await ask('/userinfo', { headers: { Authorization: `Bearer ${first.access_token}` } });
  await ask('/userinfo', { headers: { Authorization: `Bearer ${known(canary())}` } });
  await post('/revoke', { token: first.access_token ?? '', client_id: made.app?.client_id ?? '' });
  await post('/revoke', { token: first.refresh_token ?? '', client_id: made.app?.client_id ?? '' });
  await one.open('/account/agents');
  await one.open(`/logout?id_token_hint=${first.id_token ?? tokens.id_token}`);
  assert.equal(second, undefined);
});

test('machines: secrets, keys, proofs', async () => {
  const ask = { grant_type: 'client_credentials', scope: 'files:read' };
  const { machine, signer: signing, web } = made;
  assert.equal((await post('/token', ask, basic(machine?.client_id, machine?.client_secret))).status, 200);
  await post('/token', { ...ask, client_id: machine?.client_id ?? '', client_secret: machine?.client_secret ?? '' });
  await post('/token', ask, basic(machine?.client_id, known(canary())));
  await post('/token', { ...ask, client_id: machine?.client_id ?? '', client_secret: known(canary()) });
  await post('/token', { ...ask, client_id: web?.client_id ?? '', client_secret: web?.client_secret ?? '' });
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: signing?.client_id, sub: signing?.client_id, aud: issuer, iat: now, exp: now + 60, jti: misplaced() };
  const assertion = await machineKey.sign(claims);
  const presented = { ...ask, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion };
  assert.equal((await post('/token', presented)).status, 200);
  await post('/token', presented);
  await post('/token', { ...presented, client_assertion: `${assertion.slice(0, -8)}AAAAAAAA` });
  const proof = await proofOf(await proofKey(), { htu: `${issuer}/token`, iat: now, claims: { jti: misplaced() } });
  const headers = { ...basic(machine?.client_id, machine?.client_secret), DPoP: proof };
  assert.equal((await members(post('/token', ask, headers))).token_type, 'DPoP');
  await post('/token', ask, headers);
});

test('devices, pushed requests, registration, the management API', async () => {
  const { device, app, owner, registration } = made;
  const codes = await members(post('/device_authorization', { client_id: device?.client_id ?? '', resource, scope: 'files:read' }));
  const poll = () =>
    post('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: codes.device_code ?? '', client_id: device?.client_id ?? '' });
  await poll();
  const one = browser();
  await signIn(one);
  const page = await one.submit(await one.open('/device'), { user_code: codes.user_code ?? '' });
  await one.submit(page, {}, 'allow');
  await poll();
  await one.open(`/device?user_code=${codes.user_code}`);
  const pushed = await members(
    post('/par', {
      response_type: 'code',
      client_id: app?.client_id ?? '',
      redirect_uri: redirect,
      scope: 'files:read',
      resource,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: misplaced(),
    }),
  );
  known(String(pushed.request_uri));
  await one.open(`/authorize?client_id=${app?.client_id}&request_uri=${encodeURIComponent(pushed.request_uri ?? '')}`);
  const register = (body: unknown, token?: string) =>
    ask('/register', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
    });
  const mine = await members(
    register(
      { client_name: misplaced(), redirect_uris: [`${redirect}?x=${misplaced()}`], token_endpoint_auth_method: 'client_secret_basic' },
      registration?.token,
    ),
  );
  await ask(mine.registration_client_uri ?? '', { headers: { Authorization: `Bearer ${mine.registration_access_token}` } });
  await ask(mine.registration_client_uri ?? '', { headers: { Authorization: `Bearer ${known(canary())}` } });
  await register({ client_name: misplaced(), redirect_uris: ['javascript:alert(1)'] }, known(canary()));
  const token = owner?.token ?? owner?.value ?? '';
  await ask('/api/servers', { headers: { Authorization: `Bearer ${token}` } });
  await ask('/api/servers', { headers: { Authorization: `Bearer ${known(canary())}` } });
  await ask(`/api/servers/${made.server?.server_id}/keys`, {
    method: 'POST',
    body: JSON.stringify({ name: 'k' }),
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
  });
});

test('codes and links by mail, links of operators, an upstream', async () => {
  const one = browser();
  const page = await one.open('/login');
  const action = /formaction="([^"]*)"/.exec(page.html)?.[1] ?? '';
  const waiting = await one.submit({ ...page, forms: page.forms.map((form) => ({ ...form, action })) }, { username: 'ada@example.com' });
  await until(() => mail.received.some(({ raw }) => /\d{4} \d{4}/.test(raw)));
  const sent = mail.received.find(({ email }) => /\d{4} \d{4}/.test(email.subject ?? ''));
  const code = /\d{4} \d{4}/.exec(sent?.email.subject ?? '')?.[0] ?? '';
  unwritten.add(known(code) + code.replace(' ', ''));
  for (const [, token = ''] of `${sent?.email.text}`.matchAll(/[?&#](?:token|code|link|key|t)=([\w-]+)/g)) known(token);
  await one.submit(waiting, { code: '0000 0000' });
  for (const [link] of `${sent?.email.text}`.matchAll(new RegExp(`${issuer}/\\S+`, 'g'))) await one.open(link);

  for (const { link, url } of [await cli('users reset-link ada'), await cli('users invite grace@example.com')]) {
    const address = String(link ?? url);
    for (const value of new URL(address).searchParams.values()) known(value);
    const visitor = browser();
    const form = await visitor.open(address);
    const fields = form.forms.flatMap((each) => each.fields.map(({ name }) => name));
    const filled = Object.fromEntries(Object.entries({ password: passwords.next, username: 'grace', name: 'Grace' }).filter(([name]) => fields.includes(name)));
    await visitor.submit(form, filled);
    await visitor.open(address);
  }
  const visitor = browser();
  const start = await visitor.open('/login');
  const away = (await visitor.submit({ ...start, forms: start.forms.filter((form) => form.action.includes('/login/upstream')) })).refresh ?? '';
  for (const [name, value] of new URL(away).searchParams) if (/state|nonce/.test(name)) known(value);
  const back = provider.agree(away);
  for (const [name, value] of new URL(back).searchParams) if (/code|state/.test(name)) known(value);
  await browser().open(back);
  await visitor.open(back);
  assert.ok(
    provider.asked.some(({ url }) => url.endsWith('/token')),
    'the upstream was asked',
  );
});

test('secrets in the wrong places: queries, paths, headers, names, broken bodies', async () => {
  const odd = () => known(canary());
  for (const path of [
    `/token?client_secret=${odd()}&code=${odd()}`,
    `/${odd()}`,
    `/docs/errors/${odd()}`,
    `/t/${odd().toLowerCase()}/token`,
    `/authorize?client_id=${odd()}&password=${odd()}&state=${odd()}`,
    `/authorize?client_id=${made.app?.client_id}&redirect_uri=${encodeURIComponent(`https://x.example/?${odd()}`)}&state=${odd()}`,
    authorizeUrl({ scope: odd(), prompt: odd(), resource: `https://${odd()}.example/` }),
    authorizeUrl({ client_id: `https://127.0.0.1/${odd()}` }),
    `/login?tx=${odd()}&reason=${odd()}&login_hint=${odd()}`,
    `/logout?id_token_hint=${odd()}&state=${odd()}`,
    `/reset?token=${odd()}`,
    `/invite?token=${odd()}`,
    `/setup?token=${odd()}`,
    `/code/link?token=${odd()}`,
    `/login/upstream/acme/callback?code=${odd()}&state=${odd()}&iss=${odd()}`,
    `/register/${odd()}`,
    `/api/servers/${odd()}`,
    `/.well-known/oauth-protected-resource/${odd()}`,
    `/account/agents/${odd()}/receipt`,
    `/%${odd()}`,
  ])
    for (const headers of [
      { Accept: 'text/html' },
      {
        'X-Request-Id': odd(),
        Referer: `https://x.example/?${odd()}`,
        'User-Agent': odd(),
        Origin: `https://${odd()}.example`,
        Cookie: `aa_session=${odd()}`,
        traceparent: odd(),
        baggage: odd(),
      },
    ])
      await ask(path, { headers: headers as unknown as Record<string, string> });
  for (const headers of [
    { Authorization: odd() },
    { Authorization: `Basic ${odd()}` },
    { Authorization: `Bearer ${odd()}, ${odd()}` },
    { DPoP: odd() },
    { 'Content-Type': `text/${odd()}` },
  ])
    for (const values of [{ grant_type: odd() }, { grant_type: 'refresh_token', [odd()]: odd() }, { grant_type: 'authorization_code', client_id: odd() }])
      await post('/token', values as Record<string, string>, headers as unknown as Record<string, string>);
  for (const body of [`{"client_name":"${odd()}"`, `{"client_name":"${odd()}","client_name":"${odd()}"}`, `[${JSON.stringify(odd())}]`]) {
    await ask('/register', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
    await ask('/report', { method: 'POST', body, headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${made.key?.key_secret}` } });
  }
});

test('a database that breaks in the middle: 5xx with their causes in the log', async () => {
  const one = browser();
  await signIn(one, undefined, 'op', passwords.op);
  const tokens = await members(redeem(await allowed(one)));
  const other = new DatabaseSync(database);
  const tables = ['refresh_tokens', 'codes', 'sessions', 'clients'];
  for (const table of tables) other.exec(`alter table ${table} rename to ${table}_gone`);

  const answers = [
    await post('/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '', client_id: made.app?.client_id ?? '' }),
    await redeem(known(canary())),
    await post('/token', { grant_type: 'client_credentials' }, basic(made.machine?.client_id, made.machine?.client_secret)),
    await ask('/account', { headers: { Cookie: [...one.cookies].map(([name, value]) => `${name}=${value}`).join('; ') } }),
  ];
  for (const table of tables) other.exec(`alter table ${table}_gone rename to ${table}`);
  other.close();

  assert.ok(
    answers.some(({ status }) => status >= 500),
    answers.map(({ status }) => status).join(),
  );
  await until(() => /"request\.failed"/.test(printed));
});

test('a start that fails says nothing of the passwords in its settings', async () => {
  for (const more of [
    { AUTH_AGENT_DATABASE_URL: `postgres://app:${known(canary())}@127.0.0.1:1/auth` },
    { AUTH_AGENT_DATABASE_URL: `mysql://app:${known(canary())}@127.0.0.1/auth` },
    { AUTH_AGENT_SMTP_URL: `http://app:${known(canary())}@127.0.0.1` },
    { AUTH_AGENT_SECRET: known(canary().slice(0, 20)) },
    { AUTH_AGENT_SECRETT: known(canary()), OTEL_EXPORTER_OTLP_ENDPOINT: `http://app:${known(canary())}@127.0.0.1:1`, AUTH_AGENT_PORT: known(canary()) },
  ]) {
    const failing = spawn(process.execPath, ['--conditions=aa-source', main, 'start'], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...settings, AUTH_AGENT_ISSUER: issuer, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err, [code]] = await Promise.all([text(failing.stdout), text(failing.stderr), once(failing, 'exit')]);
    assert.notEqual(code, 0, Object.keys(more).join());
    printed += out + err;
  }
});

test('[TOK-10] none of them was printed, measured, traced, delivered, or is in clear in the database and its backup', async () => {
  await until(() => delivered.length > 0);
  const measured = await (await fetch(metricsUrl)).text();
  const backup = join(folder, 'backup.aab');
  await cli(`db backup --to ${backup}`);
  await until(() => /POST \/token/.test(traces.join()));
  const before = printed.length;
  child.kill('SIGUSR2');
  await once(child, 'exit');
  const lines = await readBackupFile(backup, undefined, async (all) => {
    let whole = '';
    for await (const line of all) whole += `${line}\n`;
    return whole;
  });

  assert.match(printed.slice(before), /the crash of a test/);
  assert.ok(secrets.size > 150 && unwritten.size > 5, `${secrets.size} secrets went through`);
  assert.ok(printed.split('\n').length > 100 && lines.includes('grant.approved') && measured.includes('auth_agent_errors_total{'));
  for (const [place, held] of Object.entries({ printed, measured, traces: traces.join('\n'), delivered: delivered.join('\n') })) {
    assert.deepEqual(lineWith(held, secrets.within(held)), [], place);
    // Security events name clients as these name themselves.
    if (place !== 'delivered') assert.deepEqual(lineWith(held, unwritten.within(held)), [], place);
  }
  const files = [database, `${database}-wal`].filter(existsSync).map((path) => readFileSync(path, 'latin1'));
  for (const [place, held] of Object.entries({ backup: lines, database: files.join('\n') })) assert.deepEqual(lineWith(held, secrets.within(held)), [], place);
});

/** Around each, so that a failure says where it came from. */
function lineWith(held: string, found: string[]): string[] {
  return found.map((secret) => held.slice(Math.max(0, held.indexOf(secret) - 300), held.indexOf(secret) + 100));
}
