/**
 * What a restore must not bring back (OPS-04). A backup is older than the last revocation, rotation and sign-out, and nobody can know which those were: so what people allowed, what
 * their agents hold, who is signed in and what can be used once end with the restore, and new keys sign. Clients that registered themselves may have changed or ended
 * their registration since, so they register again; what an operator made stays. Not here: the rows themselves (backup.ts).
 */
import { auditEvent } from '../../audit/event.ts';
import { type Driver, literal, sql } from '../driver.ts';
import { text, whole } from '../row.ts';
import { ROOT_TENANT } from '../store.ts';
import { insertEvent } from './audit-events.ts';

/** What ended, over all tenants. */
export type Ended = { grants: number; sessions: number; clients: number };

type At = { now: number };
type Nothing = Record<never, never>;

/** Used once or for minutes, and sealed or hashed under what could be known by now. Tokens whose key is gone are nobody's. */
const gone = [
  'sessions',
  'session_clients',
  'signing_keys',
  'codes',
  'device_codes',
  'authorization_requests',
  'pushed_requests',
  'upstream_visits',
  'one_time_links',
  'setup_links',
];
/** Was delivered after the backup, as far as anybody knows. */
const delivered = ['outbox', 'webhook_deliveries'];

// The grant of a program is made anew when it asks; ended here, it would forget that an operator holds it.
const endGrants = sql<At>`update grants set revoked_at = ${'now'}, revoked_reason = 'restored' where user_id is not null and revoked_at is null`;
const endFamilies = sql<At>`update refresh_tokens set revoked_at = ${'now'} where revoked_at is null`;
/** As every removed client: with a tombstone, by which its next request is told to register again. */
const buryRegistered = sql<At>`update clients set removed_at = ${'now'}, secret_hash = null, older_secret_hash = null, older_secret_expires_at = null,
  management_hash = null where registration = 'dynamic' and removed_at is null`;
const endRegistrationTokens = sql<At>`update registration_tokens set revoked_at = ${'now'} where revoked_at is null`;
const empty = (table: string) => sql<Nothing>`delete from ${literal(table)}`({});
const sessions = sql<Nothing>`select count(*) as count from sessions`;
const tenants = sql<Nothing>`select tenant from tenants where removed_at is null`;

/** Ends all of it in one commit, with an event in each tenant. `madeAt`: when the backup was. */
export async function endRevivable(driver: Driver, { now, madeAt }: { now: number; madeAt: number }): Promise<Ended> {
  const [signedIn] = await driver.read(sessions({}));
  const names = [ROOT_TENANT, ...(await driver.read(tenants({}))).map((row) => text(row.tenant))];
  const events = names.map((tenant) => insertEvent(tenant, auditEvent('database.restored', now, 'cli', { detail: { made_at: madeAt } })));
  const ending = [endGrants, buryRegistered, endFamilies, endRegistrationTokens].map((end) => end({ now }));
  const [grants, clients] = await driver.write([...ending, ...[...gone, ...delivered].map(empty), ...events]);
  return { grants: grants?.changes ?? 0, sessions: whole(signedIn?.count ?? 0), clients: clients?.changes ?? 0 };
}
