/**
 * MCP servers, by id and by canonical resource (RFC 8707), which is unique in its tenant. Removing a server removes its keys and revokes its grants.
 */
import { ConstraintError, type Driver, literal, part, type Row, sql } from '../driver.ts';
import { json, optionalJson, optionalText, present, text, whole } from '../row.ts';
import type { MaxDuration, McpServer, ServerScope, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';
import { endFamiliesOfServerIfMarked, endGrantsOf, endUnlistedGrants } from './grants.ts';

const columns = literal(
  'id, owner_id, resource, server_url, name, description, scopes, default_scopes, logo_url, max_duration, people, created_at, updated_at',
);

type ServerRow = {
  tenant: string;
  id: string;
  ownerId: string;
  resource: string;
  serverUrl: string;
  name: string;
  description: string | null;
  scopes: string;
  defaultScopes: string | null;
  logoUrl: string | null;
  maxDuration: string | null;
  people: string | null;
  createdAt: number;
  updatedAt: number;
  mark: string;
};
const insert = sql<ServerRow>`insert into servers (tenant, ${columns}, last_event)
  values (${'tenant'}, ${'id'}, ${'ownerId'}, ${'resource'}, ${'serverUrl'}, ${'name'}, ${'description'}, ${'scopes'}, ${'defaultScopes'}, ${'logoUrl'},
    ${'maxDuration'}, ${'people'}, ${'createdAt'}, ${'updatedAt'}, ${'mark'})
  on conflict do nothing`;
type Update = Omit<ServerRow, 'ownerId' | 'createdAt'>;
const written = part<keyof Update>`update servers set resource = ${'resource'}, server_url = ${'serverUrl'}, name = ${'name'},
    description = ${'description'}, scopes = ${'scopes'}, default_scopes = ${'defaultScopes'}, logo_url = ${'logoUrl'}, max_duration = ${'maxDuration'}, people = ${'people'}, updated_at = ${'updatedAt'},
    last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'}`;
const update = sql<Update>`${written}`;

/** What an update may write, as it was read. */
type Seen = {
  seenResource: string;
  seenServerUrl: string;
  seenName: string;
  seenDescription: string;
  seenScopes: string;
  seenDefaultScopes: string;
  seenLogoUrl: string;
  seenMaxDuration: string;
  seenPeople: string;
};
const updateSeen = sql<Update & Seen>`${written} and resource = ${'seenResource'} and server_url = ${'seenServerUrl'} and name = ${'seenName'}
  and coalesce(description, '') = ${'seenDescription'} and scopes = ${'seenScopes'} and coalesce(default_scopes, '') = ${'seenDefaultScopes'}
  and coalesce(logo_url, '') = ${'seenLogoUrl'} and coalesce(max_duration, '') = ${'seenMaxDuration'} and coalesce(people, '') = ${'seenPeople'}`;

type Key = { tenant: string; id: string };
const find = sql<Key>`select ${columns} from servers where tenant = ${'tenant'} and id = ${'id'}`;
const findByResource = sql<{ tenant: string; resource: string }>`select ${columns} from servers where tenant = ${'tenant'} and resource = ${'resource'}`;

// No `like`: its pattern may have 50 bytes on D1, and SQLite's does not tell cases apart.
const offeredElsewhere = sql<{ tenant: string; resource: string; named: string }>`select 1 as found from servers
  where tenant = ${'tenant'} and resource <> ${'resource'} and replace(scopes, ${'named'}, '') <> scopes limit 1`;
/** More unknown scopes than these do not make a request clearer. */
const scopesLookedUp = 10;

type Page = { tenant: string; ownerId: string; afterCreated: number; after: string; limit: number };
const oldestFirst = part<'limit'>`order by created_at, id limit ${'limit'}`;
const beyond = part<'afterCreated' | 'after'>`(created_at, id) > (${'afterCreated'}, ${'after'})`;
const list = {
  all: sql<Page>`select ${columns} from servers where tenant = ${'tenant'} ${oldestFirst}`,
  allAfter: sql<Page>`select ${columns} from servers where tenant = ${'tenant'} and ${beyond} ${oldestFirst}`,
  owned: sql<Page>`select ${columns} from servers where tenant = ${'tenant'} and owner_id = ${'ownerId'} ${oldestFirst}`,
  ownedAfter: sql<Page>`select ${columns} from servers where tenant = ${'tenant'} and owner_id = ${'ownerId'} and ${beyond} ${oldestFirst}`,
};

const mark = sql<Key & { mark: string }>`update servers set last_event = ${'mark'} where tenant = ${'tenant'} and id = ${'id'}`;
const removeKeys = sql<Key & { mark: string }>`delete from server_keys where tenant = ${'tenant'} and server_id = ${'id'}
  and exists (select 1 from servers where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;
const removePeople = sql<Key & { mark: string }>`delete from server_people where tenant = ${'tenant'} and server_id = ${'id'}
  and exists (select 1 from servers where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;
const removeAsked = sql<Key & { mark: string }>`delete from access_requests where tenant = ${'tenant'} and server_id = ${'id'}
  and exists (select 1 from servers where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'})`;
const removeMarked = sql<Key & { mark: string }>`delete from servers where tenant = ${'tenant'} and id = ${'id'} and last_event = ${'mark'}`;
const eventIfServer = eventIf('servers', 'id');
const endGrants = endGrantsOf('servers', 'server_id');

type Verbs = 'addServer' | 'findServer' | 'findServerByResource' | 'isScopeOfAnother' | 'listServers' | 'updateServer' | 'removeServer';

export function serversTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async addServer(server, event) {
      const [added] = await driver.write([insert(serverRow(tenant, server, event.id)), eventIfServer(tenant, server.id, event)]);
      return added?.changes === 1 ? 'added' : 'taken';
    },
    async findServer(id) {
      const [row] = await driver.read(find({ tenant, id }));
      return row && serverOf(row);
    },
    async findServerByResource(resource) {
      const [row] = await driver.read(findByResource({ tenant, resource }));
      return row && serverOf(row);
    },
    async isScopeOfAnother(scopes, resource) {
      for (const scope of scopes.slice(0, scopesLookedUp)) {
        const named = `"name":${JSON.stringify(scope)}`;
        if ((await driver.read(offeredElsewhere({ tenant, resource, named }))).length > 0) return true;
      }
      return false;
    },
    async listServers({ ownerId, limit, after }) {
      const statement = ownerId === undefined ? (after === undefined ? list.all : list.allAfter) : after === undefined ? list.owned : list.ownedAfter;
      const page = { tenant, ownerId: ownerId ?? '', afterCreated: after?.createdAt ?? 0, after: after?.id ?? '', limit };
      return (await driver.read(statement(page))).map(serverOf);
    },
    async updateServer(server, event, seen) {
      try {
        const ending = { tenant, subject: server.id, now: event.at, mark: event.id };
        const row = serverRow(tenant, server, event.id);
        const [updated] = await driver.write([
          seen ? updateSeen({ ...row, ...seenRow(serverRow(tenant, seen, event.id)) }) : update(row),
          endUnlistedGrants({ ...ending, reason: 'not_on_the_list' }),
          endFamiliesOfServerIfMarked(ending),
          eventIfServer(tenant, server.id, event),
        ]);
        if (updated?.changes === 1) return 'updated';
        return seen && (await driver.read(find({ tenant, id: server.id }))).length > 0 ? 'changed' : 'gone';
      } catch (error) {
        if (error instanceof ConstraintError) return 'taken';
        throw error;
      }
    },
    async removeServer(id, event) {
      const key = { tenant, id, mark: event.id };
      const ended = endGrants({ tenant, subject: id, now: event.at, reason: 'server_removed', mark: event.id });
      const [marked] = await driver.write([
        mark(key),
        ...ended,
        removeKeys(key),
        removePeople(key),
        removeAsked(key),
        eventIfServer(tenant, id, event),
        removeMarked(key),
      ]);
      return marked?.changes === 1;
    },
  };
}

