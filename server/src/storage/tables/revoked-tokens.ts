/**
 * Access tokens revoked on their own (RFC 7009), by `jti`, until they would have expired anyway.
 */
import { type Driver, sql } from '../driver.ts';
import type { Store } from '../store.ts';
import { insertEvent } from './audit-events.ts';

const revoke = sql<{ tenant: string; jti: string; expiresAt: number }>`insert into revoked_tokens (tenant, jti, expires_at)
  values (${'tenant'}, ${'jti'}, ${'expiresAt'}) on conflict do nothing`;

export function revokedTokensTable(driver: Driver, tenant: string): Pick<Store, 'revokeAccessToken'> {
  return {
    async revokeAccessToken(jti, expiresAt, event) {
      await driver.write([revoke({ tenant, jti, expiresAt }), insertEvent(tenant, event)]);
    },
  };
}
