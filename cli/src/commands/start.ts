/** `auth-agent start`: the production start (contracts §4). */
import { makeSetupLink, nodeLog, startProduction } from 'auth-agent-mcp-server/node';
import { type Command, settingFlags } from '../command.ts';
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
    const { env, stdout, stderr } = call.terminal;
    const log = nodeLog({ output: stdout, format: config.logFormat, level: config.logLevel, colour: stdout.isTTY });
    const { server, context, url, metricsUrl, stop } = await startProduction(config, log);
    log.info('server.ready', { url, issuer: context.issuer, database: server.options.driver.name, metrics: metricsUrl, traces: config.tracing && 'on' });
    // Not through the log: there it would be masked, and here a person must be able to click it.
    if (!(await context.store.hasOperator())) {
      stderr.write(
        `${styleOf(stderr, env).warn('There is no operator yet. Open this once, within 15 minutes:')}\n${labelled('', await makeSetupLink(context))}\n`,
      );
      stderr.write(`${labelled('Later', 'auth-agent setup-link prints another')}\n`);
    }
    const signal = await call.terminal.untilStopped();
    // Ctrl-C is a person who waits; a termination may come from a cluster whose balancer must notice first.
    await stop(signal === 'SIGINT' ? { drainSeconds: 0 } : {});
    return { data: { state: 'stopped' } };
  },
};
