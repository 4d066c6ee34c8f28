-- Made by `npm run schema:d1`: do not edit.
create table pushed_requests (
  tenant text not null,
  reference_hash text not null,
  request text not null,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint,
  last_event text,
  primary key (tenant, reference_hash)
);
create index pushed_requests_expiry on pushed_requests (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0003-pushed-requests', '78cc9fcd3ab2296017bb50e5c80a222679acefb03f43f6ceaf2d1765480a2c21', 0);
