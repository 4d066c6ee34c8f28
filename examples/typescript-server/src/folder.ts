/**
 * The files of the example: plain names in one folder, nothing above or below it. A name that could leave the folder is no name.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Folder = { list(): Promise<string[]>; read(name: string): Promise<string>; write(name: string, text: string): Promise<void>; remove(name: string): Promise<void> };

/** What a file may be called: letters, digits, `-`, `_` and single dots inside. */
export const fileName = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

export async function openFolder(path: string): Promise<Folder> {
  await mkdir(path, { recursive: true });
  const inside = (name: string) => {
    if (!fileName.test(name) || name.length > 100) throw new Error('A file name has letters, digits, - and _, with dots only between them');
    return join(path, name);
  };
  return {
    list: async () => (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => entry.name),
    read: (name) => readFile(inside(name), 'utf8'),
    write: (name, text) => writeFile(inside(name), text, { encoding: 'utf8' }),
    remove: (name) => rm(inside(name)),
  };
}
