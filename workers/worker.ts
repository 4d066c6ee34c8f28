/** The Worker that wrangler.toml deploys. Options of your own go in here. */
import { createWorker } from 'auth-agent-mcp-server/workers';

export default createWorker();
