/**
 * Access tokens revoked on their own (RFC 7009), by `jti`, until they would have expired anyway.
 */
import { type Driver, sql } from '../driver.ts';
import type { Store } from '../store.ts';
import { eventIf } from './audit-events.ts';

const revoke = sql<{ tenant: string; jti: string; expiresAt: number; mark: string }>`insert into revoked_tokens (tenant, jti, expires_at, last_event)
  values (${'tenant'}, ${'jti'}, ${'expiresAt'}, ${'mark'}) on conflict do nothing`;
const eventIfRevoked = eventIf('revoked_tokens', 'jti');

export function revokedTokensTable(driver: Driver, tenant: string): Pick<Store, 'revokeAccessToken'> {
  return {
    async revokeAccessToken(jti, expiresAt, event) {
      await driver.write([revoke({ tenant, jti, expiresAt, mark: event.id }), eventIfRevoked(tenant, jti, event)]);
    },
  };
}
