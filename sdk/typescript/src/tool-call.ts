/**
 * What a JSON-RPC body is about to call, read before anything is dispatched, so that a missing scope is an HTTP 403 and not a line in a stream (RS-16).
 * The body decides; the header mirror of the 2026-07-28 protocol (SEP-2243) must say the same.
 */
import type { Answer } from './challenge.ts';
import type { ScopeRequirement } from './scope.ts';

/** Largest body that is looked at, in bytes: what the official SDK accepts. */
export const maxBodyBytes = 4 * 1024 * 1024;

/** What the tools called by a body need, one requirement for each. An unknown tool needs nothing extra; an unreadable body is left to the handler to refuse. */
export function toolRequirements(body: string | object, toolScopes: ReadonlyMap<string, ScopeRequirement>): ScopeRequirement[] {
  return calledTools(body)
    .map((tool) => toolScopes.get(tool))
    .filter((requirement) => requirement !== undefined);
}

/** Whether the mirror headers contradict the body of a single request. Absent headers contradict nothing. */
export function contradictsMirror(body: string | object, mirror: { readonly method: string | null; readonly name: string | null }): boolean {
  const message = messagesOf(body)[0];
  if (mirror.method !== null && mirror.method !== message?.method) return true;
  return mirror.name !== null && message?.method === 'tools/call' && decodeMirror(mirror.name) !== toolOf(message);
}

/** The JSON-RPC error of a header that contradicts the body. */
export function mirrorRefused(): Answer {
  const error = { code: -32020, message: 'Header mismatch: Mcp-Method and Mcp-Name must equal the body' };
  return {
    status: 400,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    body: JSON.stringify({ jsonrpc: '2.0', id: null, error }),
  };
}

type Message = { readonly method?: unknown; readonly params?: unknown };

/** A batch needs what all its calls need: it has one status. */
function calledTools(body: string | object): string[] {
  return messagesOf(body).flatMap((message) => toolOf(message) ?? []);
}

/** The tool that a message calls, or would call. */
export function toolOf({ method, params }: Message): string | undefined {
  if (method !== 'tools/call') return undefined;
  const name = typeof params === 'object' && params !== null ? (params as { name?: unknown }).name : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** The messages of a body; none when it is no JSON-RPC. */
export function messagesOf(body: string | object): Message[] {
  const parsed = typeof body === 'string' ? parse(body) : body;
  return (Array.isArray(parsed) ? parsed : [parsed]).filter((message) => typeof message === 'object' && message !== null);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** SEP-2243: a name that no header can carry arrives as `=?base64?…?=` over UTF-8. */
function decodeMirror(value: string): string | undefined {
  const encoded = /^=\?base64\?([A-Za-z0-9+/]*=*)\?=$/.exec(value)?.[1];
  if (encoded === undefined) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
