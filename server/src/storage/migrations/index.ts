/**
 * The migrations in order, and the runner. A migration is applied once: its script begins by entering its name into `schema_migrations`, so of two nodes
 * that start together the second fails on that name, changes nothing and finds the work done. A migration whose text changed after it ran is refused.
 */
import { ConstraintError, type Driver, SchemaMissing, sql } from '../driver.ts';
import { text } from '../row.ts';
import type { Storage } from '../store.ts';
import { init } from './0001-init.ts';
import { replayedIds } from './0002-replayed-ids.ts';
import { pushedRequests } from './0003-pushed-requests.ts';
import { dpop } from './0004-dpop.ts';
import { delegations } from './0005-delegations.ts';
import { deviceCodes } from './0006-device-codes.ts';
import { clientSecrets } from './0007-client-secrets.ts';
import { registrations } from './0008-registrations.ts';
import { derivedSuccessors } from './0009-derived-successors.ts';
import { signInFacts } from './0010-sign-in-facts.ts';
import { trust } from './0011-trust.ts';
import { sessionClients } from './0012-session-clients.ts';
import { passkeys } from './0013-passkeys.ts';
import { oneTimeLinks } from './0014-one-time-links.ts';
import { secondFactors } from './0015-second-factors.ts';
import { pauses } from './0016-pauses.ts';
import { outbox } from './0017-outbox.ts';
import { language } from './0018-language.ts';
import { upstreams } from './0019-upstreams.ts';
import { knownDevices } from './0020-known-devices.ts';
import { activity } from './0021-activity.ts';
import { consent } from './0022-consent.ts';
import { peopleLeave } from './0023-people-leave.ts';
import { auditChain, auditChainPostgres, auditChainSqlite } from './0024-audit-chain.ts';
import { tenantsLeave, tenantsLeavePostgres, tenantsLeaveSqlite } from './0025-tenants-leave.ts';
import { severalResources } from './0026-several-resources.ts';
import { webhooks } from './0027-webhooks.ts';
import { accessRequests } from './0028-access-requests.ts';
import { provenAddresses } from './0029-proven-addresses.ts';
import { webhookSecrets } from './0030-webhook-secrets.ts';
import { webhookLanes } from './0031-webhook-lanes.ts';
import { unprovenSessions } from './0032-unproven-sessions.ts';
import { revocationMarks } from './0033-revocation-marks.ts';
import { endlessGrants } from './0034-endless-grants.ts';
import { warnedKeys } from './0035-warned-keys.ts';
import { sessionEpochs } from './0036-session-epochs.ts';

type Engine = Driver['name'];
/** `script` runs on both databases; `sqlite` or `postgres` after it, for what only one of them says that way, as triggers are. */
export type Migration = { name: string; script: string } & Partial<Record<Engine, string>>;

export const migrations: readonly Migration[] = [
  { name: '0001-init', script: init },
  { name: '0002-replayed-ids', script: replayedIds },
  { name: '0003-pushed-requests', script: pushedRequests },
  { name: '0004-dpop', script: dpop },
  { name: '0005-delegations', script: delegations },
  { name: '0006-device-codes', script: deviceCodes },
  { name: '0007-client-secrets', script: clientSecrets },
  { name: '0008-registrations', script: registrations },
  { name: '0009-derived-successors', script: derivedSuccessors },
  { name: '0010-sign-in-facts', script: signInFacts },
  { name: '0011-trust', script: trust },
  { name: '0012-session-clients', script: sessionClients },
  { name: '0013-passkeys', script: passkeys },
  { name: '0014-one-time-links', script: oneTimeLinks },
  { name: '0015-second-factors', script: secondFactors },
  { name: '0016-pauses', script: pauses },
  { name: '0017-outbox', script: outbox },
  { name: '0018-language', script: language },
  { name: '0019-upstreams', script: upstreams },
  { name: '0020-known-devices', script: knownDevices },
  { name: '0021-activity', script: activity },
  { name: '0022-consent', script: consent },
  { name: '0023-people-leave', script: peopleLeave },
  { name: '0024-audit-chain', script: auditChain, sqlite: auditChainSqlite, postgres: auditChainPostgres },
  { name: '0025-tenants-leave', script: tenantsLeave, sqlite: tenantsLeaveSqlite, postgres: tenantsLeavePostgres },
  { name: '0026-several-resources', script: severalResources },
  { name: '0027-webhooks', script: webhooks },
  { name: '0028-access-requests', script: accessRequests },
  { name: '0029-proven-addresses', script: provenAddresses },
  { name: '0030-webhook-secrets', script: webhookSecrets },
  { name: '0031-webhook-lanes', script: webhookLanes },
  { name: '0032-unproven-sessions', script: unprovenSessions },
  { name: '0033-revocation-marks', script: revocationMarks },
  { name: '0034-endless-grants', script: endlessGrants },
  { name: '0035-warned-keys', script: warnedKeys },
  { name: '0036-session-epochs', script: sessionEpochs },
];

