/** A start as operators start: configuration from the environment, every check, and then the server. Says its port when it listens. */
import { loadConfig } from '../server/src/runtimes/config.ts';
import { startProduction } from '../server/src/runtimes/production.ts';

const { port } = await startProduction(loadConfig(), { info() {}, warn() {}, error: console.error });
process.send?.({ port });
process.on('disconnect', () => process.exit());
