/**
 * The files of the example: plain names in one folder, nothing above or below it. A name that could leave the folder is no name.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Folder = {
  list(): Promise<string[]>;
  read(name: string): Promise<string>;
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
};

/** Letters, digits, `-` and `_`, with single dots between them. */
const fileName = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

/** Opens a folder, and makes it when it is not there. */
export async function openFolder(path: string): Promise<Folder> {
  await mkdir(path, { recursive: true });
  const inside = (name: string) => {
    if (!fileName.test(name) || name.length > 100) throw new Error('A file name has letters, digits, - and _, with dots only between them');
    return join(path, name);
  };
  return {
    list: async () => (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => entry.name),
    read: (name) => readFile(inside(name), 'utf8').catch(missing),
    write: (name, text) => writeFile(inside(name), text),
    remove: (name) => rm(inside(name)).catch(missing),
  };
}

/** Errors of the file system name the whole path, which is nobody's business. */
function missing(error: Error & { code?: string }): never {
  throw error.code === 'ENOENT' ? new Error('There is no such file') : error;
}
