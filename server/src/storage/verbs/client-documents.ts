/**
 * Client metadata documents as they were fetched. Part of the store; fetching is clients/'s.
 */
import type { ClientMetadata } from './clients.ts';

export type ClientDocument = { url: string; metadata: ClientMetadata; fetchedAt: number; freshUntil: number; disabledAt?: number };

export type ClientDocumentVerbs = {
  findDocument(url: string): Promise<ClientDocument | undefined>;
  saveDocument(document: ClientDocument): Promise<void>;
};
