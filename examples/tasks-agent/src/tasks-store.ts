/**
 * The tasks, in a SQLite file: they are still there after a restart. One `task-1` is there from the beginning. Not here: who may do what (tasks-api.ts).
 */
import { DatabaseSync } from 'node:sqlite';

export const statuses = ['pending', 'in_progress', 'completed'] as const;
export type Status = (typeof statuses)[number];
export type Task = { id: string; title: string; description: string; status: Status; createdBy: string; updatedAt: string };

export type TasksStore = {
  list(status?: Status): Task[];
  find(id: string): Task | undefined;
  add(task: { title: string; description: string; createdBy: string }): Task;
  /** Changes what is given; undefined when there is no such task. */
  change(id: string, changes: { title?: string; description?: string; status?: Status }): Task | undefined;
  close(): void;
};

const schema = `
  create table if not exists tasks (
    number integer primary key autoincrement,
    title text not null, description text not null, status text not null, created_by text not null, updated_at text not null
  ) strict;
  insert into tasks (number, title, description, status, created_by, updated_at)
    select 1, 'Read the learning guide', 'It is in docs/learning-guide.md', 'pending', 'example', '2026-01-01T00:00:00Z'
    where not exists (select 1 from sqlite_sequence where name = 'tasks');
`;
const columns = "'task-' || number as id, title, description, status, created_by as createdBy, updated_at as updatedAt";
/** More than anybody reads at once. */
const longestList = 500;

/** Opens or creates the file. `now` is the clock. */
export function openTasks(file: string, now: () => Date = () => new Date()): TasksStore {
  const database = new DatabaseSync(file);
  database.exec(schema);
  const select = database.prepare(`select ${columns} from tasks where ? in (status, 'any') order by number desc limit ${longestList}`);
  const selectOne = database.prepare(`select ${columns} from tasks where number = ?`);
  const insert = database.prepare(`insert into tasks (title, description, status, created_by, updated_at) values (?, ?, 'pending', ?, ?) returning ${columns}`);
  const update = database.prepare(`
    update tasks set title = coalesce(?, title), description = coalesce(?, description), status = coalesce(?, status), updated_at = ?
    where number = ? returning ${columns}`);
  const time = () => now().toISOString();
  return {
    list: (status) => select.all(status ?? 'any') as Task[],
    find: (id) => selectOne.get(numberOf(id)) as Task | undefined,
    add: ({ title, description, createdBy }) => insert.get(title, description, createdBy, time()) as Task,
    change: (id, { title = null, description = null, status = null }: { title?: string | null; description?: string | null; status?: Status | null }) =>
      update.get(title, description, status, time(), numberOf(id)) as Task | undefined,
    close: () => database.close(),
  };
}

/** 0 is the number of no task. */
function numberOf(id: string): number {
  return Number(/^task-([1-9]\d{0,14})$/.exec(id)?.[1] ?? 0);
}
