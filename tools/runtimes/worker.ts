/**
 * The Worker of workers/, as `wrangler deploy` would send it, in workerd with D1: made ready by the steps of docs/runtimes.md, answered, kept clean by its cron
 * trigger, and left alone by callers who hang up. Run by `npm run runtimes`.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newSetupLink } from '../../server/src/account/setup.ts';
import { offeredLanguages } from '../../server/src/languages.ts';
import type { D1Database } from '../../server/src/storage/drivers/d1.ts';
import { setupLinkScript } from '../../server/src/storage/tables/setup-links.ts';
import { alone, bundle, miniflare, type Runtime, startWorkerd } from '../../server/test/workerd/miniflare.ts';

const root = new URL('../../', import.meta.url).pathname;
const config = join(root, 'workers/wrangler.toml');
const issuer = 'https://auth.example.com';
const secret = '8Xq2vT7mRk4LzC9wPn3bYh6JdFs1GaEu5oQi0KtMxV';
const database = '00000000-0000-0000-0000-000000000000';
const bound = { AUTH_AGENT_ISSUER: issuer, AUTH_AGENT_SECRET: secret };
const email = { send_email: [{ name: 'EMAIL' }] };
/** 300 KB compressed, the goal of the benchmark; a Worker of the free plan may have 3 MB. */
const MOST_KIB = 293;

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-worker-'));
const runtimes: Runtime[] = [];
after(async () => {
  for (const runtime of runtimes) await runtime.dispose();
  rmSync(folder, { recursive: true });
});
const { script, size } = bundle(join(root, 'workers/worker.ts'));

async function deployed(bindings: Record<string, unknown>): Promise<Runtime> {
  const runtime = await startWorkerd({ script }, bindings);
  runtimes.push(runtime);
  return runtime;
}

/** wrangler with the database of this machine in the place of Cloudflare's. */
function wrangler(...words: string[]): string {
  const env = { ...process.env, ...alone };
  const local = ['--local', '--persist-to', folder, '--config', config];
  return execFileSync(join(root, 'tools/runtimes/node_modules/.bin/wrangler'), ['d1', ...words, ...local], { env, encoding: 'utf8', stdio: 'pipe' });
}

/** Asks the Worker, and sends its forms: opens a page, fills in what it is given and posts it to `action`. */
function visitor(runtime: () => Runtime) {
  const ask = (path: string, init?: Record<string, unknown>) => runtime().dispatchFetch(issuer + path, { redirect: 'manual', ...init });
  const submit = async (path: string, action: string, fields: Record<string, string>) => {
    const page = await ask(path);
    const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
    const cookies = page.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: cookies.join('; '), Origin: issuer };
    return ask(action, { method: 'POST', body: new URLSearchParams({ csrf, ...fields }).toString(), headers });
  };
  return { ask, submit };
}

const link = newSetupLink(issuer, Math.floor(Date.now() / 1000));
const linkPath = link.url.slice(issuer.length);
const operator = { token: linkPath.split('token=')[1] ?? '', username: 'op', email: 'op@example.com' };
const german = { headers: { Accept: 'text/html', 'Accept-Language': 'de' } };
/** Where Miniflare keeps what it is told to keep; the other is a copy, for a Worker that runs at the same time. */
const [kept, copied] = ['v3', 'copy'].map((name) => ({ resourcePersistencePath: join(folder, name), d1Persist: join(folder, name, 'd1') }));

before(() => {
  wrangler('migrations', 'apply', 'auth-agent');
  wrangler('execute', 'auth-agent', '--command', setupLinkScript(link.row));
  cpSync(join(folder, 'v3'), join(folder, 'copy'), { recursive: true });
});

test('the bundle is small enough for every plan', () => {
  console.log(`bundle of the Worker: ${size}`);

  assert.ok(Number(/gzip: ([\d.]+) KiB/.exec(size)?.[1]) < MOST_KIB, size);
});

