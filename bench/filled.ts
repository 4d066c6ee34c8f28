/**
 * `npm run bench:filled`: whether the price of a request grows with the data. The same rows on a nearly empty database and on a filled one, in turns; the start on each;
 * the longest write of housekeeping. `--grants` (1 000 000), `--families` of each (1), `--database sqlite|postgres`, `--quick`; `--at FILE` keeps a copy of the
 * filled SQLite database, and takes it where it is there. Ends with 1 when a goal is missed.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Context } from '../server/src/context.ts';
import { openDatabase } from '../server/src/runtimes/database.ts';
import { createServer } from '../server/src/server.ts';
import { ownSchema } from '../server/src/storage/contract/own-schema.ts';
import { fill } from './fill.ts';
import type { Job, Measurement } from './load.ts';
import { path as authorizationCode } from './paths/authorization-code.ts';
import { path as clientCredentials } from './paths/client-credentials.ts';
import type { HotPath } from './paths/hot-path.ts';
import { path as introspect } from './paths/introspect.ts';
import { path as introspectUnseen } from './paths/introspect-unseen.ts';
import { path as refresh } from './paths/refresh.ts';
import { path as revoke } from './paths/revoke.ts';
import { startPostgres } from './postgres.ts';
import { pinned, start, usage } from './processes.ts';
import { type Facts, issuer, machine, resource, type Subject, secret } from './subject.ts';

const { values: flags } = parseArgs({
  options: {
    grants: { type: 'string', default: '1000000' },
    families: { type: 'string', default: '1' },
    database: { type: 'string', default: 'sqlite' },
    quick: { type: 'boolean' },
    at: { type: 'string' },
  },
});
const [grants, families] = [Number(flags.grants), Number(flags.families)];
const repetitions = flags.quick ? 3 : 5;
const seconds = flags.quick ? 1 : 3;
const perRepetition = flags.quick ? 2000 : 8000;
const goals = { share: 0.9, startMilliseconds: 500, writeMilliseconds: 20 };
const paths: readonly HotPath[] = [introspect, introspectUnseen, clientCredentials, authorizationCode, refresh, revoke];
const quiet = { info() {}, warn() {}, error: console.error };
const now = () => Math.floor(Date.now() / 1000);

type Place = { name: 'small' | 'filled'; url: string };
type Running = { place: Place; subject: Subject; pid: number; stop(): Promise<void> };
type Compared = { name: string; small: Measurement[]; filled: Measurement[] };

const here = new URL('.', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'auth-agent-filled-'));
const postgres = flags.database === 'postgres' ? startPostgres() : undefined;
const load = start(join(here, 'load.ts'), 1);
let failed = false;
try {
  const small = await emptyDatabase('small');
  const filled = await emptyDatabase('filled');
  const filling = await (flags.at && existsSync(flags.at) ? copyOf(flags.at, filled) : fillUp(filled));
  const house = await keepHouse(filled);
  const rows = await compare(small, filled);
  const starts = { small: await firstAnswers(small), filled: await firstAnswers(filled) };
  const text = report(filling, { rows, starts, house });
  mkdirSync(join(here, 'results'), { recursive: true });
  writeFileSync(join(here, 'results', `filled${postgres ? '-postgres' : ''}.md`), text);
  console.log(`\n${text}`);
} finally {
  await load.stop();
  postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

async function emptyDatabase(name: Place['name']): Promise<Place> {
  return { name, url: postgres ? await ownSchema(postgres.url) : `sqlite:${join(folder, `${name}.db`)}` };
}

async function fillUp({ url }: Place): Promise<{ seconds?: number; megabytes: number }> {
  const driver = await openDatabase(url);
  const server = createServer({ issuer, secret, driver, log: quiet });
  await server.storage.migrate(now());
  const { instance } = (await server.context()) as Context;
  const began = performance.now();
  let told = 0;
  const tell = (done: number) => {
    if (performance.now() - told < 2000 && done < grants) return;
    told = performance.now();
    progress(`filling: ${done} of ${grants} grants, ${Math.round((done / (told - began)) * 1000)} a second`);
  };
  await fill(driver, { grants, families, overEach: 50, now: now(), instance, tell });
  await server.close();
  if (postgres) return { seconds: (performance.now() - began) / 1000, megabytes: Number.NaN };
  const file = url.replace('sqlite:', '');
  if (flags.at) copyFileSync(file, flags.at);
  return { seconds: (performance.now() - began) / 1000, megabytes: statSync(file).size / 1024 / 1024 };
}

function copyOf(kept: string, { url }: Place): { megabytes: number } {
  copyFileSync(kept, url.replace('sqlite:', ''));
  return { megabytes: statSync(kept).size / 1024 / 1024 };
}

/** Every row on both, in turns, so that what else the machine does falls on both. */
async function compare(small: Place, filled: Place): Promise<Compared[]> {
  const both = [await running(small), await running(filled)];
  const rows: Compared[] = [];
  for (const path of paths) {
    const row: Compared = { name: path.name, small: [], filled: [] };
    const prepared = await Promise.all(both.map(({ subject }) => path.prepare(subject, path.supply === 'once' ? perRepetition * (repetitions + 1) : 10_000)));
    for (let repetition = 0; repetition <= repetitions; repetition++) {
      // Whoever goes first in one repetition is second in the next.
      for (const index of repetition % 2 === 0 ? [0, 1] : [1, 0]) {
        const one = both[index] as Running;
        const { place, subject } = one;
        const all = path.supply === 'chain' && repetition > 0 ? await path.prepare(subject, 10_000) : (prepared[index] ?? []);
        const requests = path.supply === 'once' ? all.slice(repetition * perRepetition, (repetition + 1) * perRepetition) : all;
        const measured = await measure(path, one, requests);
        if (Object.keys(measured.unexpected).length > 0) throw new Error(`${path.name}, ${place.name}: unexpected ${JSON.stringify(measured.unexpected)}`);
        // The first warms up.
        if (repetition > 0) row[place.name].push(measured);
      }
      progress(`${path.name}: ${repetition}/${repetitions}`);
    }
    rows.push(row);
  }
  await Promise.all(both.map(({ stop }) => stop()));
  return rows;
}

