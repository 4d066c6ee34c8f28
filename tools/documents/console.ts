/**
 * Sessions of the documents: ```console blocks, where `$ ` begins a command and what follows is what it printed. `…` stands for anything. An identifier or
 * port that is new on each run is learned where it is first printed, and later commands of the document use the learned one, as a reader would.
 */
import assert from 'node:assert/strict';
import { startProgram } from './program.ts';
import type { Document } from './read.ts';

export type Step = { command: string; expected: string; line: number };

export type Session = {
  /** Texts of the document, and what they are this time. */
  bindings: Map<string, string>;
  env: Record<string, string>;
  /** Programs that keep running until the document ends. */
  running: DisposableStack;
};

const freshOnEachRun = /\b(?:srv|sk)_[A-Za-z0-9]{12,}(?:_\w+)?…?|\bdc_[\w-]{20,}|(?<=localhost:)[3-6]\d{4}\b/g;
const keepsRunning = /\bnpm (start|run dev:(auth|resource))\b|\buv run python examples\//;

/** The commands of all console blocks of a document, in order. */
export function stepsOf({ blocks }: Document): Step[] {
  return blocks.filter(({ language }) => language === 'console').flatMap(({ text, line }) => stepsIn(text, line));
}

function stepsIn(text: string, line: number): Step[] {
  const steps: Step[] = [];
  let continued = false;
  for (const [index, row] of text.split('\n').entries()) {
    const last = steps.at(-1);
    if (row.startsWith('$ ')) steps.push({ command: row.slice(2), expected: '', line: line + index + 1 });
    else if (!last) throw new Error(`line ${line + index + 1}: a console block begins with a command`);
    else if (continued) last.command += `\n${row}`;
    else last.expected += `${row}\n`;
    continued = row.endsWith('\\') && (row.startsWith('$ ') || continued);
  }
  return steps;
}

/** Runs a step and compares what it printed with what the document says. @throws {AssertionError} */
export async function runStep({ command, expected, line }: Step, { bindings, env, running }: Session): Promise<void> {
  const wanted = expected.trimEnd();
  const { pattern, learned } = patternOf(wanted, bindings);
  const program = running.use(startProgram(asThisTime(command, bindings), { env }));
  const printed = keepsRunning.test(command) ? await program.says(pattern) : await program.ends();
  const match = pattern.exec(printed);
  // Fails with the difference between the two.
  if (!match) assert.equal(printed, asThisTime(wanted, bindings), `line ${line}: ${command}`);
  for (const [index, text] of learned.entries()) bindings.set(text, match?.groups?.[`fresh${index}`] ?? text);
}

/**
 * Puts what is so this time in place of what the document says: all at once, because what was put in may read like something to replace (port 40004 begins
 * with 4000); the longest first, because a key begins with its id.
 */
export function asThisTime(text: string, bindings: Session['bindings']): string {
  if (bindings.size === 0) return text;
  const longestFirst = [...bindings.keys()].sort((one, other) => other.length - one.length);
  const written = new RegExp(longestFirst.map((key) => (/\d$/.test(key) ? `${escaped(key)}(?!\\d)` : escaped(key))).join('|'), 'g');
  return text.replaceAll(written, (found) => bindings.get(found) ?? found);
}

function patternOf(expected: string, bindings: Session['bindings']): { pattern: RegExp; learned: string[] } {
  const learned: string[] = [];
  const literal = (text: string) => asThisTime(text, bindings).split('…').map(escaped).join('[^]*?');
  let source = '';
  let end = 0;
  for (const { 0: text, index } of expected.matchAll(freshOnEachRun)) {
    source += literal(expected.slice(end, index));
    end = index + text.length;
    const real = bindings.get(text);
    if (real !== undefined) source += escaped(real);
    else if (learned.includes(text)) source += String.raw`\k<fresh${learned.indexOf(text)}>`;
    else source += String.raw`(?<fresh${learned.push(text) - 1}>[\w-]+)`;
  }
  return { pattern: new RegExp(`^${source}${literal(expected.slice(end))}$`), learned };
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
