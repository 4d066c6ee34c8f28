/**
 * Opens the store over a driver: composes the tables and hands out one store per tenant. Everything the server knows about a database goes through here.
 */
import { type Driver, sql, withRiders } from './driver.ts';
import { migrationRunner } from './migrations/index.ts';
import type { Storage, Store } from './store.ts';
import { sweepExpired, sweepRemovedTenants } from './sweep.ts';
import { accessRequestsTable } from './tables/access-requests.ts';
import { accountsTable } from './tables/accounts.ts';
import { activityTable } from './tables/activity.ts';
import { assertionTargetsTable } from './tables/assertion-targets.ts';
import { attemptsTable } from './tables/attempts.ts';
import { auditChainTable } from './tables/audit-chain.ts';
import { auditEventsTable } from './tables/audit-events.ts';
import { authorizationRequestsTable } from './tables/authorization-requests.ts';
import { clientDocumentsTable } from './tables/client-documents.ts';
import { clientsTable } from './tables/clients.ts';
import { codesTable } from './tables/codes.ts';
import { companionsTable } from './tables/companions.ts';
import { defendedNamesTable } from './tables/defended-names.ts';
import { delegationsTable } from './tables/delegations.ts';
import { deviceCodesTable } from './tables/device-codes.ts';
import { dismissalsTable } from './tables/dismissals.ts';
import { emailsTable } from './tables/emails.ts';
import { factsTable } from './tables/facts.ts';
import { grantsTable } from './tables/grants.ts';
import { handOffTable } from './tables/hand-off.ts';
import { issuerGrantsTable } from './tables/issuer-grants.ts';
import { knownDevicesTable } from './tables/known-devices.ts';
import { lapsesTable } from './tables/lapses.ts';
import { lastUse } from './tables/last-use.ts';
import { limitsTable } from './tables/limits.ts';
import { machineGrantsTable } from './tables/machine-grants.ts';
import { oneTimeLinksTable } from './tables/one-time-links.ts';
import { outboxTable } from './tables/outbox.ts';
import { ownerTokensTable } from './tables/owner-tokens.ts';
import { passkeysTable } from './tables/passkeys.ts';
import { passwordsTable } from './tables/passwords.ts';
import { pausesTable } from './tables/pauses.ts';
import { pushedRequestsTable } from './tables/pushed-requests.ts';
import { receiptsTable } from './tables/receipts.ts';
import { refreshTokensTable } from './tables/refresh-tokens.ts';
import { registrationTokensTable } from './tables/registration-tokens.ts';
import { replayedIdsTable } from './tables/replayed-ids.ts';
import { revokedTokensTable } from './tables/revoked-tokens.ts';
import { secondFactorsTable } from './tables/second-factors.ts';
import { serverKeysTable } from './tables/server-keys.ts';
import { serverPeopleTable } from './tables/server-people.ts';
import { serversTable } from './tables/servers.ts';
import { sessionClientsTable } from './tables/session-clients.ts';
import { sessionsTable } from './tables/sessions.ts';
import { setupLinksTable } from './tables/setup-links.ts';
import { signingKeysTable } from './tables/signing-keys.ts';
import { tenantsTable } from './tables/tenants.ts';
import { trustedIssuersTable } from './tables/trusted-issuers.ts';
import { upstreamVisitsTable } from './tables/upstream-visits.ts';
import { upstreamsTable } from './tables/upstreams.ts';
import { usersTable } from './tables/users.ts';
import { waysInTable } from './tables/ways-in.ts';
import { webhooksTable } from './tables/webhooks.ts';

/** Stores are cheap to make again; the bound only keeps made-up tenant names from filling the memory. */
const STORES_KEPT = 1000;

const one = sql<Record<never, never>>`select 1 as one`;

/** Opens a database over its driver. Creates nothing: `migrate` does.
 *
 *     const storage = openStorage(openNodeSqlite('auth-agent.db'));
 *     await storage.migrate(now);
 *     const store = storage.forTenant(ROOT_TENANT);
 */
export function openStorage(driver: Driver): Storage {
  const stores = new Map<string, Store>();
  const carrying = withRiders(driver);
  return {
    forTenant(tenant) {
      const known = stores.get(tenant);
      if (known !== undefined) return known;
      if (stores.size >= STORES_KEPT) stores.clear();
      const store = storeOf(carrying, tenant);
      stores.set(tenant, store);
      return store;
    },
    ...tenantsTable(driver),
    ...factsTable(driver),
    ...migrationRunner(driver),
    sweep: async (now, batch) => (await sweepExpired(driver, { now, limit: batch })) + (await sweepRemovedTenants(driver, { now, limit: batch })),
    async ping() {
      await driver.read(one({}));
    },
    close: () => driver.close(),
  };
}

function storeOf(driver: Driver, tenant: string): Store {
  return {
    tenant,
    pendingMigrations: migrationRunner(driver).pendingMigrations,
    ...usersTable(driver, tenant),
    ...accountsTable(driver, tenant),
    ...passkeysTable(driver, tenant),
    ...waysInTable(driver, tenant),
    ...dismissalsTable(driver, tenant),
    ...sessionsTable(driver, tenant),
    ...sessionClientsTable(driver, tenant),
    ...passwordsTable(driver, tenant),
    ...emailsTable(driver, tenant),
    ...secondFactorsTable(driver, tenant),
    ...setupLinksTable(driver, tenant),
    ...oneTimeLinksTable(driver, tenant),
    ...ownerTokensTable(driver, tenant),
    ...serversTable(driver, tenant),
    ...serverPeopleTable(driver, tenant),
    ...accessRequestsTable(driver, tenant),
    ...defendedNamesTable(driver, tenant),
    ...handOffTable(driver, tenant),
    ...serverKeysTable(driver, tenant),
    ...clientsTable(driver, tenant),
    ...registrationTokensTable(driver, tenant),
    ...clientDocumentsTable(driver, tenant),
    ...authorizationRequestsTable(driver, tenant),
    ...pushedRequestsTable(driver, tenant),
    ...grantsTable(driver, tenant),
    ...companionsTable(driver, tenant),
    ...pausesTable(driver, tenant),
    ...lapsesTable(driver, tenant),
    ...receiptsTable(driver, tenant),
    ...machineGrantsTable(driver, tenant),
    ...issuerGrantsTable(driver, tenant),
    ...trustedIssuersTable(driver, tenant),
    ...assertionTargetsTable(driver, tenant),
    ...upstreamsTable(driver, tenant),
    ...upstreamVisitsTable(driver, tenant),
    ...delegationsTable(driver, tenant),
    ...codesTable(driver, tenant),
    ...deviceCodesTable(driver, tenant),
    ...refreshTokensTable(driver, tenant),
    ...revokedTokensTable(driver, tenant),
    ...replayedIdsTable(driver, tenant),
    ...signingKeysTable(driver, tenant),
    ...attemptsTable(driver, tenant),
    ...limitsTable(driver, tenant),
    ...lastUse(driver, tenant),
    ...auditEventsTable(driver, tenant),
    ...auditChainTable(driver, tenant),
    ...webhooksTable(driver, tenant),
    ...activityTable(driver, tenant),
    ...outboxTable(driver, tenant),
    ...knownDevicesTable(driver, tenant),
  };
}
