/**
 * Gathers the secrets that pass by in a story, by where they stand: passwords in forms, tokens in answers, cookies, proofs. At its end none of them may stand in what
 * was logged, before anything is masked, or in clear in the database. So every story of every flow also proves that it keeps its secrets (TOK-08, TOK-10).
 */
import assert from 'node:assert/strict';
import type { Driver } from '../src/storage/driver.ts';

export type Canaries = {
  /** Notes what a request carries. */
  request(url: string, init: RequestInit): void;
  /** Notes what an answer carries; the answer can still be read. */
  answer(response: Response): Promise<void>;
  /** Adds one that was made here, whatever it looks like. */
  add(secret: string): void;
  /** Those that stand in a text. */
  within(text: string): string[];
  readonly size: number;
};

/** Members and parameters whose value is a secret, wherever they stand. */
const secretNames =
  /^(password|new_password|current_password|code|code_verifier|token|access_token|refresh_token|id_token|id_token_hint|subject_token|actor_token|client_secret|client_assertion|assertion|device_code|csrf|key_secret|registration_access_token|link|secret|recovery_code)$/;
/** Shorter ones would be found by chance. */
const shortest = 8;
/** What stories put in the place of a secret and is none: ids, scopes, addresses. */
const harmless = /^(sk_[A-Za-z0-9]{12}|(client|srv|usr|grant)_[\w-]*|https?:.*)$|[:@]|\s{2}/;
const random = /^(?=.*\d)(?=.*[A-Za-z]).{16,}$|^\S+( \S+){3,}$/s;

/** Keeps the newest `most`. */
export function canaries(most = 5000): Canaries {
  const secrets = new Set<string>();
  const certain = new Set<string>();
  const keep = (secret: string) => {
    if (secret.length < shortest) return;
    secrets.add(secret);
    const [oldest = ''] = secrets;
    if (secrets.size > most) secrets.delete(oldest);
  };
  const note = (seen: string | null | undefined) => {
    if (seen && random.test(seen) && !harmless.test(seen)) keep(seen);
  };
  // Stories with random requests put the same text anywhere: what also stood in a public place is no secret of theirs.
  const shown = new Set<string>();
  const addNamed = (pairs: Iterable<[string, string]>) => {
    for (const [name, value] of pairs) {
      if (secretNames.test(name)) note(value);
      else if (random.test(value)) shown.add(value);
    }
  };
  const addMembers = (value: unknown) => {
    // The `code` beside an error names it.
    if (typeof value !== 'object' || value === null || 'error' in value) return;
    for (const [name, member] of Object.entries(value)) {
      if (typeof member === 'string' && secretNames.test(name)) note(member);
      addMembers(member);
    }
  };
  return {
    add(secret) {
      certain.add(secret);
      keep(secret);
    },
    request(url, { headers, body }) {
      const sent = new Headers(headers);
      if (URL.canParse(url)) addNamed(new URL(url).searchParams);
      note(/^(?:Bearer|DPoP) (\S+)$/i.exec(sent.get('authorization') ?? '')?.[1]);
      const basic = /^Basic (\S+)$/i.exec(sent.get('authorization') ?? '')?.[1];
      note(basic);
      note(sent.get('dpop'));
      for (const cookie of (sent.get('cookie') ?? '').split('; ')) note(cookie.slice(cookie.indexOf('=') + 1));
      if (typeof body !== 'string') return;
      if (/json/.test(sent.get('content-type') ?? '')) addMembers(parsed(body));
      else addNamed(new URLSearchParams(body));
    },
    async answer(response) {
      for (const line of response.headers.getSetCookie()) note(line.slice(line.indexOf('=') + 1, line.indexOf(';')));
      const location = response.headers.get('location');
      if (location && URL.canParse(location)) addNamed(new URL(location).searchParams);
      if (/json/.test(response.headers.get('content-type') ?? '')) addMembers(parsed(await response.clone().text()));
    },
    within: (text) => [...secrets].filter((secret) => (certain.has(secret) || !shown.has(secret)) && text.includes(secret)),
    get size() {
      return secrets.size;
    },
  };
}

/** @throws {AssertionError} naming the first secret that was logged. */
export function assertNotLogged(found: Canaries, lines: readonly string[]): void {
  const all = lines.join('\n');
  for (const secret of found.within(all)) assert.fail(`a secret was logged: ${lines.find((line) => line.includes(secret))}`);
}

/** Reads every row of every table of a SQLite database. @throws {AssertionError} naming the table that holds a secret in clear. */
export async function assertNotStored(found: Canaries, driver: Driver): Promise<void> {
  const tables = await driver.read({ text: "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'", values: [] });
  for (const { name } of tables) {
    const rows = await driver.read({ text: `select * from "${String(name)}"`, values: [] });
    for (const secret of found.within(rows.map((row) => Object.values(row).join('\n')).join('\n'))) {
      const column = rows.flatMap((row) => Object.entries(row)).find(([, value]) => String(value).includes(secret))?.[0];
      assert.fail(`${name}.${column} holds a secret in clear: ${secret}`);
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
