/**
 * What a restore must not bring back (OPS-04). A backup is older than the last revocation, rotation and sign-out, and nobody can know which those were: so what people allowed, what
 * their agents hold, who is signed in and what can be used once end with the restore, and new keys sign. Registrations stay, because a client that lost its own is broken for
 * everybody who uses it; the tokens that change them end. What an operator made stays. Not here: the rows themselves (backup.ts).
 */
import { auditEvent } from '../../audit/event.ts';
import { type Driver, literal, sql } from '../driver.ts';
import { text, whole } from '../row.ts';
import { ROOT_TENANT } from '../store.ts';
import { insertEvent } from './audit-events.ts';

/** What ended, over all tenants. */
export type Ended = { grants: number; sessions: number };

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
// RFC 7592: the token may have been replaced since. Without it a registration is used as it is, and changed by nobody but an operator.
const endManagement = sql<Nothing>`update clients set management_hash = null where management_hash is not null`;
const endRegistrationTokens = sql<At>`update registration_tokens set revoked_at = ${'now'} where revoked_at is null`;
const empty = (table: string) => sql<Nothing>`delete from ${literal(table)}`({});
const sessions = sql<Nothing>`select count(*) as count from sessions`;
const tenants = sql<Nothing>`select tenant from tenants where removed_at is null`;

/** Ends all of it in one commit, with an event in each tenant. `madeAt`: when the backup was. */
export async function endRevivable(driver: Driver, { now, madeAt }: { now: number; madeAt: number }): Promise<Ended> {
  const [signedIn] = await driver.read(sessions({}));
  const names = [ROOT_TENANT, ...(await driver.read(tenants({}))).map((row) => text(row.tenant))];
  const events = names.map((tenant) => insertEvent(tenant, auditEvent('database.restored', now, 'cli', { detail: { made_at: madeAt } })));
  const ending = [endGrants, endFamilies, endRegistrationTokens].map((end) => end({ now }));
  const [grants] = await driver.write([...ending, endManagement({}), ...[...gone, ...delivered].map(empty), ...events], { unhurried: true });
  return { grants: grants?.changes ?? 0, sessions: whole(signedIn?.count ?? 0) };
}
