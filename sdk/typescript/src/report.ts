/**
 * Tells the authorization server what agents did here: the name of an action, whether it was allowed, and what scope it lacked. Never arguments, paths, queries or
 * bodies. In batches, a second after the first, a refusal at once: the person may be asked for more in the next moment, and is told why. Best effort: a report that
 * fails is forgotten, and no call waits for one.
 */
import type { Inbound } from './guard.ts';
import type { Settings } from './options.ts';
import { messagesOf, toolOf } from './tool-call.ts';

/** Larger bodies are not read for the name of an action alone. */
const maxPeekedBytes = 64 * 1024;
const maxNameLength = 100;
const maxTokens = 1000;
const maxActionsOfToken = 100;
const maxCount = 1000;
const delayMs = 1000;
const unanswered = 0;

/** One call: with which token, and what it was. */
export interface Call {
  readonly token: string;
  readonly action: string;
}

interface Entry {
  readonly action: string;
  readonly outcome: 'allowed' | 'refused';
  readonly missing: readonly string[];
  count: number;
}

/** @see createReporter */
export interface Reporter {
  readonly on: boolean;
  allowed(call: Call): void;
  /** Of a call that was noted as allowed when `instead` is true: a later check said no. */
  refused(call: Call, missing: readonly string[], instead?: boolean): void;
}

/** Makes the reporter of one MCP server. Without an API key, or when switched off, it does nothing. */
export function createReporter(settings: Settings): Reporter {
  const on = settings.report && settings.apiKey !== undefined;
  let waiting = new Map<string, Map<string, Entry>>();
  let unknownThere = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending = false;
  let sentAt = 0;
  // On Workers both the timer and the report under way die in silence with the request that began them: this is when either was last seen alive.
  let aliveAt = 0;

  function entryOf({ token, action }: Call, outcome: Entry['outcome'], missing: readonly string[]): Entry | undefined {
    const entries = waiting.get(token) ?? new Map<string, Entry>();
    const key = JSON.stringify([action, outcome, missing]);
    const known = entries.get(key);
    if (known) return known;
    if (entries.size >= maxActionsOfToken || (!waiting.has(token) && waiting.size >= maxTokens)) return undefined;
    const entry: Entry = { action, outcome, missing, count: 0 };
    entries.set(key, entry);
    waiting.set(token, entries);
    return entry;
  }

  function note(call: Call, outcome: Entry['outcome'], missing: readonly string[]): void {
    if (!on || unknownThere) return;
    const entry = entryOf(call, outcome, missing);
    if (entry) entry.count = Math.min(entry.count + 1, maxCount);
    // Once a second at most, whatever an agent keeps trying.
    const atOnce = outcome === 'refused' && Date.now() - sentAt >= delayMs;
    const dead = Date.now() - aliveAt > delayMs + settings.timeout * 1000;
    if (!dead && (sending || (timer !== undefined && !atOnce))) return;
    arm(atOnce ? 0 : delayMs);
  }

  function arm(ms: number): void {
    aliveAt = Date.now();
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), ms);
    // A process that has nothing else to do may end.
    (timer as { unref?: () => void }).unref?.();
  }

  async function flush(): Promise<void> {
    timer = undefined;
    sentAt = Date.now();
    sending = true;
    const gathered = waiting;
    waiting = new Map();
    for (const [token, entries] of gathered) {
      const actions = [...entries.values()]
        .filter(({ count }) => count > 0)
        .map(({ missing, ...entry }) => (missing.length > 0 ? { ...entry, missing } : entry));
      if (actions.length === 0) continue;
      aliveAt = Date.now();
      const status = await post(settings, { token, actions });
      unknownThere = status === 404;
      // Who does not answer one report answers none of those that wait behind it.
      if (unknownThere || status === unanswered) break;
    }
    sending = false;
    if (waiting.size > 0 && !unknownThere) arm(Math.max(0, sentAt + delayMs - Date.now()));
  }

  return {
    on,
    allowed: (call) => note(call, 'allowed', []),
    refused(call, missing, instead = false) {
      const before = instead ? waiting.get(call.token)?.get(JSON.stringify([call.action, 'allowed', []])) : undefined;
      if (before && before.count > 0) before.count -= 1;
      note(call, 'refused', missing.slice(0, 10));
    },
  };
}

/** What a request calls: its tools or its method of JSON-RPC, else the HTTP method. Paths can carry values, so they are not told. */
export function actionOf(method: string, body: string | object | undefined): string {
  const names = (body === undefined ? [] : messagesOf(body)).flatMap(
    (message) => toolOf(message) ?? (typeof message.method === 'string' ? message.method : []),
  );
  const [name = method] = names.length > 1 ? ['batch'] : names;
  return name.slice(0, maxNameLength) || method;
}

/** Whether the body may be read for the name of the action: small JSON. */
export function mayHoldAction(inbound: Inbound): boolean {
  if (inbound.method !== 'POST' || !/^application\/json\s*(;|$)/i.test(inbound.header('content-type') ?? '')) return false;
  const length = inbound.header('content-length');
  return length !== null && Number(length) <= maxPeekedBytes;
}

async function post({ issuer, apiKey, timeout, fetch }: Settings, report: object): Promise<number> {
  try {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${apiKey}` };
    const signal = AbortSignal.timeout(Math.ceil(timeout * 1000));
    const response = await fetch(`${issuer}/report`, { method: 'POST', headers, body: JSON.stringify(report), redirect: 'manual', signal });
    await response.body?.cancel();
    return response.status;
  } catch {
    return unanswered;
  }
}
