/**
 * The nodes as processes, each on a port that it keeps when it is started again, and what can be done to them. Not here: the database (database.ts).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Tasks } from './node.ts';

export type Node = {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  /** Errors that the node logged since the last time somebody asked; a 500 is one of them. */
  logged(): string[];
  ask<Task extends keyof Tasks>(task: Task, ...value: Parameters<Tasks[Task]>): Promise<Awaited<ReturnType<Tasks[Task]>>>;
  /** kill -9, and the end of it. */
  kill(): Promise<void>;
  /** Starts it again where it was. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

type Message = { port?: number; logged?: string; id?: number; answer?: unknown; error?: string };

/** Starts a node and waits until it listens. `flags` are for Node. */
export async function startedNode(name: string, databaseUrl: string, flags: readonly string[] = []): Promise<Node> {
  let port = 0;
  let child: ChildProcess | undefined;
  let nextId = 0;
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let logged: string[] = [];

  async function start(): Promise<void> {
    const begun = fork(new URL('node.ts', import.meta.url), [databaseUrl, String(port)], { execArgv: ['--conditions=aa-source', ...flags] });
    const listening = Promise.withResolvers<number>();
    begun.on('message', (message: Message) => {
      if (message.port !== undefined) listening.resolve(message.port);
      if (message.logged !== undefined) logged.push(message.logged);
      if (message.id === undefined) return;
      if (message.error === undefined) waiting.get(message.id)?.resolve(message.answer);
      else waiting.get(message.id)?.reject(new Error(`${name}: ${message.error}`));
      waiting.delete(message.id);
    });
    begun.on('exit', (code) => {
      listening.reject(new Error(`${name} ended with ${code} before it listened`));
      for (const { reject } of waiting.values()) reject(new Error(`${name} ended`));
      waiting.clear();
    });
    child = begun;
    port = await listening.promise;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  await start();
  return {
    name,
    get pid() {
      return child?.pid ?? 0;
    },
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    logged() {
      const said = logged;
      logged = [];
      return said;
    },
    ask(task, ...[value]) {
      const asked = Promise.withResolvers<unknown>();
      const id = nextId++;
      waiting.set(id, asked);
      child?.send({ id, task, value });
      return asked.promise as Promise<never>;
    },
    kill: () => end('SIGKILL'),
    start,
    stop: () => end('SIGTERM'),
  };
}