describe('a Worker with D1', () => {
  let runtime: Runtime;
  let d1: D1Database;
  const mailed = Promise.withResolvers<string>();
  /** The runtime's own log, where its e-mail binding says what it was handed and where it put the texts. */
  class Heard extends miniflare().Log {
    log(line: string): void {
      if (line.includes('send_email binding called')) mailed.resolve(line);
    }
  }
  const { ask, submit } = visitor(() => runtime);
  before(async () => {
    const bindings = { ...bound, AUTH_AGENT_LOG_LEVEL: 'warn', AUTH_AGENT_MAIL_FROM: 'Example <auth@example.com>' };
    runtime = await deployed({ bindings, email, d1Databases: { DB: database }, ...kept, log: new Heard() });
    d1 = await runtime.getD1Database('DB');
  });

  test('the migrations that wrangler applied are all there are', async () => {
    const answer = await ask('/health/ready');

    assert.equal(answer.status, 200, await answer.text());
  });

  test('people read it in every language, and nobody reaches the file of one, or the filter of passwords, by a path', async () => {
    for (const { tag } of offeredLanguages) {
      const page = await ask('/docs/errors', { headers: { Accept: 'text/html', 'Accept-Language': tag } });
      assert.match(await page.text(), new RegExp(`<html lang="${tag}"`));
    }

    const files = globSync('**/*.json', { cwd: join(root, 'server/src/assets') });
    assert.equal(files.length, offeredLanguages.length + 1);
    for (const path of files.flatMap((file) => [
      `/${file}`,
      `//${file}`,
      `/${file}?x`,
      `/${file.replace('.json', '')}`,
      `/assets/${file}`,
      `/ASSETS/${file}`,
    ])) {
      const answer = await ask(path);
      assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [404, 'not_found'], path);
    }
  });

  test('the link from setup-link --sql opens, makes the first operator and is used up', async () => {
    const common = await submit(linkPath, '/setup', { ...operator, password: 'password1234' });
    assert.equal(common.status, 400);
    assert.match(await common.text(), /attackers try it first/);
    const done = await submit(linkPath, '/setup', { ...operator, password: 'correct horse battery' });
    assert.equal(done.status, 200, await done.text());
    assert.equal((await ask(linkPath)).status, 400);
    // Whoever runs the SQL again gets no second operator.
    wrangler('execute', 'auth-agent', '--command', setupLinkScript(newSetupLink(issuer, Math.floor(Date.now() / 1000)).row));
    const { results } = await d1.prepare('select count(*) as links from setup_links').bind().all();
    assert.deepEqual(results, [{ links: 1 }]);
  });

  test('mail leaves through the e-mail binding, at the latest with the cron trigger', async () => {
    const sent = await submit('/reset', '/reset', { username: 'op@example.com' });
    assert.equal(sent.headers.get('location'), '/reset/sent', await sent.text());
    await (await runtime.getWorker()).scheduled({ cron: '* * * * *' });

    const mail = await mailed.promise;
    assert.match(mail, /op@example\.com/);
    assert.match(mail, /Example/);
    const text = readFileSync(/Text: (\S+)/.exec(mail)?.[1] ?? '', 'utf8');
    const link = /https:\/\/auth\.example\.com(\/reset\?token=\S+)/.exec(text)?.[1] ?? assert.fail(text);
    assert.equal((await ask(link)).status, 200);
  });

  test('the cron trigger sweeps what is over', async () => {
    await d1.batch([d1.prepare("insert into limits (tenant, bucket, arrival_ms, expires_at) values ('root', 'over', 0, 1)").bind()]);

    const { outcome } = await (await runtime.getWorker()).scheduled({ cron: '* * * * *' });

    assert.equal(outcome, 'ok');
    const { results } = await d1.prepare("select bucket from limits where bucket = 'over'").bind().all();
    assert.deepEqual(results, []);
  });
});

describe('a Worker whose assets cannot be read for a while', () => {
  let runtime: Runtime;
  let readable = false;
  const documentAsked = Promise.withResolvers<void>();
  const document = Promise.withResolvers<Response>();
  let documentsAsked = 0;
  /** Whatever the Worker fetches from elsewhere: the metadata document of a client. */
  const outboundService = () => {
    documentsAsked += 1;
    documentAsked.resolve();
    return document.promise;
  };
  const { ask, submit } = visitor(() => runtime);
  before(async () => {
    const { Response } = miniflare();
    const assetsOf = ({ url }: Request) =>
      readable ? new Response(readFileSync(join(root, 'server/src/assets', new URL(url).pathname))) : new Response('no', { status: 500 });
    runtime = await deployed({
      bindings: bound,
      d1Databases: { DB: database },
      ...copied,
      assets: undefined,
      serviceBindings: { ASSETS: assetsOf },
      outboundService,
      unsafeDirectSockets: [{}],
    });
  });

  test('speaks English', async () => {
    const page = await ask('/docs/errors', german);

    assert.equal(page.status, 200);
    assert.match(await page.text(), /<html lang="en"/);
  });

  test('lets no password pass, and says when to come again', async () => {
    const person = { ...operator, password: 'correct horse battery' };

    const refused = await submit(linkPath, '/setup', person);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5'], await refused.text());
    readable = true;
    const done = await submit(linkPath, '/setup', person);
    assert.equal(done.status, 200, await done.text());
  });

  test('a caller who hangs up keeps nobody waiting who shares what it began', async () => {
    const query = new URLSearchParams({ client_id: 'https://client.example.com/mcp.json', response_type: 'code' });
    // A reset, because the runtime does not notice a mere end; and past the workers that Miniflare puts before this one.
    const { hostname, port } = await runtime.unsafeGetDirectURL();
    const first = connect(Number(port), hostname, () => first.write(`GET /authorize?${query} HTTP/1.1\r\nHost: auth.example.com\r\n\r\n`));
    await documentAsked.promise;
    first.resetAndDestroy();
    await once(first, 'close');

    const second = ask(`/authorize?${query}`, { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(20_000) });
    // Each asks the database about as often as the second does before it waits, and they began later.
    for (let later = 0; later < 5; later++) await ask(`/authorize?client_id=nobody-${later}`, { headers: { Accept: 'application/json' } });
    document.resolve(new (miniflare().Response)('gone', { status: 404 }));

    const { error } = (await (await second).json()) as { error: string };
    assert.equal(error, 'client_metadata_unavailable');
    assert.equal(documentsAsked, 1);
  });
});

test('without its secret, its issuer, its database or its assets, or with a setting that cannot work there, a Worker says so in its log and answers 503', async () => {
  for (const bindings of [
    { bindings: { AUTH_AGENT_ISSUER: issuer }, d1Databases: { DB: 'one' } },
    { bindings: { AUTH_AGENT_SECRET: secret }, d1Databases: { DB: 'one' } },
    { bindings: bound },
    { bindings: bound, d1Databases: { DB: 'one' }, assets: undefined },
    { bindings: bound, hyperdrives: { HYPERDRIVE: 'postgres://nobody:none@127.0.0.1:1/none' } },
    { bindings: { ...bound, AUTH_AGENT_EMAIL_CODE: 'true' }, d1Databases: { DB: 'one' } },
    { bindings: bound, d1Databases: { DB: 'one' }, email },
    { bindings: { ...bound, AUTH_AGENT_MAIL_FROM: 'nobody' }, d1Databases: { DB: 'one' }, email },
  ]) {
    const answer = await (await deployed(bindings)).dispatchFetch(`${issuer}/health`);

    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /not configured yet/);
  }
});
