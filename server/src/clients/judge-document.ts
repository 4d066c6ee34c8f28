/**
 * Judges a fetched client metadata document: whether it is one, whether it speaks of this client, how long it stays fresh (CIMD, "Client Information Discovery" and
 * "Caching"). Pure. Not here: fetching it and keeping it (metadata-document.ts).
 */
import { OAuthError } from '../errors.ts';
import { parseStrictJson } from '../rules/strict-json.ts';
import { type MetadataPolicy, type ParsedMetadata, parseClientMetadata } from './metadata.ts';

export type FetchedDocument = { status: number; headers: Record<string, string>; body: Uint8Array };

export const minFreshSeconds = 60;
const maxFreshSeconds = 24 * 3600;
const defaultFreshSeconds = 3600;

/** @throws {OAuthError} client_metadata_unavailable, saying which rule the document breaks. */
export function judgeDocument(url: string, fetched: FetchedDocument, policy: MetadataPolicy): ParsedMetadata {
  const { status, headers, body } = fetched;
  if (status !== 200) throw unusable('The client metadata document was not answered with status 200');
  const type = headers['content-type'] ?? '';
  if (!/^application\/([a-z0-9!#$&^_.-]+\+)?json\s*(;|$)/i.test(type)) throw unusable('The client metadata document must be served as application/json');
  const json = parseDocument(body);
  if (json.client_id !== url) throw unusable('The client_id in the client metadata document is not its own address');
  try {
    // Whose sector a document belongs to is seen from its redirect URIs; a second document is not fetched for it.
    return parseClientMetadata({ ...json, sector_identifier_uri: undefined }, 'document', policy);
  } catch (error) {
    throw error instanceof OAuthError ? unusable('The client metadata document breaks a rule', error) : error;
  }
}

/** CIMD-13: Cache-Control, else Expires, between one minute and one day. What must not be stored is kept for the minute that one sign-in takes. */
export function freshSeconds(headers: Record<string, string>, now: number): number {
  const control = headers['cache-control'] ?? '';
  if (/(^|[\s,])no-(store|cache)/i.test(control)) return minFreshSeconds;
  const maxAge = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(control)?.[1];
  const expires = Date.parse(headers.expires ?? '');
  const asked = maxAge !== undefined ? Number(maxAge) : Number.isNaN(expires) ? defaultFreshSeconds : Math.floor(expires / 1000) - now;
  return Math.min(maxFreshSeconds, Math.max(minFreshSeconds, asked));
}

/** An error on a document as the world sees it; `cause` is for the log and, where it is a rule, for the developer's part of the page. */
export function unusable(description: string, cause?: unknown): OAuthError {
  return new OAuthError('client_metadata_unavailable', description, { cause });
}

/** CIMD-07. Two parsers that keep different ones of two equal members would know two different clients. */
function parseDocument(body: Uint8Array): Record<string, unknown> {
  const parsed = parseStrictJson(decode(body));
  const value = parsed?.value;
  if (!parsed || parsed.duplicates.length > 0 || typeof value !== 'object' || value === null || Array.isArray(value)) throw notJson();
  return value as Record<string, unknown>;
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw notJson(cause);
  }
}

function notJson(cause?: unknown): OAuthError {
  return unusable('The client metadata document must be one JSON object in UTF-8 without repeated members', cause);
}
