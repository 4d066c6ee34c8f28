/**
 * A backup as one file: gzip, and AES-256-GCM under a passphrase if there is one. Written beside its place and moved there when it is whole and on the disk, readable by its owner only.
 *
 *     "AAB1" 0                        gzip of the lines
 *     "AAB1" 1 salt(16) prefix(7)     the same in chunks of 64 KiB, each sealed with prefix, number and "is this the last" as its nonce (STREAM, Hoang et al. 2015)
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { closeSync, createReadStream, createWriteStream, openSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { BadBackup } from '../storage/backup.ts';
import { withPassingFiles } from './passing-files.ts';

const MAGIC = Buffer.from('AAB1');
const SALT = 16;
const PREFIX = 7;
const CHUNK = 64 * 1024;
const TAG = 16;
const passphraseFix = 'Name the file that holds its passphrase: --passphrase-file <file> or AUTH_AGENT_BACKUP_PASSPHRASE_FILE';

/** Writes the lines into `path`, which must not exist: the name is taken when the file is whole. @throws an error with the code EEXIST */
export async function writeBackupFile(path: string, lines: AsyncIterable<string>, passphrase: string | undefined): Promise<void> {
  // A name of its own: of two that write to one place, the later finds the name taken.
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.unfinished`;
  await withPassingFiles([unfinished], async () => {
    const compressed = Readable.from(lines).compose(createGzip()) as AsyncIterable<Buffer>;
    const content = passphrase === undefined ? plain(compressed) : sealed(compressed, passphrase);
    await pipeline(content, createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true }));
    // Both in one turn, so that no signal comes between them.
    closeSync(openSync(path, 'wx', 0o600));
    renameSync(unfinished, path);
  });
}

/** Hands the lines of a backup file to `consume`. @throws {BadBackup} when it is none, damaged, cut short, or the passphrase is another or for nothing. */
export async function readBackupFile<Value>(
  path: string,
  passphrase: string | undefined,
  consume: (lines: AsyncIterable<string>) => Promise<Value>,
): Promise<Value> {
  const { encrypted, salt, prefix, begins } = await headOf(path);
  if (encrypted && passphrase === undefined) throw new BadBackup('It is encrypted: a passphrase is needed', { fix: passphraseFix });
  // Whoever can write beside the backups could put one there that nobody sealed, with accounts of their own.
  if (!encrypted && passphrase !== undefined)
    throw new BadBackup('It is not encrypted, but a passphrase was given: it may not be the file that you sealed', {
      fix: 'Find the file that you sealed. If this is the one you mean: without --passphrase-file and AUTH_AGENT_BACKUP_PASSPHRASE_FILE it is restored',
    });
  const stored: AsyncIterable<Buffer> = createReadStream(path, { start: begins, highWaterMark: CHUNK + TAG });
  const compressed = encrypted ? opened(stored, await keyOf(passphrase ?? '', salt), prefix) : stored;
  try {
    return (await pipeline(compressed, createGunzip(), (text: AsyncIterable<Buffer>) => consume(linesOf(text)))) as Value;
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw new BadBackup('The file is damaged or cut short', { cause: error });
    throw error;
  }
}

async function* plain(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.concat([MAGIC, Buffer.of(0)]);
  yield* compressed;
}

async function* sealed(compressed: AsyncIterable<Buffer>, passphrase: string): AsyncGenerator<Buffer> {
  const salt = randomBytes(SALT);
  const prefix = randomBytes(PREFIX);
  const key = await keyOf(passphrase, salt);
  yield Buffer.concat([MAGIC, Buffer.of(1), salt, prefix]);
  for await (const { chunk, number, last } of chunksOf(compressed, CHUNK)) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce(prefix, number, last));
    yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  }
}

async function* opened(stored: AsyncIterable<Buffer>, key: Buffer, prefix: Buffer): AsyncGenerator<Buffer> {
  for await (const { chunk, number, last } of chunksOf(stored, CHUNK + TAG)) {
    if (chunk.length < TAG) throw new BadBackup('The file is cut short');
    const decipher = createDecipheriv('aes-256-gcm', key, nonce(prefix, number, last), { authTagLength: TAG }).setAuthTag(chunk.subarray(-TAG));
    const text = decipher.update(chunk.subarray(0, -TAG));
    try {
      decipher.final();
    } catch (cause) {
      throw new BadBackup('The passphrase is another one, or the file is damaged or cut short', {
        fix: `${passphraseFix}; if it is the right one, take another backup`,
        cause,
      });
    }
    yield text;
  }
}

function nonce(prefix: Buffer, number: number, last: boolean): Buffer {
  const counter = Buffer.alloc(5);
  counter.writeUInt32BE(number);
  counter[4] = last ? 1 : 0;
  return Buffer.concat([prefix, counter]);
}

/** Chunks of exactly `size`, the last one shorter or as long; never none. */
async function* chunksOf(stream: AsyncIterable<Buffer>, size: number): AsyncGenerator<{ chunk: Buffer; number: number; last: boolean }> {
  let held: Buffer = Buffer.alloc(0);
  let number = 0;
  for await (const piece of stream) {
    held = Buffer.concat([held, piece]);
    for (; held.length > size; held = held.subarray(size)) yield { chunk: held.subarray(0, size), number: number++, last: false };
  }
  yield { chunk: held, number, last: true };
}

async function headOf(path: string): Promise<{ encrypted: boolean; salt: Buffer; prefix: Buffer; begins: number }> {
  const file = await open(path, 'r');
  const head = Buffer.alloc(MAGIC.length + 1 + SALT + PREFIX);
  const { bytesRead } = await file.read(head, 0, head.length, 0).finally(() => file.close());
  const kind = head[MAGIC.length];
  const begins = kind === 1 ? head.length : MAGIC.length + 1;
  if (bytesRead < begins || !head.subarray(0, MAGIC.length).equals(MAGIC) || (kind !== 0 && kind !== 1))
    throw new BadBackup('This is no backup of this server');
  const salt = head.subarray(MAGIC.length + 1, MAGIC.length + 1 + SALT);
  return { encrypted: kind === 1, salt, prefix: head.subarray(-PREFIX), begins };
}

/** scrypt at 128 MiB: a person chose the passphrase, and the file may be tried for years. */
function keyOf(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFKC'), salt, 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 }, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

async function* linesOf(text: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of text) {
    held = held.length === 0 ? piece : Buffer.concat([held, piece]);
    for (let end = held.indexOf(10); end >= 0; end = held.indexOf(10)) {
      yield held.toString('utf8', 0, end);
      held = held.subarray(end + 1);
    }
  }
  if (held.length > 0) yield held.toString('utf8');
}
