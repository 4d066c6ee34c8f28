/**
 * Names of clients that others could be taken for, out of the tables of clients and of metadata documents.
 */
import { type Driver, type Row, sql } from '../driver.ts';
import { json, optionalText, present } from '../row.ts';
import type { ClientMetadata } from '../store.ts';
import type { DefendedName, DefendedNameVerbs } from '../verbs/defended-names.ts';

type Listing = { tenant: string; limit: number };
const registered = sql<Listing>`select metadata from clients
  where tenant = ${'tenant'} and registration = 'manual' and removed_at is null order by id limit ${'limit'}`;
const allowed = sql<Listing>`select d.url, d.metadata from client_documents d where d.tenant = ${'tenant'} and d.disabled_at is null
  and exists (select 1 from grants g where g.tenant = ${'tenant'} and g.client_id = d.url and g.revoked_at is null) order by d.url limit ${'limit'}`;

export function defendedNamesTable(driver: Driver, tenant: string): DefendedNameVerbs {
  return {
    async listDefendedNames(limit) {
      const found = await Promise.all([driver.read(registered({ tenant, limit })), driver.read(allowed({ tenant, limit }))]);
      return found.flat().flatMap(nameOf);
    },
  };
}

function nameOf(row: Row): DefendedName[] {
  const { clientName } = json<ClientMetadata>(row.metadata);
  return clientName === undefined ? [] : [present({ name: clientName, documentUrl: optionalText(row.url ?? null) })];
}
