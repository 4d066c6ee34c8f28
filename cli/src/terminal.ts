/**
 * What a command sees of its process: arguments, environment, streams, and when to stop. Commands get it handed in, so that tests run them without a process.
 * Also how lines look: data goes to stdout, everything said about it to stderr; a sign never stands without its word.
 */

type Output = { write(text: string): unknown; isTTY?: boolean };
export type Terminal = {
  env: Record<string, string | undefined>;
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  stdout: Output;
  stderr: Output;
  /** Resolves at Ctrl-C or when the system asks the process to end; until it is called, either ends the process at once. */
  untilStopped(): Promise<'SIGINT' | 'SIGTERM'>;
};

export type ColourWish = 'auto' | 'always' | 'never';
export type Style = {
  ok(text: string): string;
  fail(text: string): string;
  warn(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
};

/** How lines look on one stream: colour on a terminal only, honouring NO_COLOR and FORCE_COLOR; ASCII where signs would not show. */
export function styleOf(output: Output, env: Terminal['env'], wish: ColourWish = 'auto'): Style {
  const colour = wish === 'always' || (wish === 'auto' && !env.NO_COLOR && (Boolean(env.FORCE_COLOR) || (output.isTTY === true && env.TERM !== 'dumb')));
  const signs = env.TERM === 'dumb' || /^(C|POSIX)$/.test(env.LC_ALL ?? env.LANG ?? '') ? { ok: '+', fail: 'x', warn: '!' } : { ok: '✓', fail: '✗', warn: '▲' };
  const paint = (code: string) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    ok: (text) => `${paint('32')(`${signs.ok} ok  `)}  ${text}`,
    fail: (text) => `${paint('31')(`${signs.fail} fail`)}  ${text}`,
    warn: (text) => `${paint('33')(`${signs.warn} warn`)}  ${text}`,
    strong: paint('1'),
    faint: paint('2'),
  };
}

/** A label and text that may have several lines, indented like everything below a sign. */
export function labelled(label: string, text: string): string {
  return `  ${label.padEnd(5)} ${text.split('\n').join(`\n${' '.repeat(8)}`)}`;
}

/** Columns as wide as their widest cell. */
export function table(heads: string[], rows: string[][]): string[] {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(heads), ...rows.map(line)];
}

/** Text of strangers (names of clients, say) may hold what moves a cursor; here it does not. */
export function safe(text: string): string {
  return text.replace(/[\p{Cc}\u2028-\u202E\u2060-\u2069]/gu, '\uFFFD');
}
