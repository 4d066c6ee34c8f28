/**
 * Reads the language-neutral cases of sdk/vectors.
 */
import { readFileSync } from 'node:fs';

interface VectorFile<Case> {
  readonly cases: readonly (Case & { readonly name: string; readonly requirements: readonly string[] })[];
}

/** Reads one file of vectors. The type is the caller's word: the files are ours. */
export function readVectors<File extends VectorFile<unknown>>(name: string): File {
  return JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')) as File;
}

/** The title of a case, with its requirement ids in front. */
export function titleOf({ name, requirements }: { readonly name: string; readonly requirements: readonly string[] }): string {
  return `${requirements.map((id) => `[${id}]`).join(' ')} ${name}`;
}
