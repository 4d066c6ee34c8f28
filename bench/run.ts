/**
 * `npm run bench`: every hot path as a share of the ceiling measured in the same run (docs: bench/README.md). Servers on one core, load generator on
 * another, alternating repetitions, medians. Options: `--quick`, `--peers`, `--only <part of a name>`. Exits 1 when any answer had an unexpected status.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Job, Measurement } from './load.ts';
import { path as authorizationCode } from './paths/authorization-code.ts';
import { path as authorize } from './paths/authorize.ts';
import { path as clientCredentials } from './paths/client-credentials.ts';
import { path as consent } from './paths/consent.ts';
import { path as devicePoll } from './paths/device-poll.ts';
import { path as dpop } from './paths/dpop.ts';
import { path as exchange } from './paths/exchange.ts';
import { type HotPath, http } from './paths/hot-path.ts';
import { path as introspect } from './paths/introspect.ts';
import { path as introspectUnseen } from './paths/introspect-unseen.ts';
import { path as jwks } from './paths/jwks.ts';
import { path as metadata } from './paths/metadata.ts';
import { path as privateKeyJwt } from './paths/private-key-jwt.ts';
import { path as protectedResource } from './paths/protected-resource.ts';
import { path as refresh } from './paths/refresh.ts';
import { path as revoke } from './paths/revoke.ts';
import { path as signIn } from './paths/sign-in.ts';
import { type Process, pinned, start, usage } from './processes.ts';
import { type Row, report } from './report.ts';
import type { Facts, Subject } from './subject.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, peers: { type: 'boolean' }, only: { type: 'string' } } });
const repetitions = values.quick ? 3 : 5;
const seconds = values.quick ? 1 : 3;
const connections = 32;
/** Fresh requests for one repetition of a path that uses each once; a repetition ends early when they are used up, and its rate is of the time it took. */
const perRepetition = 8_000;

const hotPaths: HotPath[] = [
  metadata,
  jwks,
  protectedResource,
  introspect,
  introspectUnseen,
  clientCredentials,
  privateKeyJwt,
  dpop,
  authorizationCode,
  refresh,
  exchange,
  devicePoll,
  revoke,
  authorize,
  consent,
  signIn,
].filter(({ name }) => !values.only || name.includes(values.only));

const here = new URL('.', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'auth-agent-bench-'));
const load = start(join(here, 'load.ts'), 1);
const ceiling = start(join(here, 'ceiling.ts'), 0);
const ceilingPort = (await ceiling.first<{ ready: number }>()).ready;
const servers: { name: string; module: string; argument?: string }[] = [
  { name: 'this server', module: 'server.ts' },
  { name: 'node-oidc-provider, JWT access tokens', module: 'peers/node-oidc-provider.mjs', argument: 'jwt' },
  { name: 'node-oidc-provider, opaque access tokens', module: 'peers/node-oidc-provider.mjs', argument: 'opaque' },
];

