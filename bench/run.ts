/**
 * `npm run bench`: every hot path as a share of the ceiling measured in the same run (docs: bench/README.md). Servers on one core, load generator on
 * another, alternating repetitions, medians. Options: `--quick`, `--peers`, `--only <part of a name>`, `--database sqlite|postgres`, `--runtime node|bun`,
 * `--nodes 2`, `--sustain <seconds>`. Exits 1 when any answer had an unexpected status.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ownSchema } from '../server/src/storage/contract/own-schema.ts';
import { bundleKilobytes } from './bundle.ts';
import { chart } from './chart.ts';
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
import { startPostgres } from './postgres.ts';
import { type Process, pinned, start, usage } from './processes.ts';
import { type Row, report, type StartRow } from './report.ts';
import { type Server, serversOf } from './servers.ts';
import { type Facts, issuer, type Subject, secret, unreached } from './subject.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    peers: { type: 'boolean' },
    only: { type: 'string' },
    database: { type: 'string', default: 'sqlite' },
    runtime: { type: 'string', default: 'node' },
    nodes: { type: 'string', default: '1' },
    sustain: { type: 'string' },
  },
});
const nodes = Number(values.nodes);
const repetitions = values.quick ? 3 : 5;
const seconds = values.quick ? 1 : 3;
const connections = 32;
/** Of load on one process, whose memory is read before and after. */
const sustainSeconds = Number(values.sustain ?? (values.quick ? 4 : 60));

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
const servers = serversOf({ ...values, nodes });
// Nodes have a core each, then the load generator, then Postgres; where there are too few, they share, and the report says so.
const loadCore = nodes % availableParallelism();
const ownCores = availableParallelism() >= (nodes > 1 ? nodes + 2 : 2);
const load = start(join(here, 'load.ts'), loadCore);
const ceiling = start(join(here, 'ceiling.ts'), 0);
const ceilingPort = (await ceiling.first<{ ready: number }>()).ready;
const postgres = servers.some(({ database }) => database === 'postgres') ? startPostgres(nodes === 1 ? 0 : undefined) : undefined;

