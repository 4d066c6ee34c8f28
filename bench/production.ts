/** A start as operators start: the installed packages, configuration from the environment, every check, and then the server. Says its port when it listens. */
import { loadConfig, startProduction } from 'auth-agent-mcp-server/node';

const { port } = await startProduction(loadConfig(), { info() {}, warn() {}, error: console.error });
process.send?.({ port });
process.on('disconnect', () => process.exit());