const bookkeeping = `
create table if not exists schema_migrations (
  name text primary key,
  checksum text not null,
  applied_at bigint not null
);
create table if not exists facts (
  name text primary key,
  value text not null
);
`;

const applied = sql<Record<never, never>>`select name, checksum from schema_migrations order by name`;

type Runner = Pick<Storage, 'pendingMigrations' | 'unknownMigrations' | 'migrate'>;

export function migrationRunner(driver: Driver, known: readonly Migration[] = migrations): Runner {
  const pending = async (): Promise<Migration[]> => {
    const done = await appliedMigrations(driver);
    const waiting: Migration[] = [];
    for (const migration of known) {
      const checksum = done.get(migration.name);
      if (checksum === undefined) waiting.push(migration);
      else if (checksum !== (await checksumOf(migration))) throw new Error(`Migration ${migration.name} was changed after it ran on this database`);
    }
    return waiting;
  };
  return {
    async pendingMigrations() {
      return (await pending()).map(({ name }) => name);
    },
    async unknownMigrations() {
      const names = new Set(known.map(({ name }) => name));
      return [...(await appliedMigrations(driver)).keys()].filter((name) => !names.has(name));
    },
    async migrate(now) {
      const ran: string[] = [];
      await driver.script(bookkeeping);
      for (const migration of await pending()) {
        if (await apply(driver, migration, now)) ran.push(migration.name);
      }
      // Again, for what another node applied meanwhile: its text must be ours.
      await pending();
      return ran;
    },
  };
}

/** The tables that these migrations make, without those of the bookkeeping. */
export function tablesOf(known: readonly Migration[] = migrations): string[] {
  const tables = new Set<string>();
  for (const [, verb, name = '', renamed] of known
    .map(({ script }) => script)
    .join('\n')
    .matchAll(/\b(create|drop|alter) table (\w+)(?: rename to (\w+))?/g)) {
    if (verb === 'create') tables.add(name);
    if (verb === 'drop' || renamed !== undefined) tables.delete(name);
    if (renamed !== undefined) tables.add(renamed);
  }
  return [...tables].toSorted();
}

/** Each migration with what the runner adds to it, for those who apply them by other means than the runner. */
export async function migrationFiles(engine: Engine, known: readonly Migration[] = migrations): Promise<Migration[]> {
  return Promise.all(
    known.map(async (migration, index) => ({
      name: migration.name,
      script: [index === 0 ? bookkeeping.trim() : '', migration.script.trim(), migration[engine]?.trim() ?? '', await entryOf(migration, 0)]
        .filter((text) => text !== '')
        .join('\n'),
    })),
  );
}

/** All of them as one script. */
export async function schemaScript(engine: Engine): Promise<string> {
  return (await migrationFiles(engine)).map(({ script }) => script).join('\n\n');
}

async function appliedMigrations(driver: Driver): Promise<Map<string, string>> {
  try {
    return new Map((await driver.read(applied({}))).map((row) => [text(row.name), text(row.checksum)]));
  } catch (error) {
    if (error instanceof SchemaMissing) return new Map();
    throw error;
  }
}

/** False when another node was first. */
async function apply(driver: Driver, migration: Migration, now: number): Promise<boolean> {
  try {
    await driver.script((await entryOf(migration, now)) + migration.script + (migration[driver.name] ?? ''));
    return true;
  } catch (error) {
    if (error instanceof ConstraintError && (await appliedMigrations(driver)).has(migration.name)) return false;
    throw error;
  }
}

async function entryOf(migration: Migration, now: number): Promise<string> {
  return `insert into schema_migrations (name, checksum, applied_at) values ('${migration.name}', '${await checksumOf(migration)}', ${Math.floor(now)});`;
}

/** Made once for each: readiness compares them all whenever somebody asks. */
const checksums = new WeakMap<Migration, Promise<string>>();

function checksumOf(migration: Migration): Promise<string> {
  const made = checksums.get(migration) ?? digestOf(migration);
  checksums.set(migration, made);
  return made;
}

async function digestOf({ script, sqlite = '', postgres = '' }: Migration): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script + sqlite + postgres));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