const rows: Row[] = [];
try {
  for (const server of values.peers ? servers : servers.slice(0, 1)) await measureServer(server);
} finally {
  await Promise.all([load.stop(), ceiling.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
const machine = `Node ${process.versions.node}, ${platform()} ${arch()}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores`;
const text = report(rows, { repetitions, seconds, connections, pinned, quick: values.quick === true, machine });
mkdirSync(join(here, 'results'), { recursive: true });
writeFileSync(join(here, 'results', values.quick ? 'quick.md' : 'latest.md'), text);
console.log(`\n${text}`);
if (rows.some((row) => Object.keys(row.unexpected).length > 0)) process.exitCode = 1;

async function measureServer({ name, module, argument = '' }: (typeof servers)[number]): Promise<void> {
  for (const path of hotPaths) {
    // A fresh process and a fresh database for each path: no path pays for the rows of another.
    const server = start(join(here, module), 0, [join(folder, `${rows.length}.db`), argument]);
    const subject = subjectOf(server, await server.first<Facts>());
    try {
      const row = await measurePath(name, path, subject, server.pid);
      if (row) rows.push(row);
    } finally {
      await server.stop();
    }
  }
}

async function measurePath(server: string, path: HotPath, subject: Subject, pid: number): Promise<Row | undefined> {
  progress(`${server}: ${path.name}: preparing`);
  const prepared = await path.prepare(subject, path.supply === 'once' ? perRepetition * (repetitions + 1) : 10_000);
  if (prepared.length === 0) return undefined;
  const reference = await referenceRequest(path, prepared[0] ?? '', subject);
  const ours: Measurement[] = [];
  const bare: Measurement[] = [];
  for (let repetition = 0; repetition <= repetitions; repetition += 1) {
    const requests = path.supply === 'once' ? prepared.slice(repetition * perRepetition, (repetition + 1) * perRepetition) : prepared;
    if (path.supply === 'chain' && repetition > 0) requests.splice(0, requests.length, ...(await path.prepare(subject, 10_000)));
    const bareRun = await run(ceiling.pid, { port: ceilingPort, expect: 200, supply: 'rotate', connections: path.connections }, [reference]);
    const ourRun = await run(
      pid,
      { port: subject.port, expect: path.expect, supply: path.supply, connections: path.connections, module: path.next && moduleOf(path) },
      requests,
    );
    // The first of both warms up, but its statuses count.
    if (repetition > 0) bare.push(bareRun);
    ours.push(ourRun);
    progress(`${server}: ${path.name}: ${repetition}/${repetitions} ${Math.round(ourRun.perSecond)}/s of ${Math.round(bareRun.perSecond)}/s`);
  }
  const meanwhile = path.ceiling === 'scrypt' ? await neighbour(subject, prepared) : undefined;
  process.stderr.write('\n');
  return {
    meanwhile,
    server,
    name: path.name,
    goal: path.goal,
    ours: ours.slice(1),
    bare,
    unexpected: sum(ours.map((one) => one.unexpected)),
    megabytes: usage(pid).megabytes,
  };
}

/** What a light load on the metadata feels while people sign in, beside what it feels alone: 99th percentiles in milliseconds. */
async function neighbour(subject: Subject, signIns: string[]): Promise<{ alone: number; meanwhile: number }> {
  const requests = await metadata.prepare(subject, 1);
  const gentle = { port: subject.port, expect: 200, supply: 'rotate', connections: 1 } as const;
  const alone = await run(0, gentle, requests);
  const second = start(join(here, 'load.ts'), 1);
  const busyFile = join(folder, 'sign-ins.json');
  writeFileSync(busyFile, JSON.stringify(signIns));
  const busy = second.ask<Measurement>({
    port: subject.port,
    expect: 303,
    supply: 'rotate',
    connections: 4,
    seconds: seconds + 1,
    requestsFile: busyFile,
  } satisfies Job);
  const meanwhile = await run(0, gentle, requests);
  await busy;
  await second.stop();
  return { alone: alone.p99, meanwhile: meanwhile.p99 };
}

/** The same request with the same size of answer, for the ceiling. */
async function referenceRequest(path: HotPath, request: string, subject: Subject): Promise<string> {
  const [, method = 'GET', target = '/'] = /^(\S+) (\S+)/.exec(request) ?? [];
  if (path.ceiling === 'scrypt') return http('GET', '/scrypt');
  const [head = '', body = ''] = request.split('\r\n\r\n');
  const headers = Object.fromEntries(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(': ') as [string, string])
      .filter(([name]) => name !== 'Host' && name !== 'Content-Length'),
  );
  const answer = method === 'GET' ? await subject.fetch(target, { headers }) : undefined;
  const size = answer ? (await answer.text()).length : 500;
  return method === 'GET' ? http('GET', `/${size}`, headers) : http('POST', `/${size}`, headers, Object.fromEntries(new URLSearchParams(body)));
}

async function run(pid: number, job: Pick<Job, 'port' | 'expect' | 'supply' | 'module'> & { connections?: number }, requests: string[]): Promise<Measurement> {
  const requestsFile = join(folder, 'requests.json');
  writeFileSync(requestsFile, JSON.stringify(requests));
  const before = usage(pid).cpuSeconds;
  const measurement = await load.ask<Measurement>({ ...job, connections: job.connections ?? connections, seconds, requestsFile } satisfies Job);
  return { ...measurement, cpuMicroseconds: ((usage(pid).cpuSeconds - before) * 1e6) / measurement.requests };
}

function subjectOf(server: Process, facts: Facts): Subject {
  const fetchAt = (port: number) => (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init });
  return {
    ...facts,
    codes: async (count) => (await server.ask<{ codes: string[] }>({ codes: count })).codes,
    sessions: async (count) => (await server.ask<{ sessions: string[] }>({ sessions: count })).sessions,
    fetch: fetchAt(facts.port),
    elsewhere: fetchAt(facts.otherPort ?? facts.port),
  };
}

function moduleOf(path: HotPath): string | undefined {
  return path === refresh ? join(here, 'paths/refresh.ts') : undefined;
}

function sum(all: Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of all) for (const [status, times] of Object.entries(one)) total[status] = (total[status] ?? 0) + times;
  return total;
}

function progress(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
}
