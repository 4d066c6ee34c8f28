/**
 * A start as operators start it: the installed packages, configuration from the environment, every check, and then the server. Says its port when it listens.
 * JavaScript, because for TypeScript Node would load what takes the types away, 15 MB that no operator has.
 */
import { loadConfig, startProduction } from 'auth-agent-mcp-server/node';

const { port } = await startProduction(loadConfig(), { info() {}, warn() {}, error: console.error });
process.send?.({ port });
process.on('disconnect', () => process.exit());
