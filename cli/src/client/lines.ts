/**
 * Reads lines of a terminal (with history and completion) or of a pipe, one at a time. What is typed as an answer to a question is not kept in the history.
 */
import { createInterface } from 'node:readline';
import type { Terminal } from '../terminal.ts';

export type LineReader = {
  /** The next line; undefined when the input has ended. */
  next(prompt: string, options?: { secret?: boolean }): Promise<string | undefined>;
  close(): void;
};

/** `complete` answers with all that a line may become. */
export function openLines({ stdin, stdout }: Terminal, complete: (line: string) => string[]): LineReader {
  const interactive = stdin.isTTY === true && stdout.isTTY === true;
  const reader = createInterface({
    input: stdin,
    output: interactive ? (stdout as NodeJS.WritableStream) : undefined,
    terminal: interactive,
    historySize: 200,
    completer: (line: string) => [complete(line), line],
  });
  const waiting: string[] = [];
  let ended = false;
  let wake: () => void = () => {};
  let history: string[] = [];
  let secret = false;
  reader.on('line', (line) => {
    waiting.push(line);
    wake();
  });
  reader.on('history', (lines: string[]) => {
    if (secret) lines.shift();
    else history = lines;
  });
  reader.on('SIGINT', () => reader.close());
  reader.on('close', () => {
    ended = true;
    wake();
  });
  return {
    async next(prompt, options = {}) {
      secret = options.secret === true;
      if (interactive && !ended) {
        reader.setPrompt(prompt);
        reader.prompt();
      }
      while (waiting.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
      return waiting.shift();
    },
    close: () => {
      history.length = 0;
      reader.close();
    },
  };
}