async function running(place: Place): Promise<Running> {
  const server = start(join(here, 'server.ts'), 0, [place.url]);
  const facts = await server.first<Facts>();
  const fetchAt = (port: number) => (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init });
  const subject: Subject = {
    ...facts,
    codes: async (count) => (await server.ask<{ codes: string[] }>({ codes: count })).codes,
    sessions: async (count) => (await server.ask<{ sessions: string[] }>({ sessions: count })).sessions,
    fetch: fetchAt(facts.port),
    elsewhere: fetchAt(facts.otherPort ?? facts.port),
  };
  return { place, subject, pid: server.pid, stop: () => server.stop() };
}

async function measure(path: HotPath, { subject: { port }, pid }: Running, requests: string[]): Promise<Measurement> {
  const requestsFile = join(folder, 'requests.json');
  writeFileSync(requestsFile, JSON.stringify(requests));
  const module = path.next && join(here, 'paths/refresh.ts');
  const before = usage([pid]).cpuSeconds;
  const measured = await load.ask<Measurement>({
    ports: [port],
    connections: 32,
    expect: path.expect,
    supply: path.supply,
    seconds,
    requestsFile,
    module,
  } satisfies Job);
  return { ...measured, cpuMicroseconds: ((usage([pid]).cpuSeconds - before) * 1e6) / measured.requests };
}

