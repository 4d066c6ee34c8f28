/**
 * Compares what is claimed (requirements.ts) with what tests cite. A citation is an id in brackets at the front of a test's title, or of the docstring of a
 * Python test; a shared vector lists its own. Pure but for `readCitations`, which reads the files. Not here: printing (tools/requirements.ts).
 */
import { glob, readFile } from 'node:fs/promises';
import type { Requirement } from './requirements.ts';

/** Which files cite an id. */
export type Citations = Map<string, Set<string>>;

export type Verdict = {
  /** Claimed MUST and MUST NOT rows that no test proves: the check fails. */
  unproven: Requirement[];
  /** Claimed weaker rows that no test proves: a warning. */
  unprovenShoulds: Requirement[];
  /** Ids that tests cite and nobody claims to know: the check fails. */
  unknown: { id: string; files: string[] }[];
};

const places = [
  ...['server', 'cli', 'sdk/typescript', 'examples', 'tools', 'e2e'].map((folder) => `${folder}/**/*.ts`),
  'conformance/*.ts',
  'sdk/vectors/*.json',
  'sdk/python/tests/test_*.py',
  'tests/test_*.py',
];
const id = String.raw`\[(?:[A-Z]{2,4}-\d{2}|D\d{1,2})\]`;
const frontOfTitle = new RegExp(String.raw`(\.(?:skip|todo)\()?\s*['"\`]((?:${id}\s*)+)`, 'g');
const frontOfDocstring = new RegExp(String.raw`def test_[^"]*"{3}((?:${id}\s*)+)`);

/** The ids at the front of titles, without those of skipped tests. */
export function citationsIn(source: string): string[] {
  return [...source.matchAll(frontOfTitle)].filter(([, skipped]) => !skipped).flatMap(([, , ids = '']) => idsIn(ids));
}

/** The ids at the front of the docstrings of Python tests, without those of tests that may be left out. Decorators and docstring are one paragraph. */
export function citationsInPython(source: string): string[] {
  return source
    .split(/\n\s*\n/)
    .filter((paragraph) => !/@pytest\.mark\.(skip|xfail)/.test(paragraph))
    .flatMap((paragraph) => idsIn(frontOfDocstring.exec(paragraph)?.[1] ?? ''));
}

/** The ids that the cases of a shared vector list: every SDK that runs it puts them into its titles. */
function citationsInVectors(source: string): string[] {
  return (JSON.parse(source) as { cases: { requirements: string[] }[] }).cases.flatMap(({ requirements }) => requirements);
}

/** Reads every test below `root` (files that import node:test, and the shared vectors). */
export async function readCitations(root: string): Promise<Citations> {
  const citations: Citations = new Map();
  for await (const path of glob(places, { cwd: root, exclude: (path) => /node_modules|dist$/.test(path) })) {
    if (/test\/requirements/.test(path)) continue;
    const source = await readFile(`${root}/${path}`, 'utf8');
    for (const cited of citationsOf(path, source)) citations.set(cited, (citations.get(cited) ?? new Set()).add(path));
  }
  return citations;
}

function citationsOf(path: string, source: string): string[] {
  if (path.endsWith('.py')) return citationsInPython(source);
  if (path.endsWith('.json')) return citationsInVectors(source);
  return source.includes("'node:test'") ? citationsIn(source) : [];
}

function idsIn(text: string): string[] {
  return [...text.matchAll(/\[([^\]]+)\]/g)].map(([, name = '']) => name);
}

/** The files that prove a requirement: its own, or for a decision those of the rows that carry it out, if each has one. */
export function proofs(requirement: Requirement, citations: Citations): string[] {
  const own = [...(citations.get(requirement.id) ?? [])];
  const carried = (requirement.by ?? []).map((name) => [...(citations.get(name) ?? [])]);
  return [...new Set(carried.every((files) => files.length > 0) ? [...own, ...carried.flat()] : own)].sort();
}

export function judge(requirements: readonly Requirement[], citations: Citations): Verdict {
  const unproven = requirements.filter((requirement) => requirement.status === 'claimed' && proofs(requirement, citations).length === 0);
  const known = new Set(requirements.map((requirement) => requirement.id));
  return {
    unproven: unproven.filter(isBinding),
    unprovenShoulds: unproven.filter((requirement) => !isBinding(requirement)),
    unknown: [...citations].filter(([cited]) => !known.has(cited)).map(([cited, files]) => ({ id: cited, files: [...files] })),
  };
}

const isBinding = (requirement: Requirement) => requirement.level === 'MUST' || requirement.level === 'MUST NOT';
