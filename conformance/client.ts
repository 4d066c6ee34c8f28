/**
 * The client half of `npm run conformance`: the public suite drives `auth-agent conformance` through the scenarios that a revision of MCP requires. Of those,
 * every one about authorization must hold, and so must those of the authorization extensions.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** One scenario of one revision: what it is called, and what is wrong with it. */
export type Outcome = { name: string; problem?: string };

const revisions = ['2025-11-25', '2026-07-28'];

/** Extensions of MCP; none is required by a revision, and each is built here. */
const extensions = [
  'auth/client-credentials-basic',
  'auth/client-credentials-jwt',
  'auth/dpop',
  'auth/dpop-nonce',
  'auth/enterprise-managed-authorization',
  'auth/wif-jwt-bearer',
];

/** Runs the scenarios of both revisions. `suite` is the program of the suite. */
export async function runClientSuites(suite: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const revision of revisions) {
    const found = await runRevision(suite, revision);
    for (const scenario of [...requiredScenarios(suite, revision), ...extensions])
      outcomes.push({ name: `client ${revision}, ${scenario}`, problem: problemOf(found.get(scenario)) });
  }
  return outcomes;
}

/** The frozen list of the revision, as far as it is about authorization. */
function requiredScenarios(suite: string, revision: string): string[] {
  const text = readFileSync(join(dirname(suite), '..', 'requirements', `${revision}.yaml`), 'utf8');
  const [, list = ''] = /^client:\n((?: {2}- .*\n)+)/m.exec(text) ?? [];
  const scenarios = [...list.matchAll(/- (auth\/\S+)/g)].map(([, name = '']) => name);
  if (scenarios.length < 10) throw new Error(`The requirements of ${revision} cannot be read`);
  return scenarios;
}

async function runRevision(suite: string, revision: string): Promise<Map<string, string[]>> {
  const output = mkdtempSync(join(tmpdir(), 'auth-agent-conformance-'));
  const main = new URL('../cli/src/main.ts', import.meta.url).pathname;
  const command = `${process.execPath} --conditions=aa-source ${main} conformance`;
  try {
    const child = spawn(process.execPath, [suite, 'client', '--command', command, '--requirements', revision, '-o', output], { stdio: 'ignore' });
    await new Promise((resolve) => child.once('exit', resolve));
    return new Map(globSync('auth/*/checks.json', { cwd: output }).map((file) => [scenarioOf(file), statusesOf(join(output, file))]));
  } finally {
    rmSync(output, { recursive: true });
  }
}

const scenarioOf = (file: string): string => dirname(file).replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
const statusesOf = (file: string): string[] => (JSON.parse(readFileSync(file, 'utf8')) as { status: string }[]).map(({ status }) => status);

function problemOf(statuses: string[] | undefined): string | undefined {
  if (statuses === undefined) return 'was not run';
  const bad = statuses.filter((status) => status !== 'SUCCESS' && status !== 'INFO');
  if (bad.length > 0) return bad.join(', ');
  return statuses.includes('SUCCESS') ? undefined : 'checked nothing';
}
