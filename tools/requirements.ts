/**
 * `npm run requirements`: prints every requirement with its level, its status and the tests that cite it, then totals by family. Exits 1 when a claimed
 * MUST or MUST NOT has no test, or a test cites an id that does not exist. With `--open` prints only what is missing.
 */

import { type Requirement, requirements } from '../server/test/requirements.ts';
import { type Citations, judge, proofs, readCitations } from '../server/test/requirements-check.ts';

const root = new URL('..', import.meta.url).pathname;
const citations = await readCitations(root);
const verdict = judge(requirements, citations);

if (!process.argv.includes('--open')) {
  for (const requirement of requirements) console.log(line(requirement, citations));
  console.log('');
  for (const family of families()) console.log(family);
  console.log('');
}
for (const requirement of verdict.unprovenShoulds) console.log(`warning: ${requirement.id} (${requirement.level}) is cited by no test: ${requirement.text}`);
for (const requirement of verdict.unproven) console.error(`missing: ${requirement.id} (${requirement.level}) is cited by no test: ${requirement.text}`);
for (const { id, files } of verdict.unknown) console.error(`unknown: [${id}] is cited by ${files.join(', ')} and is no requirement`);
console.log(
  `${requirements.length} requirements, ${count((row) => row.status === 'claimed')} claimed, ${verdict.unproven.length} of them binding without a test, ${verdict.unprovenShoulds.length} others without a test`,
);
if (verdict.unproven.length > 0 || verdict.unknown.length > 0) process.exitCode = 1;

function line(requirement: Requirement, cited: Citations): string {
  const status = requirement.status === 'claimed' ? 'claimed' : 'later';
  const files = proofs(requirement, cited).join(', ');
  const waits = requirement.status === 'claimed' ? '' : requirement.status.later;
  return `${requirement.id.padEnd(8)} ${requirement.level.padEnd(10)} ${status.padEnd(7)}  ${files || waits || '–'}`;
}

function families(): string[] {
  const names = [...new Set(requirements.map(familyOf))];
  return names.map((family) => {
    const rows = requirements.filter((row) => familyOf(row) === family);
    const claimed = rows.filter((row) => row.status === 'claimed');
    const proven = claimed.filter((row) => proofs(row, citations).length > 0);
    return `${family.padEnd(5)} ${String(rows.length).padStart(3)} rows  ${String(claimed.length).padStart(3)} claimed  ${String(proven.length).padStart(3)} proven`;
  });
}

function familyOf(requirement: Requirement): string {
  return requirement.id.replace(/-?\d+$/, '');
}

function count(test: (requirement: Requirement) => boolean): number {
  return requirements.filter(test).length;
}
