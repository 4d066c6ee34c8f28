/**
 * A public JSON document with an entity tag, so that clients which come back learn in a few bytes that nothing changed (RFC 9110 §13.1.2).
 */
import type { Exchange } from '../context.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Answer } from '../route.ts';

export type PublicDocument = { full: Answer; unchanged: Answer; tag: string };

/** Serialises once what is answered often. */
export function publicDocument(text: string): PublicDocument {
  const tag = `"${sha256(text).slice(0, 22)}"`;
  const headers = { ETag: tag };
  return { full: { status: 200, json: text, headers }, unchanged: { status: 304, headers }, tag };
}

/** The document, or 304 when the client has it. Weak and strong tags compare alike (RFC 9110 §8.8.3.2). */
export function answerDocument(document: PublicDocument, { request }: Exchange): Answer {
  const known = request.headers.get('if-none-match');
  if (known === null) return document.full;
  const has = known.split(',').some((tag) => tag.trim().replace(/^W\//, '') === document.tag || tag.trim() === '*');
  return has ? document.unchanged : document.full;
}
