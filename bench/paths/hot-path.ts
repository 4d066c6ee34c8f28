/** What a hot path tells the benchmark: its name, its goal, and the requests to send. One file beside this one per path. */
import type { Subject } from '../subject.ts';

export type HotPath = {
  name: string;
  /** Share of the ceiling that the design demands. */
  goal: number;
  /** See load.ts. A `once` path needs a fresh request for each answer. */
  supply: 'rotate' | 'once' | 'chain';
  /** The only status that counts. */
  expect: number;
  /** Connections, where not 32: as many as there are worker threads, for a path that waits for them. */
  connections?: number;
  /** What the ceiling does besides answering; nothing, unless said. */
  ceiling?: 'scrypt';
  /** Makes up to `count` whole HTTP requests against a server; none where that server has no such path. */
  prepare(subject: Subject, count: number): Promise<string[]>;
  /** For `chain`: the next request of a connection, from the body of its last answer and the path of the token endpoint. */
  next?(body: string, token: string): string;
};

/** Writes an HTTP/1.1 request. */
export function http(method: 'GET' | 'POST', path: string, headers: Record<string, string> = {}, form?: Record<string, string>): string {
  const body = form ? new URLSearchParams(form).toString() : '';
  const all = {
    Host: 'auth.example.com',
    ...(form ? { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': String(body.length) } : {}),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** The Authorization header of a confidential client. */
export function basic(id: string, secret: string): Record<string, string> {
  return { Authorization: `Basic ${btoa(`${id}:${secret}`)}` };
}
