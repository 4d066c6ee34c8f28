/** `auth-agent dev`: development mode on this computer (contracts §3). */
import { join } from 'node:path';
import { nodeLog, type RunningDevelopment, startDevelopment } from 'auth-agent-mcp-server/node';
import { type Call, type Command, textFlag } from '../command.ts';
import { Failure } from '../exit-codes.ts';
import { styleOf } from '../terminal.ts';
import { version } from '../version.ts';

export const dev: Command = {
  name: 'dev',
  about: 'a server with demo data, on this computer only',
  flags: [
    { name: 'port', kind: 'text', value: 'number', about: 'port (9000)' },
    { name: 'host', kind: 'text', value: 'host', about: 'localhost, 127.0.0.1 or ::1 (localhost)' },
    { name: 'ephemeral', kind: 'switch', about: 'keep everything in memory' },
    { name: 'seed', kind: 'text', value: 'demo|none', about: 'what is in it at first (demo)' },
    { name: 'data-file', kind: 'text', value: 'file', about: 'where the data is (.auth-agent/dev.db)' },
  ],
  examples: ['auth-agent dev', 'auth-agent dev --port 4000 --ephemeral', 'auth-agent dev --seed none'],
  run: async (call) => {
    const began = performance.now();
    const running = await startDevelopment({
      ...settingsOf(call),
      log: nodeLog({ output: call.terminal.stderr, format: 'pretty', colour: call.terminal.stderr.isTTY }),
    });
    announce(call, running, (performance.now() - began) / 1000);
    await call.terminal.untilStopped();
    await running.stop();
    return { data: { state: 'stopped' }, notes: ['stopped'] };
  },
};

function settingsOf(call: Call) {
  const seed = textFlag(call, 'seed') ?? 'demo';
  if (seed !== 'demo' && seed !== 'none') throw new Failure('usage', `--seed is demo or none, not ${seed}`, { fix: 'auth-agent dev --seed demo' });
  const port = textFlag(call, 'port') ?? call.terminal.env.AUTH_AGENT_PORT ?? '9000';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw new Failure('usage', '--port is a number from 0 to 65535', { fix: 'auth-agent dev --port 9000' });
  const dataFile = textFlag(call, 'dataFile') ?? join('.auth-agent', 'dev.db');
  return { port: Number(port), host: textFlag(call, 'host') ?? 'localhost', ephemeral: call.flags.ephemeral === true, seed: seed as 'demo' | 'none', dataFile };
}

function announce(call: Call, { issuer, dataFile }: RunningDevelopment, took: number): void {
  if (call.flags.json === true) {
    call.terminal.stdout.write(`${JSON.stringify({ v: 1, ok: true, data: { state: 'ready', issuer, data_file: dataFile } })}\n`);
    return;
  }
  const { strong, faint, warn } = styleOf(call.terminal.stdout, call.terminal.env);
  const demo = `  Sign-in test  testuser / testpass
  Demo server   srv_abc123  My File Server            key: sk_xyz789 (works only here)
  Clients       client_claude_code · mcp-test-client · mcp-task-manager · ai-agent-assistant
`;
  call.terminal.stdout.write(`  ${strong(`Auth-Agent MCP ${version}`)} · development mode · this computer only

  Issuer        ${strong(issuer)}
${textFlag(call, 'seed') === 'none' ? '' : demo}  Mail          ${issuer}/dev/mail (none is sent)
  Data          ${dataFile === undefined ? 'in memory, gone when it stops' : `${dataFile} (delete any time)`}

  Try   curl ${issuer}/.well-known/oauth-authorization-server
  ${faint(`ready in ${took.toFixed(1)} s · Ctrl-C to stop`)}

  ${warn('Development mode accepts test passwords. It listens on 127.0.0.1 and refuses proxies and tunnels.')}
`);
}
