/**
 * Words for the developer when the fault is in the setup and callers only see 401 or 503. The same hint at most once a minute: callers must not be able to
 * flood a log. Values that came over the wire are quoted and cut.
 */

/** Receives one line for the developer. */
export type Log = (message: string) => void;

const quietSeconds = 60;
const maxDistinctHints = 100;

/** Wraps a log so that repeats within a minute, and floods of different lines, are dropped. `now` in epoch seconds. */
export function createHints(log: Log, now: () => number): Log {
  const said = new Map<string, number>();
  return function hint(message) {
    const time = now();
    for (const [text, at] of said) if (at + quietSeconds <= time) said.delete(text);
    if (said.has(message) || said.size >= maxDistinctHints) return;
    said.set(message, time);
    log(`auth-agent: ${message}`);
  };
}

/** Quotes a value from the wire for one line of a log: no control characters, at most 300 characters. */
export function quoteForLog(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').replace(/[^\x20-\x7E]/g, '?').slice(0, 300);
}
