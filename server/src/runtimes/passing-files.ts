/**
 * Files that must not outlive their use: what is half written, what was secret and is not sealed for a while. Not here: what is written into them.
 */
import { rmSync } from 'node:fs';

/** Removes the files after `use`, whatever becomes of it, also when the process exits meanwhile, as it does at Ctrl-C. */
export async function withPassingFiles<Value>(paths: readonly string[], use: () => Promise<Value>): Promise<Value> {
  const remove = () => {
    for (const path of paths) rmSync(path, { force: true });
  };
  process.once('exit', remove);
  try {
    return await use();
  } finally {
    process.off('exit', remove);
    remove();
  }
}
