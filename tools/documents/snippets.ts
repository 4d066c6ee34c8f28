/**
 * The TypeScript of the documents as modules: a file per block, in a folder that git ignores, so that packages resolve as they do for everybody else. A name
 * that a block uses and does not declare comes from an earlier block of its document or from prelude.ts.
 */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Document, root } from './read.ts';

/** A document with TypeScript in it, and the modules made of that. */
export type Snippets = { document: Document; modules: string[] };

const prelude = join(root, 'tools/documents/prelude.ts');
const declaration = /^(?:export )?(?:const|let|function|class) (\w+)/gm;
const named = /^(?:import|export) \{([^}]*)\} from/gm;

/** Writes every `ts` block; the folder is the caller's to remove. */
export function writeSnippets(documents: Document[]): { folder: string; snippets: Snippets[] } {
  mkdirSync(join(root, 'out'), { recursive: true });
  const folder = mkdtempSync(join(root, 'out/documents-'));
  const written = documents.filter(({ blocks }) => blocks.some(isTypeScript)).map((document) => writeDocument(document, folder));
  // A document shows excerpts: what it declares may be used by its reader only.
  // pg declares no types: what the source of the server knows of it is a file that nothing imports.
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { noUnusedLocals: false },
    include: ['*/*.ts', '../../server/src/storage/drivers/pg.d.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  return { folder, snippets: written };
}

/** Type-checks all of them as strictly as the project itself; answers what the compiler said. */
export async function typeErrors(folder: string): Promise<string> {
  const compiler = join(root, 'node_modules/.bin/tsc');
  const failed = (error: { stdout?: string }) => ({ stdout: error.stdout || String(error) });
  return (await promisify(execFile)(compiler, ['--noEmit', '-p', folder], { cwd: root }).catch(failed)).stdout;
}

function writeDocument(document: Document, folder: string): Snippets {
  const place = join(folder, document.path.replaceAll('/', '-'));
  mkdirSync(place);
  copyFileSync(prelude, join(place, 'prelude.ts'));
  const given = readFileSync(prelude, 'utf8');
  const known = new Map([...namesIn(given), ...importsIn(given)].map((name) => [name, './prelude.ts']));
  const modules = document.blocks.filter(isTypeScript).map(({ text, line }) => {
    const file = `./line-${line}.ts`;
    const declared = namesIn(text);
    const own = [...declared, ...importsIn(text)];
    const borrowed = [...known].filter(([name]) => !own.includes(name) && uses(text, name));
    // On one line, above the first of the block.
    const imports = borrowed.map(([name, from]) => `import { ${name} } from '${from}';`).join(' ');
    writeFileSync(join(place, file), `${imports}\n${text}\nexport { ${declared.join(', ')} };\n`);
    for (const name of declared) known.set(name, file);
    return join(place, file);
  });
  return { document, modules };
}

function isTypeScript({ language }: { language: string }): boolean {
  return language === 'ts';
}

/** What stands between the braces of imports, and of the prelude's passing on. */
function importsIn(code: string): string[] {
  return [...code.matchAll(named)].flatMap(([, names = '']) => names.split(',').map((name) => name.trim()));
}

function namesIn(code: string): string[] {
  return [...code.matchAll(declaration)].map(([, name = '']) => name);
}

/** As a value: not as the name of a member, nor within a text or comment. A spread is a use. */
function uses(code: string, name: string): boolean {
  const bare = code.replaceAll(/'[^'\n]*'|"[^"\n]*"|\/\/.*/g, "''");
  return new RegExp(String.raw`(?<![\w$]|(?<!\.\.)\.)${name}\b(?!\s*:)`).test(bare);
}
