/**
 * The tasks API as its callers see it: one function per thing it does. Tokens are the business of `agentTokens`.
 */
import type { AgentTokens } from 'auth-agent-mcp-sdk/agent';
import type { Status, Task } from './tasks-store.ts';

export type Caller = { id: string; email?: string; clientId: string; scopes: string[] };

export type TasksClient = {
  user(): Promise<Caller>;
  list(status?: Status): Promise<Task[]>;
  get(id: string): Promise<Task>;
  create(task: { title: string; description?: string }): Promise<Task>;
  update(id: string, changes: { title?: string; description?: string; status?: Status }): Promise<Task>;
};

/** Every function throws an Error with the reason the API gave. */
export function tasksClient(agent: AgentTokens, url: string): TasksClient {
  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const json = body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
    const response = await agent.fetch(url + path, { method, ...json });
    if (response.ok) return (await response.json()) as T;
    throw new Error(`${method} ${path} was answered ${response.status}: ${await reasonOf(response)}`);
  }
  const task = (id: string) => `/api/tasks/${encodeURIComponent(id)}`;
  return {
    user: async () => (await call<{ user: Caller }>('GET', '/api/user')).user,
    list: async (status) => (await call<{ tasks: Task[] }>('GET', status ? `/api/tasks?status=${status}` : '/api/tasks')).tasks,
    get: async (id) => (await call<{ task: Task }>('GET', task(id))).task,
    create: async (given) => (await call<{ task: Task }>('POST', '/api/tasks', given)).task,
    update: async (id, changes) => (await call<{ task: Task }>('PUT', task(id), changes)).task,
  };
}

async function reasonOf(response: Response): Promise<string> {
  const { message, error_description: description, error } = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  return String(message ?? description ?? error ?? response.statusText);
}