const rows: Row[] = [];
const starts: StartRow[] = [];
let text = '';
try {
  // Written after each: a peer that fails takes nobody else's figures with it.
  for (const server of servers) {
    await measureServer(server);
    text = writeResults();
  }
} finally {
  await Promise.all([load.stop(), ceiling.stop()]);
  postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${text}`);
if (rows.some((row) => Object.keys(row.unexpected).length > 0)) process.exitCode = 1;

/** Keeps the report of what is measured so far, and returns it. */
function writeResults(): string {
  const machine = `Node ${process.versions.node}, ${platform()} ${arch()}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores`;
  const name = [
    values.quick ? 'quick' : 'latest',
    values.database !== 'sqlite' && values.database,
    values.runtime !== 'node' && values.runtime,
    nodes > 1 && `${nodes}-nodes`,
  ]
    .filter(Boolean)
    .join('-');
  const conditions = { repetitions, seconds, connections, pinned, quick: values.quick === true, machine, nodes, ownCores, sustainSeconds };
  const written = report(rows, starts, servers, { ...conditions, chart: `${name}.svg`, bundleKilobytes: bundleKilobytes() });
  mkdirSync(join(here, 'results'), { recursive: true });
  writeFileSync(join(here, 'results', `${name}.md`), written);
  writeFileSync(join(here, 'results', `${name}.svg`), chart(rows));
  return written;
}

async function measureServer(server: Server): Promise<void> {
  // A fresh process and a fresh database for each path, where a start does not cost too much: no path pays for the rows of another.
  let running: Running | undefined;
  for (const path of hotPaths) {
    running ??= await startAll(server);
    const row = await measurePath(server, path, running);
    if (row) rows.push(row);
    if (server.oneProcess) continue;
    await running.stop();
    running = undefined;
  }
  await running?.stop();
  if (!values.only) starts.push(await measureStart(server));
}

type Running = {
  subject: Subject;
  ports: number[];
  /** Of the nodes; and those of the database, which change. */
  pids: number[];
  databasePids(): number[];
  /** What its modules are started with. */
  database: string;
  stop(): Promise<void>;
};

/** A server with all its nodes, on `database` where something is there already. */
async function startAll(server: Server, database?: string): Promise<Running> {
  const url = database ?? (await emptyDatabase(server));
  const begin = (core: number, argument = server.argument ?? '') => start(join(here, server.module), core, [url, argument], { runtime: server.runtime });
  const own = server.module === 'server.ts';
  const first = begin(0, own && database ? 'join' : undefined);
  const facts = await first.first<Facts>();
  const processes = [first];
  const ports = [facts.port];
  for (let core = 1; own && core < nodes; core += 1) {
    const next = begin(core % availableParallelism(), 'join');
    ports.push((await next.first<Facts>()).port);
    processes.push(next);
  }
  return {
    subject: subjectOf(first, facts),
    ports,
    pids: [facts.pid ?? first.pid, ...processes.slice(1).map(({ pid }) => pid)],
    databasePids: () => (server.database === 'postgres' ? (postgres?.pids() ?? []) : []),
    database: url,
    stop: async () => void (await Promise.all(processes.map((one) => one.stop()))),
  };
}

async function emptyDatabase({ module, database }: Server): Promise<string> {
  if (database === 'postgres') return module === 'server.ts' ? ownSchema(postgres?.url ?? '') : (postgres?.url ?? '');
  const file = join(folder, `${randomUUID()}.db`);
  return module === 'server.ts' ? `sqlite:${file}` : file;
}

/** Time to the first answer on a database that is there, memory then, and memory after sustained load. */
async function measureStart(server: Server): Promise<StartRow> {
  progress(`${server.name}: start and memory`);
  const own = server.module === 'server.ts';
  const seeded = await startAll(server);
  let slices = own ? await sustainedLoad(seeded.subject) : [];
  await seeded.stop();
  const began = performance.now();
  let running = own ? await startInstalled(server, seeded) : await startAll(server, seeded.database);
  await (await running.subject.fetch(running.subject.paths.metadata)).text();
  const milliseconds = performance.now() - began;
  const memory = [usage(running.pids).megabytes];
  if (!own) {
    // What the load needs, a peer has only in the process that made it.
    await running.stop();
    running = await startAll(server);
    slices = await sustainedLoad(running.subject);
  }
  try {
    for (const { mix, families } of slices) {
      const half = sustainSeconds / 8;
      await run(running, { expect: 200, supply: 'rotate', seconds: half }, mix);
      await run(running, { expect: 200, supply: 'chain', module: moduleOf(refresh), seconds: half }, families);
      memory.push(usage(running.pids).megabytes);
    }
  } finally {
    await running.stop();
  }
  return { server: server.name, milliseconds, memory };
}

/** Four times metadata, tokens for a machine and introspection, then refresh. */
async function sustainedLoad(subject: Subject): Promise<{ mix: string[]; families: string[] }[]> {
  const mix = [...(await metadata.prepare(subject, 1)), ...(await clientCredentials.prepare(subject, 1)), ...(await introspect.prepare(subject, 500))];
  const slices: { mix: string[]; families: string[] }[] = [];
  while (slices.length < 4) slices.push({ mix, families: await refresh.prepare(subject, 1) });
  return slices;
}

/** This server as operators start it, on a database that is there: the installed packages, configured by the environment. */
async function startInstalled(server: Server, { database, subject }: Running): Promise<Running> {
  const env = {
    AUTH_AGENT_ISSUER: issuer,
    AUTH_AGENT_SECRET: secret,
    AUTH_AGENT_DATABASE_URL: database,
    AUTH_AGENT_PORT: '0',
    AUTH_AGENT_LIMITS: unreached.join(),
  };
  const production = start(join(here, 'production.js'), 0, [], { runtime: server.runtime, installed: true, env });
  const { port } = await production.first<{ port: number }>();
  return {
    subject: subjectOf(production, { ...subject, port }),
    ports: [port],
    pids: [production.pid],
    databasePids: () => (server.database === 'postgres' ? (postgres?.pids() ?? []) : []),
    database,
    stop: () => production.stop(),
  };
}

async function measurePath(server: Server, path: HotPath, running: Running): Promise<Row | undefined> {
  const { subject } = running;
  progress(`${server.name}: ${path.name}: preparing`);
  // What warms up a compiler takes more of what is used once.
  const first = server.perRepetition * (server.warmUpSeconds ? 3 : 1);
  const prepared = await path.prepare(subject, path.supply === 'once' ? first + server.perRepetition * repetitions : 10_000);
  if (prepared.length === 0) return undefined;
  const reference = await referenceRequest(path, prepared[0] ?? '', subject);
  const ours: Measurement[] = [];
  const bare: Measurement[] = [];
  for (let repetition = 0; repetition <= repetitions; repetition += 1) {
    const from = first + (repetition - 1) * server.perRepetition;
    const requests = path.supply === 'once' ? prepared.slice(Math.max(0, from), from + server.perRepetition) : prepared;
    if (path.supply === 'chain' && repetition > 0) requests.splice(0, requests.length, ...(await path.prepare(subject, 10_000)));
    const bareRun = await run({ ports: [ceilingPort], pids: [ceiling.pid] }, { expect: 200, supply: 'rotate', connections: path.connections }, [reference]);
    const warming = repetition === 0 ? server.warmUpSeconds : undefined;
    const job = { expect: path.expect, supply: path.supply, connections: path.connections, module: path.next && moduleOf(path), seconds: warming };
    const ourRun = await run(running, job, requests);
    // The first of both warms up, but its statuses count.
    if (repetition > 0) bare.push(bareRun);
    ours.push(ourRun);
    progress(`${server.name}: ${path.name}: ${repetition}/${repetitions} ${Math.round(ourRun.perSecond)}/s of ${Math.round(bareRun.perSecond)}/s`);
  }
  const meanwhile = path.ceiling === 'scrypt' ? await neighbour(subject, prepared) : undefined;
  process.stderr.write('\n');
  return {
    meanwhile,
    server: server.name,
    name: path.name,
    goal: path.goal,
    ours: ours.slice(1),
    bare,
    unexpected: sum(ours.map((one) => one.unexpected)),
    megabytes: usage(running.pids).megabytes,
  };
}

/** What a light load on the metadata feels while people sign in, beside what it feels alone: 99th percentiles in milliseconds. */
async function neighbour(subject: Subject, signIns: string[]): Promise<{ alone: number; meanwhile: number }> {
  const requests = await metadata.prepare(subject, 1);
  const gentle = { expect: 200, supply: 'rotate', connections: 1 } as const;
  const target = { ports: [subject.port], pids: [] };
  const alone = await run(target, gentle, requests);
  const second = start(join(here, 'load.ts'), loadCore);
  const busyFile = join(folder, 'sign-ins.json');
  writeFileSync(busyFile, JSON.stringify(signIns));
  const busy = second.ask<Measurement>({
    ports: [subject.port],
    expect: 303,
    supply: 'rotate',
    connections: 4,
    seconds: seconds + 1,
    requestsFile: busyFile,
  } satisfies Job);
  const meanwhile = await run(target, gentle, requests);
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

type Target = { ports: number[]; pids: number[]; databasePids?(): number[]; subject?: Subject };

async function run(target: Target, job: Pick<Job, 'expect' | 'supply' | 'module'> & Partial<Job>, requests: string[]): Promise<Measurement> {
  const requestsFile = join(folder, 'requests.json');
  writeFileSync(requestsFile, JSON.stringify(requests));
  const { ports, pids, databasePids = () => [], subject } = target;
  const before = [usage(pids).cpuSeconds, usage(databasePids()).cpuSeconds];
  const asked: Job = { ...job, ports, token: subject?.paths.token, connections: job.connections ?? connections, seconds: job.seconds ?? seconds, requestsFile };
  const measurement = await load.ask<Measurement>(asked);
  const each = (pids: number[], since = 0) => ((usage(pids).cpuSeconds - since) * 1e6) / measurement.requests;
  return { ...measurement, cpuMicroseconds: each(pids, before[0]), databaseCpuMicroseconds: each(databasePids(), before[1]) };
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
