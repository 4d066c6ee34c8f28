/**
 * The protected API: tasks, and who is asking. `requireAuth` lets nobody in without a good token, `requireScope` decides per route; nothing else here knows of
 * OAuth. Not here: where the tasks are kept (tasks-store.ts), how it is started (resource.ts).
 */
import type { AuthAgentOptions } from 'auth-agent-mcp-sdk';
import { requireAnyScope, requireAuth, requireScope } from 'auth-agent-mcp-sdk/express';
import express, { type Express, type Request, type Response } from 'express';
import { z } from 'zod';
import { statuses, type TasksStore } from './tasks-store.ts';

const title = z.string().trim().min(1).max(200);
const description = z.string().max(2000);
const status = z.enum(statuses);
const newTask = z.strictObject({ title, description: description.default('') });
const changedTask = z.strictObject({ title, description, status }).partial();

/** `options` say who we are (`serverId`, `apiKey`) and whom we trust (`authServerUrl`). */
export function tasksApi(store: TasksStore, options: AuthAgentOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  // First of all: a stranger makes us parse nothing.
  app.use(requireAuth(options));
  app.use(express.json({ limit: '10kb' }));

  app.get('/api/user', requireScope('user:read'), (request, response) => {
    // A machine acts as itself and has no e-mail; a person's client brings one.
    const { id, email, clientId, scopes } = callerOf(request);
    response.json({ user: { id, email, clientId, scopes } });
  });

  app.get('/api/tasks', requireScope('tasks:read'), (request, response) => {
    const asked = new URL(request.url ?? '/', 'http://localhost').searchParams.get('status');
    response.json({ tasks: store.list(asked === null ? undefined : status.parse(asked)) });
  });

  app.post('/api/tasks', requireScope('tasks:write'), (request, response) => {
    const task = store.add({ ...newTask.parse(request.body), createdBy: callerOf(request).clientId });
    response.status(201).location(`/api/tasks/${task.id}`).json({ task });
  });

  // Whoever may write a task may look at it.
  app.get('/api/tasks/:id', requireAnyScope('tasks:read', 'tasks:write'), (request, response) => {
    answer(response, store.find(request.params.id ?? ''));
  });

  app.put('/api/tasks/:id', requireScope('tasks:write'), (request, response) => {
    answer(response, store.change(request.params.id ?? '', changedTask.parse(request.body)));
  });

  app.use((_request, response) => response.status(404).json({ error: 'not_found', message: 'There is no such address' }));
  app.use(refuse);
  return app;
}

function answer(response: Response, task: object | undefined): void {
  if (task) response.json({ task });
  else response.status(404).json({ error: 'not_found', message: 'There is no such task' });
}

function callerOf({ user }: Request): NonNullable<Request['user']> {
  if (!user) throw new Error('a route without requireAuth before it');
  return user;
}

/** What the caller got wrong is said; what went wrong here goes to the log only. */
function refuse(error: unknown, _request: Request, response: Response, next: (error?: unknown) => void): void {
  if (response.headersSent) {
    next(error);
    return;
  }
  const status = error instanceof z.ZodError ? 400 : statusOf(error);
  if (status === 500) console.error(error);
  const message = error instanceof z.ZodError ? z.prettifyError(error) : status === 500 ? 'Something went wrong here' : 'The body must be JSON, at most 10 KB';
  response.status(status).json({ error: status === 500 ? 'server_error' : 'invalid_request', message });
}

/** `express.json` says in `status` what was wrong with a body. */
function statusOf(error: unknown): number {
  const { status = 500 } = error as { status?: number };
  return status >= 400 && status < 500 ? status : 500;
}
