/**
 * The client half of `npm run conformance`: the public suite drives `auth-agent conformance` through the scenarios that a revision of MCP requires. Of those,
 * every one about authorization must hold. What is not built yet is listed with its reason, and must fail: a surprise either way is a failure.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** One scenario of one revision: what it is called, and what is wrong with it. */
export type Outcome = { name: string; problem?: string /** Known to fail, with the reason in the name. */; notBuilt?: true };

const revisions = ['2025-11-25', '2026-07-28'];

/** Extensions of MCP that are built here; none is required by a revision. */
const extensions = ['auth/dpop', 'auth/dpop-nonce'];

/** Those that are not. */
const expectedFailures: Record<string, string> = {
  'auth/client-credentials-basic': 'machines are served by the agent helper of the SDKs, not by this client',
  'auth/client-credentials-jwt': 'the client has no key of its own (private_key_jwt)',
  'auth/enterprise-managed-authorization': 'token exchange at an identity provider is not built',
  'auth/wif-jwt-bearer': 'workload identity (jwt-bearer) is not built',
};

/** Runs the scenarios of both revisions. `suite` is the program of the suite. */
export async function runClientSuites(suite: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const revision of revisions) {
    const found = await runRevision(suite, revision);
    for (const scenario of [...requiredScenarios(suite, revision), ...extensions])
      outcomes.push({ name: `client ${revision}, ${scenario}`, problem: problemOf(found.get(scenario)) });
    for (const [scenario, reason] of Object.entries(expectedFailures)) {
      const unexpected = problemOf(found.get(scenario)) === undefined ? 'passes, so take it off the list of expected failures' : undefined;
      outcomes.push({ name: `client ${revision}, ${scenario} is not built: ${reason}`, problem: unexpected, notBuilt: true });
    }
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
