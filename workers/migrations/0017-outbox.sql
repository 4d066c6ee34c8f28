-- Made by `npm run schema:d1`: do not edit.
create table outbox (
  tenant text not null,
  id text not null,
  kind text not null,
  locale text,
  sealed text not null,
  bundle text,
  created_at bigint not null,
  due_at bigint not null,
  expires_at bigint not null,
  attempts integer not null,
  primary key (tenant, id)
);
create index outbox_due on outbox (tenant, due_at);
create index outbox_bundle on outbox (tenant, bundle) where bundle is not null;
create index outbox_expiry on outbox (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0017-outbox', '4a24c18817da8387a7620883280a747791ae1c8dc90acdc8728002c0333ba952', 0);
