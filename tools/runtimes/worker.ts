/**
 * The Worker of workers/, as `wrangler deploy` would send it, in workerd with D1: made ready by the steps of docs/runtimes.md, answered, kept clean by its cron
 * trigger, and left alone by callers who hang up. Run by `npm run runtimes`.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newSetupLink } from '../../server/src/account/setup.ts';
import type { D1Database } from '../../server/src/storage/drivers/d1.ts';
import { setupLinkScript } from '../../server/src/storage/tables/setup-links.ts';
import { bundle, miniflare, type Runtime, startWorkerd } from '../../server/test/workerd/miniflare.ts';

const root = new URL('../../', import.meta.url).pathname;
const config = join(root, 'workers/wrangler.toml');
const issuer = 'https://auth.example.com';
const secret = '8Xq2vT7mRk4LzC9wPn3bYh6JdFs1GaEu5oQi0KtMxV';
const database = '00000000-0000-0000-0000-000000000000';
const bound = { AUTH_AGENT_ISSUER: issuer, AUTH_AGENT_SECRET: secret };
const email = { send_email: [{ name: 'EMAIL' }] };
/** Compressed, a little more than it is, so that nobody makes it larger unseen; a Worker of the free plan may have 3 MB. */
const MOST_KIB = 768;

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-worker-'));
const runtimes: Runtime[] = [];
after(async () => {
  for (const runtime of runtimes) await runtime.dispose();
  rmSync(folder, { recursive: true });
});
const { script, size } = bundle(join(root, 'workers/worker.ts'), ['--config', config]);

async function deployed(bindings: Record<string, unknown>): Promise<Runtime> {
  const runtime = await startWorkerd({ script }, bindings);
  runtimes.push(runtime);
  return runtime;
}

/** wrangler with the database of this machine in the place of Cloudflare's. */
function wrangler(...words: string[]): string {
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' };
  const local = ['--local', '--persist-to', folder, '--config', config];
  return execFileSync(join(root, 'tools/runtimes/node_modules/.bin/wrangler'), ['d1', ...words, ...local], { env, encoding: 'utf8', stdio: 'pipe' });
}

test('the bundle is small enough for every plan', () => {
  console.log(`bundle of the Worker: ${size}`);

  assert.ok(Number(/gzip: ([\d.]+) KiB/.exec(size)?.[1]) < MOST_KIB, size);
});

describe('a Worker with D1', () => {
  let runtime: Runtime;
  let d1: D1Database;
  const link = newSetupLink(issuer, Math.floor(Date.now() / 1000));
  const mailed = Promise.withResolvers<string>();
  /** The runtime's own log, where its e-mail binding says what it was handed and where it put the texts. */
  class Heard extends miniflare().Log {
    log(line: string): void {
      if (line.includes('send_email binding called')) mailed.resolve(line);
    }
  }
  const ask = (path: string, init?: Record<string, unknown>) => runtime.dispatchFetch(issuer + path, { redirect: 'manual', ...init });
  /** Opens a page, fills in its form and sends it to `action`. */
  const submit = async (path: string, action: string, fields: Record<string, string>) => {
    const page = await ask(path);
    const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
    const cookies = page.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: cookies.join('; '), Origin: issuer };
    return ask(action, { method: 'POST', body: new URLSearchParams({ csrf, ...fields }).toString(), headers });
  };
  before(async () => {
    wrangler('migrations', 'apply', 'auth-agent');
    wrangler('execute', 'auth-agent', '--command', setupLinkScript(link.row));
    const kept = { resourcePersistencePath: join(folder, 'v3'), d1Persist: join(folder, 'v3/d1') };
    const bindings = { ...bound, AUTH_AGENT_MAIL_FROM: 'Example <auth@example.com>' };
    runtime = await deployed({ bindings, email, d1Databases: { DB: database }, ...kept, log: new Heard() });
    d1 = await runtime.getD1Database('DB');
  });

  test('the migrations that wrangler applied are all there are', async () => {
    const answer = await ask('/health/ready');

    assert.equal(answer.status, 200, await answer.text());
  });

  test('a caller who hangs up while the keys are made keeps nobody else waiting', async () => {
    const address = await runtime.ready;
    const hangUp = (_: unknown, after: number) =>
      new Promise<void>((resolve) => {
        const socket = connect(Number(address.port), address.hostname, () => {
          socket.write(`GET /.well-known/jwks.json HTTP/1.1\r\nHost: auth.example.com\r\n\r\n`);
          setTimeout(() => socket.destroy(), after);
        });
        socket.once('close', () => resolve());
      });
    await Promise.all(Array.from({ length: 20 }, hangUp));

    const { keys } = (await (await ask('/.well-known/jwks.json', { signal: AbortSignal.timeout(10_000) })).json()) as { keys: unknown[] };
    assert.equal(keys.length, 2);
  });

  test('the link from setup-link --sql opens, makes the first operator and is used up', async () => {
    const path = link.url.slice(issuer.length);
    const person = { username: 'op', email: 'op@example.com', password: 'correct horse battery' };

    const done = await submit(path, '/setup', { token: path.split('token=')[1] ?? '', ...person });
    assert.equal(done.status, 200, await done.text());
    assert.equal((await ask(path)).status, 400);
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

test('without its secret, its issuer or a database, or with a setting that cannot work there, a Worker says so in its log and answers 503', async () => {
  for (const bindings of [
    { bindings: { AUTH_AGENT_ISSUER: issuer }, d1Databases: { DB: 'one' } },
    { bindings: { AUTH_AGENT_SECRET: secret }, d1Databases: { DB: 'one' } },
    { bindings: bound },
    { bindings: { ...bound, AUTH_AGENT_EMAIL_CODE: 'true' }, d1Databases: { DB: 'one' } },
    { bindings: bound, d1Databases: { DB: 'one' }, email },
    { bindings: { ...bound, AUTH_AGENT_MAIL_FROM: 'nobody' }, d1Databases: { DB: 'one' }, email },
  ]) {
    const answer = await (await deployed(bindings)).dispatchFetch(`${issuer}/health`);

    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /not configured yet/);
  }
});
