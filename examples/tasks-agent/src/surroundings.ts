/**
 * Where the programs of this example find each other, and as whom they act: the ports of the documents and the demo clients of development mode, unless the
 * environment says otherwise. The demo secrets are known to the world and work in development mode only.
 */
import type { AgentOptions } from 'auth-agent-mcp-sdk/agent';

const { AUTH_PORT = '4000', RESOURCE_PORT = '4001', AUTH_AGENT_URL, TASKS_URL, CLIENT_ID, CLIENT_SECRET } = process.env;

export const authPort = Number(AUTH_PORT);
export const resourcePort = Number(RESOURCE_PORT);

/** The authorization server, as it calls itself. */
export const authServerUrl = AUTH_AGENT_URL ?? `http://localhost:${authPort}`;

/** The tasks API. */
export const tasksUrl = TASKS_URL ?? `http://localhost:${resourcePort}`;

/** A demo client, or the one that CLIENT_ID and CLIENT_SECRET name. No `resource`: each is registered for the tasks API, so that is what its tokens are for. */
export function machine(demoId: string, demoSecret: string, scope: string): AgentOptions {
  const [clientId, clientSecret] = CLIENT_ID && CLIENT_SECRET ? [CLIENT_ID, CLIENT_SECRET] : [demoId, demoSecret];
  return { issuer: authServerUrl, clientId, clientSecret, scope };
}
