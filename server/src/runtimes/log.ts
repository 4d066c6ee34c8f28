/**
 * The log on Node: one JSON object per line on stdout for machines, readable lines for a person at a terminal. Every text passes redact.ts. Not here: what is
 * logged (each room knows), the record of security events (audit/).
 */
import type { Log, LogFields } from '../context.ts';
import { redactField, redactText } from './redact.ts';
import { currentSpan } from './telemetry/trace-context.ts';

export type LogFormat = 'json' | 'pretty';
type Level = 'info' | 'warn' | 'error';
type Output = { write(line: string): unknown; isTTY?: boolean };

export type LogOptions = {
  format?: LogFormat;
  /** Lines below it are dropped. */
  level?: Level;
  output?: Output;
  colour?: boolean;
  /** Milliseconds since the epoch. */
  now?: () => number;
};

const weight: Record<Level, number> = { info: 0, warn: 1, error: 2 };

/** Makes the log; `pretty` is the default at a terminal. */
export function nodeLog({
  output = process.stdout,
  format = output.isTTY ? 'pretty' : 'json',
  level = 'info',
  colour = false,
  now = Date.now,
}: LogOptions = {}): Log {
  const line = format === 'json' ? jsonLine : colour ? colouredLine : prettyLine;
  const write = (at: Level, event: string, fields: LogFields = {}, cause?: unknown) => {
    if (weight[at] >= weight[level]) output.write(`${line(now(), at, event, cleaned(fields), cause === undefined ? undefined : stackOf(cause))}\n`);
  };
  return {
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    error: (event, fields, cause) => write('error', event, fields, cause),
  };
}

type Cleaned = Record<string, string | number | boolean>;

function cleaned(fields: LogFields): Cleaned {
  const span = currentSpan();
  const placed = span === undefined ? fields : { ...fields, trace_id: span.traceId, span_id: span.spanId };
  const entries = Object.entries(placed).filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, redactField(name, value)]));
}

/** The stack with its causes; an error's own properties are left out, because drivers put query values there. */
function stackOf(cause: unknown): string {
  const stacks: string[] = [];
  for (let error = cause; error !== undefined && stacks.length < 4; error = error instanceof Error ? error.cause : undefined)
    stacks.push(error instanceof Error ? (error.stack ?? String(error)) : typeof error === 'string' ? error : Object.prototype.toString.call(error));
  return redactText(stacks.join('\ncaused by '));
}

function jsonLine(time: number, level: Level, event: string, fields: Cleaned, stack?: string): string {
  // Named twice: first for the order, last so that no field can pretend to be one of them.
  const base = { time: new Date(time).toISOString(), level, event };
  return JSON.stringify({ ...base, ...fields, ...base, ...(stack !== undefined && { stack }) });
}

function prettyLine(time: number, level: Level, event: string, fields: Cleaned, stack?: string): string {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${printable(String(value))}`);
  const trace = stack === undefined ? '' : `\n  ${stack.split('\n').map(printable).join('\n  ')}`;
  return `${new Date(time).toISOString().slice(11, 19)} ${level.padEnd(5)} ${event}${rest.join('')}${trace}`;
}

const colours: Record<Level, string> = { info: '2', warn: '33', error: '31' };
function colouredLine(...given: Parameters<typeof prettyLine>): string {
  const [, level] = given;
  return prettyLine(...given).replace(level.padEnd(5), (word) => `\u001b[${colours[level]}m${word}\u001b[0m`);
}

/** No control character of a stranger reaches a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
