/** `auth-agent shell --config mcp_config.json`: talks to MCP servers by hand, `/mcp connect`, `/mcp tools`, `/mcp call`; from a terminal or from a pipe. */
import { readConfig } from '../client/config.ts';
import { type LineReader, openLines } from '../client/lines.ts';
import { personAt, personFlags } from '../client/person.ts';
import type { Shell } from '../client/shell.ts';
import { openStore } from '../client/store.ts';
import { type Call, type Command, textFlag } from '../command.ts';
import { Failure } from '../exit-codes.ts';
import { labelled, styleOf } from '../terminal.ts';

export const shell: Command = {
  name: 'shell',
  about: 'talk to MCP servers by hand: connect, list tools, call them',
  flags: [{ name: 'config', kind: 'text', value: 'file', about: 'which servers there are (mcp_config.json)' }, ...personFlags],
  examples: ['auth-agent shell --config mcp_config.json', `echo '/mcp list' | auth-agent shell`],
  run: async (call) => {
    const servers = readConfig(textFlag(call, 'config') ?? 'mcp_config.json');
    // Loaded here: the official client takes longer to load than most commands take to run.
    const { openShell } = await import('../client/shell.ts');
    let lines: LineReader | undefined;
    const person = personAt(call, async (question) => lines?.next(question, { secret: true }));
    const { env, stdout, stdin } = call.terminal;
    const opened = openShell({
      servers,
      person,
      store: openStore(env),
      say: (line) => stdout.write(`${line}\n`),
      allowPrivate: env.AUTH_AGENT_CLIENT_ALLOW_PRIVATE === '1',
      documentUrl: env.AUTH_AGENT_CLIENT_METADATA_URL,
      now: () => Math.floor(Date.now() / 1000),
    });
    lines = openLines(call.terminal, opened.complete);
    try {
      if (stdin.isTTY) stdout.write('/mcp list shows your servers, /help all commands, /exit ends.\n');
      const failed = await converse(call, opened, lines);
      if (failed > 0 && !stdin.isTTY) throw new Failure('failed', `${failed} of the commands failed`);
      return { data: { failed } };
    } finally {
      lines.close();
      await opened.close();
    }
  },
};

/** Reads until the end and answers how many commands failed: a mistake ends the command, never the conversation. */
async function converse(call: Call, { run }: Shell, lines: LineReader): Promise<number> {
  const { stderr, env } = call.terminal;
  let failed = 0;
  for (let line = await lines.next('You> '); line !== undefined; line = await lines.next('You> ')) {
    try {
      if ((await run(line)) === 'exit') break;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failed += 1;
      stderr.write(`${styleOf(stderr, env).fail(error.message)}\n`);
      if (error.why) stderr.write(`${labelled('Why', error.why)}\n`);
      if (error.fix) stderr.write(`${labelled('Fix', error.fix)}\n`);
    }
  }
  return failed;
}
