/** `auth-agent start`: the production start (contracts §4). */
import { type Config, makeSetupLink, nodeLog, type Production, startProduction } from 'auth-agent-mcp-server/node';
import { type Call, type Command, settingFlags } from '../command.ts';
import { configOf } from '../database.ts';
import { labelled, styleOf } from '../terminal.ts';

export const start: Command = {
  name: 'start',
  about: 'the server, for real',
  flags: settingFlags(),
  examples: [
    'AUTH_AGENT_ISSUER=https://auth.example.com AUTH_AGENT_SECRET_FILE=./secret auth-agent start',
    'auth-agent start --config /etc/auth-agent.json --host 0.0.0.0 --trusted-proxies 10.0.0.0/8',
    'AUTH_AGENT_DATABASE_URL=postgres://app@db/auth auth-agent start --port 9000',
  ],
  run: async (call) => {
    const config = configOf(call);
    const { stdout } = call.terminal;
    const log = nodeLog({ output: stdout, format: config.logFormat, level: config.logLevel, colour: stdout.isTTY });
    // A signal during the start is kept until there is something to stop.
    const told = call.terminal.untilStopped();
    const running = await startProduction(config, log);
    try {
      await announce(running, config, { call, log });
    } catch (error) {
      // A failure that was printed must not go on serving.
      await running.stop({ drainSeconds: 0 });
      throw error;
    }
    const signal = await told;
    // Ctrl-C is a person who waits; a termination may come from a cluster whose balancer must notice first.
    await running.stop(signal === 'SIGINT' ? { drainSeconds: 0 } : {});
    return { data: { state: 'stopped' } };
  },
};

async function announce(
  { server, context, url, metricsUrl }: Production,
  { tracing }: Config,
  { call, log }: { call: Call; log: ReturnType<typeof nodeLog> },
): Promise<void> {
  log.info('server.ready', { url, issuer: context.issuer, database: server.options.driver.name, metrics: metricsUrl, traces: tracing && 'on' });
  if (await context.store.hasOperator()) return;
  const { env, stderr } = call.terminal;
  // Not through the log: there it would be masked, and here a person must be able to click it.
  stderr.write(`${styleOf(stderr, env).warn('There is no operator yet. Open this once, within 15 minutes:')}\n${labelled('', await makeSetupLink(context))}\n`);
  stderr.write(`${labelled('Later', 'auth-agent setup-link prints another')}\n`);
}
