/**
 * The image of the Dockerfile without docker: each stage is a folder, into which its COPY and RUN lines are carried out as they stand there. What is not in the
 * context or not copied is missing here, too. Not shown: the base image, its user, and that nothing else is reachable.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, matchesGlob } from 'node:path';
import { type Program, startProgram } from '../documents/program.ts';
import { root } from '../documents/read.ts';

export type Image = {
  /** Starts a program in the folder and with the variables that the image names, and those given. */
  start(command: string, env: Record<string, string>): Program;
  /** Whether the image calls itself well: its HEALTHCHECK, with the port of `env`. */
  healthcheck: string;
  remove(): void;
};

type Stage = { folder: string; workdir: string; env: Record<string, string> };

/** @throws {Error} when a line fails, or is one that this does not know. */
export async function makeImage(): Promise<Image> {
  const everything = mkdtempSync(join(tmpdir(), 'auth-agent-image-'));
  const stages = new Map<string, Stage>();
  let stage: Stage = { folder: '', workdir: '/', env: {} };
  let healthcheck = '';
  for (const [word, rest] of linesOf(readFileSync(join(root, 'Dockerfile'), 'utf8'))) {
    if (word === 'FROM') {
      stage = { folder: mkdtempSync(join(everything, 'stage-')), workdir: '/', env: {} };
      stages.set(/ AS (\S+)$/.exec(rest)?.[1] ?? 'image', stage);
    } else if (word === 'WORKDIR') {
      stage.workdir = rest;
      mkdirSync(join(stage.folder, rest), { recursive: true });
    } else if (word === 'ENV') Object.assign(stage.env, Object.fromEntries(rest.split(' ').map((one) => [one.split('=')[0], one.slice(one.indexOf('=') + 1)])));
    else if (word === 'COPY') copy(rest, stage, stages);
    else if (word === 'RUN') await run(rest, stage);
    else if (word === 'HEALTHCHECK')
      healthcheck = (JSON.parse(rest.slice(rest.indexOf('['))) as string[]).map((one) => `'${one.replaceAll("'", `'"'"'`)}'`).join(' ');
    else if (!['VOLUME', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD'].includes(word)) throw new Error(`Dockerfile: ${word} is not known here`);
  }
  const made = stage;
  return {
    start: (command, env) =>
      startProgram(command, {
        folder: join(made.folder, made.workdir),
        env: { ...made.env, PATH: `${join(made.folder, 'usr/local/bin')}:${pathOfNode()}`, ...env },
      }),
    healthcheck,
    remove: () => rmSync(everything, { recursive: true }),
  };
}

/** Instructions and what follows them; comments and line ends within one are gone. */
function linesOf(dockerfile: string): [string, string][] {
  const lines = dockerfile
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  return lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]);
}

/** As docker does: of a folder what is in it, of a file itself. */
function copy(given: string, { folder, workdir }: Stage, stages: ReadonlyMap<string, Stage>): void {
  const words = given.split(' ');
  const from = words[0]?.startsWith('--from=') ? stages.get(words.shift()?.slice('--from='.length) ?? '') : undefined;
  const target = words.pop() ?? '.';
  const intoFolder = target.endsWith('/') || words.length > 1;
  for (const source of words) {
    const to = join(folder, workdir, target);
    if (from) cpSync(join(from.folder, source), to, { recursive: true, verbatimSymlinks: true });
    else for (const file of contextOf(source)) copyFile(file, join(to, file === source ? (intoFolder ? basename(source) : '') : file.slice(source.length)));
  }
}

function copyFile(file: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(join(root, file), to);
}

/** The files of a path that git knows and .dockerignore lets through: it forbids everything, allows paths, and forbids patterns again. */
function contextOf(path: string): string[] {
  const rules = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
  const allowed = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1));
  const forbidden = rules.slice(rules.findLastIndex((rule) => rule.startsWith('!')) + 1);
  const known = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', path], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);
  const through = known.filter(
    (file) => allowed.some((one) => file === one || file.startsWith(`${one}/`)) && !forbidden.some((pattern) => matchesGlob(file, pattern)),
  );
  if (through.length === 0) throw new Error(`Dockerfile: ${path} is not in the context`);
  return through;
}

/** With the paths of the image where they are here, and without the owner of the base image. */
async function run(command: string, { folder, workdir, env }: Stage): Promise<void> {
  const here = command.replace(/(?<=\s)\/(?=app|data|usr)/g, `${folder}/`).replaceAll('-o node -g node ', '');
  mkdirSync(join(folder, 'usr/local/bin'), { recursive: true });
  using program = startProgram(here, {
    folder: join(folder, workdir),
    env: { ...env, PATH: pathOfNode(), npm_config_prefer_offline: 'true' },
    patienceSeconds: 300,
  });
  const printed = await program.ends();
  if (program.status() !== 0) throw new Error(`${command} ended with status ${program.status()}:\n${printed}`);
}

/** The Node that the image has, and nothing that is installed in this checkout. */
function pathOfNode(): string {
  const others = (process.env['PATH'] ?? '').split(':').filter((entry) => !entry.endsWith('node_modules/.bin'));
  return [dirname(process.execPath), ...others].join(':');
}
