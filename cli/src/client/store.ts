/**
 * What the client keeps between runs: one JSON file of mode 0600, written whole and renamed into place. Clients belong to an issuer, tokens to issuer and
 * resource, so nothing of one authorization server is ever offered to another. Not here: when tokens are renewed (session.ts).
 */
import { type JsonWebKey, randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';

export type AuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post';
/** `device`: registered for device codes too. */
export type KeptClient = { clientId: string; clientSecret?: string; method: AuthMethod; redirectUri: string; device?: boolean };
/** `scope` is what was granted, `requestedScope` what was asked for; `expiresAt` is in seconds; `proofKey` is the key they are bound to, if any. */
export type KeptTokens = { accessToken: string; refreshToken?: string; expiresAt?: number; scope?: string; requestedScope?: string; proofKey?: JsonWebKey };
/** Which authorization server and resource a place (an MCP URL, or `stdio:name`) was found to have. */
export type KeptPlace = { issuer: string; resource: string };

/** A sign-in by device code that was begun and not finished (`login --no-wait`); `nextPollAt` and `expiresAt` are in seconds. */
export type PendingSignIn = {
  mcpUrl: string;
  place: KeptPlace;
  client: KeptClient;
  scope?: string;
  /** The key that the tokens will be bound to. */
  proofKey?: JsonWebKey;
  deviceCode: string;
  intervalSeconds: number;
  nextPollAt: number;
  expiresAt: number;
};

export type Kept = {
  v: 1;
  places: Record<string, KeptPlace>;
  clients: Record<string, KeptClient>;
  tokens: Record<string, KeptTokens>;
  pending?: Record<string, PendingSignIn>;
};
export type CredentialStore = {
  path: string;
  read(): Kept;
  /** Changes what is kept, alone: other processes wait, and what they wrote is read first. */
  change<T>(act: (kept: Kept) => T | Promise<T>): Promise<T>;
};

/** A lock older than this was left by a process that died: nobody may hold one longer than a request takes. */
const staleMs = 60_000;
const waitMs = 90_000;

/** Opens the file of AUTH_AGENT_CLIENT_STORE, else `auth-agent/credentials.json` in $XDG_CONFIG_HOME or ~/.config. */
export function openStore(env: Terminal['env']): CredentialStore {
  const path = env.AUTH_AGENT_CLIENT_STORE || join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'auth-agent', 'credentials.json');
  return {
    path,
    read: () => readKept(path),
    async change(act) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const unlock = await lock(`${path}.lock`);
      try {
        const kept = readKept(path);
        const result = await act(kept);
        replace(path, `${JSON.stringify(kept, null, 1)}\n`);
        return result;
      } finally {
        unlock();
      }
    },
  };
}

/** The key of tokens. A space cannot be in either part, so no two pairs share one. */
export const tokenKey = ({ issuer, resource }: KeptPlace): string => `${issuer} ${resource}`;

function readKept(path: string): Kept {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { v: 1, places: {}, clients: {}, tokens: {} };
    throw new Failure('failed', `${path} cannot be read`, { fix: `ls -l ${path}`, cause: error });
  }
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    if (kept.v !== 1 || !kept.places || !kept.clients || !kept.tokens) throw new Error('another format');
    return kept as Kept;
  } catch (cause) {
    throw new Failure('failed', `${path} is not what this program wrote`, { fix: `Move it away and sign in again: mv ${path} ${path}.old`, cause });
  }
}

function replace(path: string, text: string): void {
  const fresh = `${path}.${randomUUID()}`;
  writeFileSync(fresh, text, { mode: 0o600, flag: 'wx' });
  renameSync(fresh, path);
}

async function lock(path: string): Promise<() => void> {
  for (let waited = 0; waited < waitMs; waited += 25) {
    try {
      writeFileSync(path, String(process.pid), { mode: 0o600, flag: 'wx' });
      return () => unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    removeStale(path);
    await pause(25);
  }
  throw new Failure('timedOut', 'Another auth-agent keeps the credentials locked', { fix: `If none runs: rm ${path}` });
}

function removeStale(path: string): void {
  try {
    if (Date.now() - statSync(path).mtimeMs > staleMs) unlinkSync(path);
  } catch {
    // Gone already: its owner let go.
  }
}
