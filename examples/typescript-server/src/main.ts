/**
 * Serves the files on http://localhost:8000/mcp. Needs a server id and a key from the authorization server; the README says how to get them.
 * The SDK itself reads AUTH_AGENT_URL.
 */
import { serve } from '@hono/node-server';
import { filesServer } from './files-server.ts';
import { openFolder } from './folder.ts';

const { SERVER_ID, API_KEY, PORT = '8000', FOLDER = 'files' } = process.env;
if (!SERVER_ID || !API_KEY) {
  console.error('Set SERVER_ID and API_KEY. See README.md, or run `npm run check` to watch the whole story without them.');
  process.exit(2);
}

const app = filesServer(await openFolder(FOLDER), { serverId: SERVER_ID, apiKey: API_KEY });
serve({ fetch: app.fetch, port: Number(PORT), hostname: 'localhost' }, ({ port }) => console.log(`MCP server on http://localhost:${port}/mcp`));
