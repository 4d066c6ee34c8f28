/**
 * Initial access tokens of dynamic registration (RFC 7591 §3), by their hash. A use is taken in one statement, so that no number of parallel registrations
 * makes more of it than there are.
 */
import { type Driver, part, type Row, sql } from '../driver.ts';
import { optionalWhole, present, text, whole } from '../row.ts';
import type { RegistrationToken, Store } from '../store.ts';
import { eventIf } from './audit-events.ts';

type TokenRow = {
  tenant: string;
  id: string;
  tokenHash: string;
  name: string;
  usesLeft: number;
  createdAt: number;
  expiresAt: number;
  revokedAt: number | null;
  mark: string;
};
const insert = sql<TokenRow>`insert into registration_tokens (tenant, id, token_hash, name, uses_left, created_at, expires_at, revoked_at, last_event)
  values (${'tenant'}, ${'id'}, ${'tokenHash'}, ${'name'}, ${'usesLeft'}, ${'createdAt'}, ${'expiresAt'}, ${'revokedAt'}, ${'mark'})`;
type Presented = { tenant: string; tokenHash: string; now: number };
const usable = part<keyof Presented>`tenant = ${'tenant'} and token_hash = ${'tokenHash'} and uses_left > 0 and revoked_at is null and expires_at > ${'now'}`;
const has = sql<Presented>`select id from registration_tokens where ${usable}`;
const use = sql<Presented>`update registration_tokens set uses_left = uses_left - 1 where ${usable} returning id`;
const list = sql<{ tenant: string }>`select id, token_hash, name, uses_left, created_at, expires_at, revoked_at from registration_tokens
  where tenant = ${'tenant'} order by created_at, id`;
const revoke = sql<{ tenant: string; id: string; now: number; mark: string }>`update registration_tokens set revoked_at = ${'now'}, last_event = ${'mark'}
  where tenant = ${'tenant'} and id = ${'id'} and revoked_at is null`;
const eventIfToken = eventIf('registration_tokens', 'id');

type Verbs = 'addRegistrationToken' | 'hasRegistrationToken' | 'useRegistrationToken' | 'listRegistrationTokens' | 'revokeRegistrationToken';

export function registrationTokensTable(driver: Driver, tenant: string): Pick<Store, Verbs> {
  return {
    async addRegistrationToken(token, event) {
      await driver.write([insert({ ...token, tenant, revokedAt: token.revokedAt ?? null, mark: event.id }), eventIfToken(tenant, token.id, event)]);
    },
    async hasRegistrationToken(tokenHash, now) {
      return (await driver.read(has({ tenant, tokenHash, now }))).length > 0;
    },
    async useRegistrationToken(tokenHash, now) {
      const [used] = await driver.write([use({ tenant, tokenHash, now })]);
      const [row] = used?.rows ?? [];
      return row && text(row.id);
    },
    async listRegistrationTokens() {
      return (await driver.read(list({ tenant }))).map(tokenOf);
    },
    async revokeRegistrationToken(id, event) {
      const [revoked] = await driver.write([revoke({ tenant, id, now: event.at, mark: event.id }), eventIfToken(tenant, id, event)]);
      return revoked?.changes === 1;
    },
  };
}

function tokenOf(row: Row): RegistrationToken {
  return present({
    id: text(row.id),
    tokenHash: text(row.token_hash),
    name: text(row.name),
    usesLeft: whole(row.uses_left),
    createdAt: whole(row.created_at),
    expiresAt: whole(row.expires_at),
    revokedAt: optionalWhole(row.revoked_at),
  });
}
