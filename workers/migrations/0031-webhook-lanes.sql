-- Made by `npm run schema:d1`: do not edit.
drop index webhook_deliveries_due;
create index webhook_deliveries_due on webhook_deliveries (tenant, webhook_id, due_at) where due_at is not null;
insert into schema_migrations (name, checksum, applied_at) values ('0031-webhook-lanes', 'eabbb28a80b1de17aef3c609470419a8e53e0e60e37d406379a0fc6014066960', 0);