/** Milliseconds from the start of the process to the first token for a machine. */
async function firstAnswers({ url }: Place): Promise<number[]> {
  const env = { AUTH_AGENT_ISSUER: issuer, AUTH_AGENT_SECRET: secret, AUTH_AGENT_DATABASE_URL: url, AUTH_AGENT_PORT: '0' };
  const taken: number[] = [];
  for (let repetition = 0; repetition < 5; repetition++) {
    const began = performance.now();
    const server = start(join(here, 'production.js'), 0, [], { installed: true, env });
    const { port } = await server.first<{ port: number }>();
    const answer = await fetch(`http://127.0.0.1:${port}/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${machine.id}:${machine.secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
    });
    if (answer.status !== 200) throw new Error(`the first answer was ${answer.status} ${await answer.text()}`);
    taken.push(performance.now() - began);
    await server.stop();
  }
  return taken;
}

/** Milliseconds of each write of a round of housekeeping: on SQLite the event loop and the write lock are held for as long. Afterwards nothing is over. */
async function keepHouse({ url }: Place): Promise<{ writes: number[]; rows: number; seconds: number }> {
  const driver = await openDatabase(url);
  const writes: number[] = [];
  let rows = 0;
  const timed: typeof driver = {
    ...driver,
    async write(statements) {
      await new Promise(setImmediate);
      const began = performance.now();
      const results = await driver.write(statements);
      writes.push(performance.now() - began);
      rows += results[0]?.changes ?? 0;
      if (writes.length % 500 === 0) progress(`housekeeping: ${rows} rows`);
      return results;
    },
  };
  const began = performance.now();
  const server = createServer({ issuer, secret, driver: timed, log: quiet });
  await server.maintain();
  await server.close();
  return { writes: writes.sort((a, b) => a - b), rows, seconds: (performance.now() - began) / 1000 };
}

type Seen = { rows: Compared[]; starts: Record<Place['name'], number[]>; house: Awaited<ReturnType<typeof keepHouse>> };

function report(filling: Awaited<ReturnType<typeof fillUp>>, { rows, starts, house }: Seen): string {
  const size = Number.isNaN(filling.megabytes) ? '' : `, ${filling.megabytes.toFixed(0)} MB`;
  const at = (share: number) => house.writes[Math.floor((house.writes.length - 1) * share)] ?? Number.NaN;
  const judged = (holds: boolean) => {
    if (!holds) failed = true;
    return holds ? 'holds' : '**missed**';
  };
  const rate = (runs: Measurement[]) => median(runs.map(({ perSecond }) => perSecond));
  const spread = (runs: Measurement[]) =>
    `${rate(runs).toFixed(0)} (${Math.min(...runs.map((run) => run.perSecond)).toFixed(0)}–${Math.max(...runs.map((run) => run.perSecond)).toFixed(0)})`;
  return [
    `# A filled database: ${flags.database}`,
    '',
    `Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, load ${loadavg()[1]?.toFixed(1)} (five minutes); commit ${commit()}. Servers ${pinned ? 'on one core, load generator on another' : '**not pinned to cores**'}.`,
    `${grants} people with a grant and an audit event each, ${grants * families} refresh families${size}, filled ${filling.seconds === undefined ? 'before' : `in ${filling.seconds.toFixed(0)} s`}. Beside it a database with 2000 people; ${repetitions} repetitions of ${seconds} s each in turns, medians with minimum and maximum.`,
    '',
    '| path | small, per second | filled, per second | share | goal 0.9 | CPU µs, small | CPU µs, filled | p99 ms, small | p99 ms, filled |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows.map(({ name, small, filled }) => {
      const share = rate(filled) / rate(small);
      const p99 = (runs: Measurement[]) => median(runs.map((run) => run.p99)).toFixed(1);
      const cpu = (runs: Measurement[]) => median(runs.map((run) => run.cpuMicroseconds ?? Number.NaN)).toFixed(0);
      return `| ${name} | ${spread(small)} | ${spread(filled)} | **${share.toFixed(2)}** | ${judged(share >= goals.share)} | ${cpu(small)} | ${cpu(filled)} | ${p99(small)} | ${p99(filled)} |`;
    }),
    '',
    '| | small | filled | goal | |',
    '|---|---|---|---|---|',
    `| start of the process to the first token, ms | ${median(starts.small).toFixed(0)} | ${median(starts.filled).toFixed(0)} | ${goals.startMilliseconds} | ${judged(median(starts.filled) <= goals.startMilliseconds)} |`,
    `| longest write of housekeeping, ms | | ${at(1).toFixed(1)} (99 %: ${at(0.99).toFixed(1)}, median ${at(0.5).toFixed(1)}) | ${goals.writeMilliseconds} | ${judged(at(1) <= goals.writeMilliseconds)} |`,
    '',
    `Housekeeping ended or deleted ${house.rows} rows in ${house.writes.length} writes and ${house.seconds.toFixed(1)} s.`,
    '',
  ].join('\n');
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function progress(line: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
}
