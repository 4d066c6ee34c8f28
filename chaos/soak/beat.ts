/** The process of metronome.ts: the same piece of work four times a second, and the same durable write. Tells its parent how long each took. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `work`: microseconds of processor · `disk`: milliseconds · `stolen`: the share of the core that the machine's own host took since the last beat. */
export type Beat = { work: number; disk: number; stolen: number };

const folder = mkdtempSync(join(tmpdir(), 'auth-agent-metronome-'));
const file = openSync(join(folder, 'beat'), 'w');
const page = Buffer.alloc(4096, 1);
const rows = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `name ${id}`, scopes: ['files:read', 'files:write'] })));
let [total, stolen] = core();

setInterval(() => {
  const before = process.cpuUsage();
  for (let round = 0; round < 5; round++)
    createHash('sha256')
      .update(JSON.stringify(JSON.parse(rows)))
      .digest();
  const used = process.cpuUsage(before);
  const began = performance.now();
  writeSync(file, page, 0, page.length, 0);
  fsyncSync(file);
  const disk = performance.now() - began;
  const [totalNow, stolenNow] = core();
  process.send?.({ work: used.user + used.system, disk, stolen: (stolenNow - stolen) / Math.max(1, totalNow - total) } satisfies Beat);
  [total, stolen] = [totalNow, stolenNow];
}, 250);

process.on('disconnect', () => {
  closeSync(file);
  rmSync(folder, { recursive: true });
  process.exit();
});

/** Ticks of the first core since the machine began, and those of them that the host took. Elsewhere than on Linux nobody tells. */
function core(): [total: number, stolen: number] {
  try {
    const ticks = /^cpu0 (.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ').map(Number) ?? [];
    return [ticks.slice(0, 8).reduce((sum, each) => sum + each, 0), ticks[7] ?? 0];
  } catch {
    return [0, 0];
  }
}
