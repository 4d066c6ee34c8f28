/**
 * What is due is looked for webhook by webhook, so that one receiver holds up no other.
 */
export const webhookLanes = `
drop index webhook_deliveries_due;
create index webhook_deliveries_due on webhook_deliveries (tenant, webhook_id, due_at) where due_at is not null;
`;
