-- Made by `npm run schema:d1`: do not edit.
create table replayed_ids (
  tenant text not null,
  kind text not null,
  id_hash text not null,
  expires_at bigint not null,
  primary key (tenant, kind, id_hash)
);
create index replayed_ids_expiry on replayed_ids (expires_at);
insert into schema_migrations (name, checksum, applied_at) values ('0002-replayed-ids', '454d1da971311ef8da68991f6acb536aecbdfea4d8173c13bf5ce355d15aeb8b', 0);
