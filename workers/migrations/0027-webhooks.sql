-- Made by `npm run schema:d1`: do not edit.
create table webhooks (
  tenant text not null,
  id text not null,
  url text not null,
  events text not null,
  secret_sealed text not null,
  private_network integer not null,
  created_at bigint not null,
  failing_since bigint,
  disabled_at bigint,
  last_event text,
  primary key (tenant, id)
);
create table webhook_deliveries (
  tenant text not null,
  webhook_id text not null,
  event_id text not null,
  event_at bigint not null,
  type text not null,
  state text not null,
  attempts integer not null,
  due_at bigint,
  answer text,
  finished_at bigint,
  expires_at bigint not null,
  primary key (tenant, webhook_id, event_id)
);
create index webhook_deliveries_due on webhook_deliveries (tenant, due_at) where due_at is not null;
create index webhook_deliveries_newest on webhook_deliveries (tenant, webhook_id, event_at, event_id);
create index webhook_deliveries_expiry on webhook_deliveries (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0027-webhooks', '949b23e2a05a59cb34b70216261dadeefe8637d7bf0fbed6172758745b64c4aa', 0);
