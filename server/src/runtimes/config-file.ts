/**
 * The files a configuration may come from: one JSON document, and a file per secret. Texts of errors never repeat what is in them.
 */
import { readFileSync, statSync } from 'node:fs';
import { didYouMean } from './nearest.ts';
import { settings } from './settings.ts';
import { StartRefused } from './start-refused.ts';

export type Document = { path: string; members: Record<string, unknown> };

const defaultFile = 'auth-agent.config.json';

/** The configuration file; an empty document when none was named and the default one is not there. @throws {StartRefused} */
export function readDocument(path: string | undefined, warnings: string[]): Document {
  const text = readOptional(path ?? defaultFile);
  if (text === undefined) {
    if (path === undefined) return { path: defaultFile, members: {} };
    throw new StartRefused(`The configuration file ${path} cannot be read`, {
      kind: 'usage',
      why: 'It was named, so it must be there.',
      fix: `Create it, or leave out --config and AUTH_AGENT_CONFIG`,
    });
  }
  const members = parseObject(text, path ?? defaultFile);
  const known = settings.flatMap(({ name, secret }) => (secret ? [name, `${name}File`] : [name]));
  for (const name of Object.keys(members))
    if (!known.includes(name)) warnings.push(`${path ?? defaultFile} has an unknown member ${name}${didYouMean(name, known)}`);
  return { path: path ?? defaultFile, members };
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let where = '';
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  } catch (error) {
    // Of what Node says only the place: the text may hold secrets.
    const place = /line (\d+) column (\d+)/.exec(String(error));
    if (place) where = `: line ${place[1]}, column ${place[2]}`;
  }
  throw new StartRefused(`${path} is not a JSON object${where}`, {
    kind: 'usage',
    why: 'It is read as the configuration of this server.',
    fix: `Write it like {"issuer": "https://auth.example.com", "port": 9000}`,
  });
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** A secret from the file that `source` names. @throws {StartRefused} when there is none. */
export function readSecret(path: string, source: string): string {
  const text = readOptional(path)?.trim();
  if (text) return text;
  throw new StartRefused(`The file of ${source} cannot be read or is empty`, {
    kind: 'usage',
    why: `${source} names ${path}.`,
    fix: `Check that it exists and that this user may read it: ls -l ${path}`,
  });
}

export function readableByOthers(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o044) !== 0;
}
