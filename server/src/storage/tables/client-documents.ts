/**
 * Client metadata documents (CIMD): the last good answer of each `client_id` that is a URL, kept so that a client survives a short outage of its host.
 */
import { type Driver, sql } from '../driver.ts';
import { json, optionalWhole, present, text, whole } from '../row.ts';
import type { ClientMetadata, Store } from '../store.ts';

const find = sql<{ tenant: string; url: string }>`select url, metadata, fetched_at, fresh_until, disabled_at from client_documents
  where tenant = ${'tenant'} and url = ${'url'}`;

type DocumentRow = { tenant: string; url: string; metadata: string; fetchedAt: number; freshUntil: number; disabledAt: number | null };
// A slower, older fetch must not overwrite a newer one, and a fetch alone never enables what was disabled.
const save = sql<DocumentRow>`insert into client_documents (tenant, url, metadata, fetched_at, fresh_until, disabled_at)
  values (${'tenant'}, ${'url'}, ${'metadata'}, ${'fetchedAt'}, ${'freshUntil'}, ${'disabledAt'})
  on conflict (tenant, url) do update set metadata = excluded.metadata, fetched_at = excluded.fetched_at, fresh_until = excluded.fresh_until,
    disabled_at = coalesce(excluded.disabled_at, client_documents.disabled_at)
  where client_documents.fetched_at <= excluded.fetched_at`;

export function clientDocumentsTable(driver: Driver, tenant: string): Pick<Store, 'findDocument' | 'saveDocument'> {
  return {
    async findDocument(url) {
      const [row] = await driver.read(find({ tenant, url }));
      if (row === undefined) return undefined;
      return present({
        url: text(row.url),
        metadata: json<ClientMetadata>(row.metadata),
        fetchedAt: whole(row.fetched_at),
        freshUntil: whole(row.fresh_until),
        disabledAt: optionalWhole(row.disabled_at),
      });
    },
    async saveDocument(document) {
      const { url, metadata, fetchedAt, freshUntil, disabledAt } = document;
      await driver.write([save({ tenant, url, metadata: JSON.stringify(metadata), fetchedAt, freshUntil, disabledAt: disabledAt ?? null })]);
    },
  };
}
