/**
 * Consent receipts: the words a person saw when they allowed something, and where they sat. Written with the grant and never changed. A grant older than this table has
 * its receipt in its own row.
 */
import type { AuditEvent } from '../../audit/event.ts';
import { type Driver, type Statement, sql } from '../driver.ts';
import { optionalText } from '../row.ts';
import type { ConsentRecord, Grant, Store } from '../store.ts';

type ReceiptRow = { tenant: string; grantId: string; userId: string; receipt: string; address: string | null; userAgent: string | null; mark: string };
const insertIfGranted = sql<ReceiptRow>`insert into receipts (tenant, grant_id, user_id, receipt, address, user_agent)
  select cast(${'tenant'} as text), cast(${'grantId'} as text), cast(${'userId'} as text), cast(${'receipt'} as text), cast(${'address'} as text),
    cast(${'userAgent'} as text)
  where exists (select 1 from grants where tenant = ${'tenant'} and id = ${'grantId'} and last_event = ${'mark'})`;

const find = sql<{ tenant: string; grantId: string; userId: string }>`select coalesce(w.receipt, g.receipt) as receipt from grants g
  left join receipts w on w.tenant = g.tenant and w.grant_id = g.id
  where g.tenant = ${'tenant'} and g.id = ${'grantId'} and g.user_id = ${'userId'}`;

/** The statements that keep a receipt if this batch has made its grant; none without one. */
export function keepReceipt(tenant: string, { id: grantId, userId }: Grant, receipt: ConsentRecord | undefined, event: AuditEvent): Statement[] {
  if (receipt === undefined || userId === undefined) return [];
  const { text, address, userAgent } = receipt;
  return [insertIfGranted({ tenant, grantId, userId, receipt: text, address: address ?? null, userAgent: userAgent ?? null, mark: event.id })];
}

export function receiptsTable(driver: Driver, tenant: string): Pick<Store, 'findReceipt'> {
  return {
    async findReceipt(userId, grantId) {
      const [row] = await driver.read(find({ tenant, grantId, userId }));
      return optionalText(row?.receipt);
    },
  };
}