function serverRow(tenant: string, server: McpServer, mark: string): ServerRow {
  return {
    tenant,
    id: server.id,
    ownerId: server.ownerId,
    resource: server.resource,
    serverUrl: server.serverUrl,
    name: server.name,
    description: server.description ?? null,
    scopes: JSON.stringify(server.scopes),
    defaultScopes: server.defaultScopes === undefined ? null : JSON.stringify(server.defaultScopes),
    logoUrl: server.logoUrl ?? null,
    maxDuration: server.maxDuration ?? null,
    people: server.people ?? null,
    createdAt: server.createdAt,
    updatedAt: server.updatedAt,
    mark,
  };
}

function seenRow(row: ServerRow): Seen {
  return {
    seenResource: row.resource,
    seenServerUrl: row.serverUrl,
    seenName: row.name,
    seenDescription: row.description ?? '',
    seenScopes: row.scopes,
    seenDefaultScopes: row.defaultScopes ?? '',
    seenLogoUrl: row.logoUrl ?? '',
    seenMaxDuration: row.maxDuration ?? '',
    seenPeople: row.people ?? '',
  };
}

function serverOf(row: Row): McpServer {
  return present({
    id: text(row.id),
    ownerId: text(row.owner_id),
    resource: text(row.resource),
    serverUrl: text(row.server_url),
    name: text(row.name),
    description: optionalText(row.description),
    scopes: json<ServerScope[]>(row.scopes),
    defaultScopes: optionalJson<string[]>(row.default_scopes),
    logoUrl: optionalText(row.logo_url),
    // Only this file writes these columns.
    maxDuration: optionalText(row.max_duration) as MaxDuration | undefined,
    people: optionalText(row.people) as 'listed' | undefined,
    createdAt: whole(row.created_at),
    updatedAt: whole(row.updated_at),
  });
}
