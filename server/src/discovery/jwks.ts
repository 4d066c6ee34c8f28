/**
 * GET /.well-known/jwks.json (RFC 7517): the public keys of this tenant, those that sign, those that will, and those whose tokens still live. Which those
 * are is decided in crypto/signing-keys.ts.
 */
import type { Context, Exchange } from '../context.ts';
import type { KeySet } from '../crypto/signing-keys.ts';
import type { Answer } from '../route.ts';
import { answerDocument, type PublicDocument, publicDocument } from './document.ts';

const documentOf = new WeakMap<KeySet, PublicDocument>();

/** The handler of /.well-known/jwks.json. */
export async function jwks(exchange: Exchange, context: Context): Promise<Answer> {
  const keys = await context.signing.current();
  const document = documentOf.get(keys) ?? publicDocument(keys.jwks);
  documentOf.set(keys, document);
  return answerDocument(document, exchange);
}
