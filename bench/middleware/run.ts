/**
 * `npm run bench:sdk`: what the guard costs per request in TypeScript (Hono) and Python (Starlette), cached and uncached, against the same app without it.
 * Appends to bench/results/middleware.md. The guarded process has one core, the authorization server the other. Exits 1 when an answer is not 200.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { pinned, start } from '../processes.ts';
import type { Facts } from './auth-server.ts';
import { type Figures, section } from './report.ts';

const here = new URL('.', import.meta.url).pathname;
const root = join(here, '../..');
const results = join(here, '../results/middleware.md');
const repetitions = 9;
const heading = `# Price of the middleware

What the guard adds to a request, one at a time and in process, by \`npm run bench:sdk\`; medians with minimum and maximum. *Cached* is a token seen in the last 30 seconds, *uncached* asks
the authorization server (development mode, in memory, over loopback HTTP) about every request, so its elapsed time holds the answer of that server too.`;

const programs: string[][] = [[process.execPath, '--conditions=aa-source', join(here, 'price.ts')]];
const python = pythonWithSdk();
if (python) programs.push([python, join(here, 'price.py')]);

const authServer = start(join(here, 'auth-server.ts'), 1);
try {
  const facts = await authServer.first<Facts>();
  const load = loadavg()[0]?.toFixed(1);
  const measured = programs.map((program) => measure(program, facts));
  const where = `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores${pinned ? '' : ', not pinned to cores'}, load ${load} at the start`;
  keep(section(measured, `${new Date().toISOString().slice(0, 10)}, ${where}, ${repetitions} alternating repetitions`));
} finally {
  await authServer.stop();
}

function measure(program: string[], { issuer, serverId, apiKey, token }: Facts): Figures {
  const [command = '', ...given] = pinned ? ['taskset', '-c', '0', ...program] : program;
  const env = { ...process.env, AUTH_SERVER: issuer, SERVER_ID: serverId, API_KEY: apiKey, TOKEN: token, REPETITIONS: String(repetitions) };
  return JSON.parse(execFileSync(command, given, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as Figures;
}

function keep(text: string): void {
  if (!existsSync(results)) {
    mkdirSync(join(here, '../results'), { recursive: true });
    writeFileSync(results, `${heading}\n`);
  }
  appendFileSync(results, `\n${text}`);
  console.log(text);
}

/** Python with the SDK of this checkout, made once in `out/`; nothing where there is no python3. */
function pythonWithSdk(): string | undefined {
  const folder = join(root, 'out/bench-python');
  const program = join(folder, 'bin/python');
  try {
    if (!existsSync(program)) execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(program, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--editable', join(root, 'sdk/python')], { stdio: 'inherit' });
    return program;
  } catch (error) {
    console.error(`Python is left out: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}
